// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Datum;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Disassemblers;
import dev.fathom.model.arch.Syntax;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Instructions of a program as what commands show. */
public final class Disassembly {
  /** More than the longest instruction of any architecture takes. */
  private static final int WINDOW = 16;

  private static final String UNKNOWN = "***ERROR--unknown op code***";

  /** An instruction, or one byte that is none. */
  public record Line(long address, int length, Datum.Instruction instruction) {}

  private final Program program;
  private final Disassembler disassembler;

  public Disassembly(Program program, Disassembler disassembler) {
    this.program = program;
    this.disassembler = disassembler;
  }

  /** With the best disassembler that is installed for the program's architecture. */
  public static Disassembly of(Program program) {
    return new Disassembly(
        program, Disassemblers.installed().create(program.architecture().name(), Syntax.ATT));
  }

  public Disassembler disassembler() {
    return disassembler;
  }

  /**
   * The instruction at {@code address} of {@code memory}.
   *
   * @param marked whether it is to be pointed out
   * @param withBytes whether its machine code is to be shown
   * @throws dev.fathom.base.FaultException when its first byte cannot be read
   */
  public Line at(Memory memory, long address, boolean marked, boolean withBytes) {
    var code = new byte[WINDOW];
    int got = memory.read(address, MemorySegment.ofArray(code));
    if (got == 0) {
      throw memory.fault(address);
    }
    var found = disassembler.decode(code, 0, got, address);
    int length = found.isPresent() ? found.get().length() : 1;
    Optional<String> comment = Optional.empty();
    var text = UNKNOWN;
    if (found.isPresent()) {
      var instruction = found.get();
      text = text(instruction.mnemonic(), instruction.operands());
      comment =
          name(instruction.target())
              .or(() -> name(instruction.memory()))
              .or(() -> perCpu(instruction.perCpu()));
    }
    return new Line(
        address,
        length,
        new Datum.Instruction(
            address,
            program.symbols().text(address),
            Arrays.copyOf(code, length),
            withBytes,
            text,
            comment,
            marked));
  }

  private static String text(String mnemonic, String operands) {
    if (operands.isEmpty()) {
      return mnemonic;
    }
    return mnemonic + " ".repeat(Math.max(1, 7 - mnemonic.length())) + operands;
  }

  private Optional<String> name(OptionalLong address) {
    return address.isEmpty()
        ? Optional.empty()
        : program.symbols().at(address.getAsLong()).map(Located::text);
  }

  private Optional<String> perCpu(OptionalLong offset) {
    return offset.isEmpty()
        ? Optional.empty()
        : program.symbols().perCpuAt(offset.getAsLong()).map(Located::text);
  }

  /**
   * The start of the instruction that ends at {@code address}: from the start of its function where
   * there is one, else the likeliest one.
   *
   * @throws dev.fathom.base.FaultException when the memory before it cannot be read
   */
  public OptionalLong before(Memory memory, long address) {
    var located = program.symbols().at(address - 1);
    if (located.isPresent() && Long.compareUnsigned(located.get().offset(), 1 << 20) < 0) {
      return OptionalLong.of(fromStart(memory, address - 1 - located.get().offset(), address));
    }
    int reach = program.architecture().flowDecoder().longest() * 7;
    var code = new byte[reach];
    memory.readFully(address - reach, MemorySegment.ofArray(code));
    OptionalInt length = program.architecture().flowDecoder().lengthBefore(code, reach, address);
    return length.isPresent() ? OptionalLong.of(address - length.getAsInt()) : OptionalLong.empty();
  }

  private long fromStart(Memory memory, long start, long end) {
    int size = (int) (end - start);
    var code = new byte[size];
    memory.readFully(start, MemorySegment.ofArray(code));
    var decoder = program.architecture().flowDecoder();
    int at = 0;
    int last = 0;
    while (at < size) {
      var flow = decoder.decode(code, at, size, start + at);
      last = at;
      at += flow.isPresent() ? flow.get().length() : 1;
    }
    return start + last;
  }
}
