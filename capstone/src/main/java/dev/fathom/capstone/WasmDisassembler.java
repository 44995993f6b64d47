// SPDX-License-Identifier: Apache-2.0
package dev.fathom.capstone;

import dev.fathom.base.UnsupportedException;
import dev.fathom.capstone.wasm.CapstoneMachine;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowDecoder;
import dev.fathom.model.arch.Instruction;
import dev.fathom.model.arch.Syntax;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import run.endive.runtime.ByteArrayMemory;
import run.endive.runtime.ExportFunction;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Instance;
import run.endive.runtime.Memory;
import run.endive.wasm.WasmEngineException;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.ValType;

/**
 * Capstone's C interface (capstone.h) inside its WebAssembly build. The build minifies the names of
 * imports and exports; {@link Export} has those of the one version that the checksum in pom.xml
 * admits.
 *
 * <p>What an instruction says about control flow and memory comes from Fathom's own decoder, which
 * is checked against objdump; Capstone gives the text.
 */
final class WasmDisassembler implements Disassembler {
  /** {@code cs_arch}. */
  static final int ARCH_ARM64 = 1;

  static final int ARCH_X86 = 3;

  /** {@code cs_mode}. */
  static final int MODE_LITTLE_ENDIAN = 0;

  static final int MODE_64 = 1 << 3;

  /** {@code cs_opt_type} and {@code cs_opt_value}. */
  private static final int OPT_SYNTAX = 1;

  private static final int OPT_SYNTAX_INTEL = 1;
  private static final int OPT_SYNTAX_ATT = 2;

  /** {@code struct cs_insn} of Capstone 5 for a 32-bit machine. */
  private static final int INSN_SIZE = 16;

  private static final int INSN_MNEMONIC = 42;
  private static final int INSN_OPERANDS = 74;

  /** The arguments of {@code cs_disasm_iter} that it changes, and the code; one block of memory. */
  private static final int BLOCK_CODE_POINTER = 0;

  private static final int BLOCK_SIZE = 4;
  private static final int BLOCK_ADDRESS = 8;
  private static final int BLOCK_CODE = 16;
  private static final int LONGEST = 16;

  /** Emscripten's {@code errno} for a call that is not there. */
  private static final long ENOSYS = 52;

  private static final ValType I32 = ValType.I32;

  private final int arch;
  private final int mode;
  private final Syntax syntax;
  private final FlowDecoder flow;
  private final WasmProgram program;
  private final String description;

  private Memory memory;
  private ExportFunction disassemble;
  private long handle;
  private int block;
  private long insn;

  WasmDisassembler(int arch, int mode, Syntax syntax, FlowDecoder flow) {
    this.arch = arch;
    this.mode = mode;
    this.syntax = syntax;
    this.flow = flow;
    this.program = WasmProgram.load(CapstoneMachine.class, "Capstone.meta");
    var instance = start();
    long version = instance.export(Export.VERSION).apply(0, 0)[0];
    this.description = "Capstone " + (version >> 8 & 0xff) + "." + (version & 0xff) + ", built in";
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public Optional<Instruction> decode(byte[] code, int offset, int length, long address) {
    Objects.checkFromIndexSize(offset, length, code.length);
    int count = Math.min(length, LONGEST);
    boolean decoded;
    try {
      memory.writeI32(block + BLOCK_CODE_POINTER, block + BLOCK_CODE);
      memory.writeI32(block + BLOCK_SIZE, count);
      memory.writeLong(block + BLOCK_ADDRESS, address);
      memory.write(block + BLOCK_CODE, code, offset, count);
      decoded =
          disassemble
                  .apply(
                      handle,
                      block + BLOCK_CODE_POINTER,
                      block + BLOCK_SIZE,
                      block + BLOCK_ADDRESS,
                      insn)[0]
              != 0;
    } catch (WasmEngineException e) {
      // A trap leaves the program's memory in an unknown state: these bytes are its end.
      start();
      throw new UnsupportedException(
          description
              + " failed on the bytes at 0x"
              + Long.toHexString(address)
              + ": "
              + e.getMessage());
    }
    if (!decoded) {
      return Optional.empty();
    }
    int size = memory.readShort((int) insn + INSN_SIZE);
    var known = flow.decode(code, offset, offset + count, address).filter(f -> f.length() == size);
    return Optional.of(
        new Instruction(
            address,
            size,
            memory.readCString((int) insn + INSN_MNEMONIC),
            memory.readCString((int) insn + INSN_OPERANDS),
            known.map(Flow::target).orElse(OptionalLong.empty()),
            known.map(Flow::memory).orElse(OptionalLong.empty()),
            known.map(Flow::perCpu).orElse(OptionalLong.empty())));
  }

  /** Starts the program afresh and opens a handle. */
  private Instance start() {
    var instance =
        Instance.builder(program.module())
            .withImportValues(imports())
            .withMemoryFactory(ByteArrayMemory::new)
            .withMachineFactory(CapstoneMachine::new)
            .build();
    memory = instance.memory();
    program.initialize(memory);
    instance.export(Export.CONSTRUCTORS).apply();
    block = (int) instance.export(Export.MALLOC).apply(BLOCK_CODE + LONGEST)[0];
    long error = instance.export(Export.OPEN).apply(arch, mode, block)[0];
    if (block == 0 || error != 0) {
      throw new UnsupportedException("the built-in Capstone cannot start: error " + error);
    }
    handle = memory.readInt(block);
    if (arch == ARCH_X86) {
      int value =
          switch (syntax) {
            case ATT -> OPT_SYNTAX_ATT;
            case INTEL -> OPT_SYNTAX_INTEL;
          };
      instance.export(Export.OPTION).apply(handle, OPT_SYNTAX, value);
    }
    insn = instance.export(Export.INSN_MALLOC).apply(handle)[0];
    disassemble = instance.export(Export.DISASM_ITER);
    return instance;
  }

  /** What Emscripten's C library asks of its host: output, of which there is none, and memory. */
  private static ImportValues imports() {
    return ImportValues.builder()
        .addFunction(
            new HostFunction(
                "a",
                "a",
                FunctionType.of(List.of(I32, I32, I32, I32), List.of(I32)),
                (_, _) -> new long[] {ENOSYS}),
            new HostFunction(
                "a",
                "b",
                FunctionType.of(List.of(I32), List.of(I32)),
                (instance, arguments) -> new long[] {resize(instance.memory(), arguments[0])}),
            new HostFunction(
                "a",
                "c",
                FunctionType.of(List.of(I32), List.of(I32)),
                (_, _) -> new long[] {ENOSYS}))
        .build();
  }

  /** {@code emscripten_resize_heap}: 1 when the memory now has {@code bytes}. */
  private static long resize(Memory memory, long bytes) {
    long pages = (Integer.toUnsignedLong((int) bytes) + Memory.PAGE_SIZE - 1) / Memory.PAGE_SIZE;
    long more = pages - memory.pages();
    return more <= 0 || memory.grow((int) more) >= 0 ? 1 : 0;
  }

  /** The minified names of the exports. */
  private static final class Export {
    static final String CONSTRUCTORS = "e";
    static final String VERSION = "f";
    static final String OPEN = "j";
    static final String OPTION = "l";
    static final String INSN_MALLOC = "o";
    static final String DISASM_ITER = "p";
    static final String MALLOC = "z";

    private Export() {}
  }
}
