// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.capstone;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowDecoder;
import dev.fathom.model.arch.Instruction;
import dev.fathom.model.arch.Syntax;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A handle of the system's libcapstone. What an instruction says about control flow and memory
 * comes from Fathom's own decoder, as it does with the built-in Capstone.
 */
final class NativeDisassembler implements Disassembler {
  private static final Cleaner CLEANER = Cleaner.create();

  /** {@code cs_mode}; the other architectures' default is 0. */
  private static final int MODE_64 = 1 << 3;

  /** {@code cs_opt_type} and {@code cs_opt_value}. */
  private static final int OPT_SYNTAX = 1;

  private static final long OPT_SYNTAX_INTEL = 1;
  private static final long OPT_SYNTAX_ATT = 2;

  /**
   * The arguments of {@code cs_disasm_iter} that it changes, the code, and its result; one block.
   */
  private static final long CODE_POINTER = 0;

  private static final long CODE_SIZE = 8;
  private static final long CODE_ADDRESS = 16;
  private static final long CODE = 24;
  private static final int LONGEST = 16;
  private static final long INSN = CODE + LONGEST;

  private final Libcapstone library;
  private final FlowDecoder flow;
  private final long handle;
  private final MemorySegment block;
  private final MemorySegment codePointer;
  private final MemorySegment codeSize;
  private final MemorySegment codeAddress;
  private final MemorySegment insn;

  NativeDisassembler(Libcapstone library, int arch, Syntax syntax, FlowDecoder flow) {
    this.library = library;
    this.flow = flow;
    this.block = Arena.ofAuto().allocate(INSN + Libcapstone.INSN_BYTES, 8);
    this.codePointer = block.asSlice(CODE_POINTER, 8);
    this.codeSize = block.asSlice(CODE_SIZE, 8);
    this.codeAddress = block.asSlice(CODE_ADDRESS, 8);
    this.insn = block.asSlice(INSN, Libcapstone.INSN_BYTES);
    this.handle = open(arch);
    CLEANER.register(this, new Closer(library, handle));
    if (arch == Libcapstone.ARCH_X86) {
      select(syntax);
    }
  }

  private long open(int arch) {
    int error;
    try {
      error =
          (int)
              library
                  .open()
                  .invokeExact(arch, arch == Libcapstone.ARCH_X86 ? MODE_64 : 0, codePointer);
    } catch (Throwable e) {
      throw Libcapstone.failed(e);
    }
    if (error != 0) {
      throw new UnsupportedException(
          library.file() + " was built without this architecture (error " + error + ")");
    }
    return codePointer.get(JAVA_LONG, 0);
  }

  private void select(Syntax syntax) {
    long value =
        switch (syntax) {
          case ATT -> OPT_SYNTAX_ATT;
          case INTEL -> OPT_SYNTAX_INTEL;
        };
    int error;
    try {
      error = (int) library.option().invokeExact(handle, OPT_SYNTAX, value);
    } catch (Throwable e) {
      throw Libcapstone.failed(e);
    }
    if (error != 0) {
      throw new UnsupportedException(
          library.file() + " was built without the " + syntax + " syntax (error " + error + ")");
    }
  }

  @Override
  public String description() {
    return "Capstone " + library.versionText() + ", the system's " + library.file();
  }

  @Override
  public Optional<Instruction> decode(byte[] code, int offset, int length, long address) {
    Objects.checkFromIndexSize(offset, length, code.length);
    int count = Math.min(length, LONGEST);
    codePointer.set(JAVA_LONG, 0, block.address() + CODE);
    codeSize.set(JAVA_LONG, 0, count);
    codeAddress.set(JAVA_LONG, 0, address);
    MemorySegment.copy(code, offset, block, JAVA_BYTE, CODE, count);
    boolean decoded;
    try {
      decoded =
          (boolean)
              library.disassemble().invokeExact(handle, codePointer, codeSize, codeAddress, insn);
    } catch (Throwable e) {
      throw Libcapstone.failed(e);
    }
    if (!decoded) {
      return Optional.empty();
    }
    int size = insn.get(JAVA_SHORT, Libcapstone.SIZE);
    var known = flow.decode(code, offset, offset + count, address).filter(f -> f.length() == size);
    return Optional.of(
        new Instruction(
            address,
            size,
            insn.getString(library.mnemonic()),
            insn.getString(library.operands()),
            known.map(Flow::target).orElse(OptionalLong.empty()),
            known.map(Flow::memory).orElse(OptionalLong.empty()),
            known.map(Flow::perCpu).orElse(OptionalLong.empty())));
  }

  private record Closer(Libcapstone library, long handle) implements Runnable {
    @Override
    public void run() {
      try (var arena = Arena.ofConfined()) {
        int ignored = (int) library.close().invokeExact(arena.allocateFrom(JAVA_LONG, handle));
      } catch (Throwable e) {
        throw Libcapstone.failed(e);
      }
    }
  }
}
