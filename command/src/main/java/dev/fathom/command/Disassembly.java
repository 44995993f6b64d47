// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Datum;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.arch.Code;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Disassemblers;
import dev.fathom.model.arch.Syntax;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
    return line(address, code, got, marked, withBytes);
  }

  private Line line(long address, byte[] code, int readable, boolean marked, boolean withBytes) {
    var found = disassembler.decode(code, 0, readable, address);
    int length = found.isPresent() ? found.get().length() : 1;
    Optional<String> comment = Optional.empty();
    var text = UNKNOWN;
    if (found.isPresent()) {
      var instruction = found.get();
      text = text(instruction.mnemonic(), instruction.operands());
      comment = name(instruction.target()).or(() -> name(instruction.memory()));
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
        : program.symbols().at(address.getAsLong()).map(located -> located.text());
  }

  /**
   * Instructions that have been found already.
   *
   * @param marked the address that is to be pointed out
   */
  public List<Line> lines(Code code, OptionalLong marked) {
    var lines = new ArrayList<Line>();
    for (var slot : code.slots()) {
      boolean isMarked = marked.isPresent() && marked.getAsLong() == slot.address();
      lines.add(line(slot.address(), slot.bytes(), slot.bytes().length, isMarked, false));
    }
    return lines;
  }
}
