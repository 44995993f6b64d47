// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.base.BadDataException;
import dev.fathom.base.EvalException;
import dev.fathom.format.dwarf.CallFrames;
import dev.fathom.format.dwarf.CfiRow;
import dev.fathom.format.dwarf.CfiRule;
import dev.fathom.format.dwarf.DwarfExpression;
import dev.fathom.format.dwarf.ExpressionContext;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.symbols.elf.Placement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Unwind rules from call frame information of one file, loaded anywhere. An entry that is malformed
 * counts as none and is remembered in {@link #problems}. Used by one thread.
 */
public final class CfiUnwindSource implements UnwindSource {
  /** Rows kept: a stack's functions come again on the next one. */
  private static final int KEPT = 4096;

  private static final int MAX_PROBLEMS = 16;

  private final String name;
  private final CallFrames frames;
  private final Architecture architecture;
  private final DwarfRegisters numbers;
  private final Placement placement;
  private final List<String> problems = new ArrayList<>();
  private final Map<Long, Optional<UnwindRow>> rows = new Kept();

  /**
   * @param name {@code cfi}, {@code cfi:libc.so.6}
   * @param slide what is added to the file's addresses where it is loaded
   */
  public CfiUnwindSource(String name, CallFrames frames, Architecture architecture, long slide) {
    this(name, frames, architecture, new Placement.Bias(slide));
  }

  /**
   * @param name {@code cfi}, {@code cfi:libc.so.6}
   * @param placement where the file is loaded
   */
  public CfiUnwindSource(
      String name, CallFrames frames, Architecture architecture, Placement placement) {
    this.name = name;
    this.frames = frames;
    this.architecture = architecture;
    this.placement = placement;
    numbers = new DwarfRegisters(architecture);
  }

  private static final class Kept extends LinkedHashMap<Long, Optional<UnwindRow>> {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<Long, Optional<UnwindRow>> eldest) {
      return size() > KEPT;
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Frame.How how() {
    return Frame.How.CFI;
  }

  /** What was found malformed so far, one line each, for the user. */
  public List<String> problems() {
    var all = new ArrayList<>(frames.problems());
    all.addAll(problems);
    return all;
  }

  @Override
  public Optional<UnwindRow> rowAt(long pc) {
    var known = rows.get(pc);
    if (known != null) {
      return known;
    }
    Optional<UnwindRow> row;
    try {
      var at = placement.toFile(pc);
      row = at.isPresent() ? frames.rowAt(at.getAsLong()).map(this::row) : Optional.empty();
    } catch (BadDataException e) {
      if (problems.size() < MAX_PROBLEMS) {
        problems.add(e.getMessage());
      }
      row = Optional.empty();
    }
    rows.put(pc, row);
    return row;
  }

  private UnwindRow row(CfiRow row) {
    var file = architecture.registers();
    var rules = new HashMap<Register, Rule>();
    for (var register : file.registers()) {
      if (!register.equals(file.sp()) && numbers.keptUnlessMentioned(register)) {
        rules.put(register, new Rule.Same());
      }
    }
    for (var entry : row.rules().entrySet()) {
      var register = numbers.of(entry.getKey());
      if (register.isPresent()) {
        rules.put(register.get(), rule(entry.getValue(), register.get()));
      }
    }
    var returnAddress = row.rule(row.returnAddress());
    if (returnAddress instanceof CfiRule.Undefined) {
      return new UnwindRow(new Rule.Undefined(), Map.of(), UnwindRow.Kind.END);
    }
    var column = numbers.of(row.returnAddress());
    var pc = pcRule(returnAddress, column);
    rules.put(file.pc(), row.signed() ? stripped(pc) : pc);
    return new UnwindRow(
        cfa(row.cfa()),
        rules,
        row.signalFrame() ? UnwindRow.Kind.INTERRUPTED : UnwindRow.Kind.CALL);
  }

  /** The caller's pc; where the return address is still in its register, that register's value. */
  private Rule pcRule(CfiRule rule, Optional<Register> column) {
    return switch (rule) {
      case CfiRule.Unspecified _, CfiRule.SameValue _ ->
          column.isPresent() && !column.get().equals(architecture.registers().pc())
              ? new Rule.RegPlus(column.get(), 0)
              : new Rule.Undefined();
      case CfiRule.Undefined _,
          CfiRule.Offset _,
          CfiRule.ValOffset _,
          CfiRule.InRegister _,
          CfiRule.AtExpression _,
          CfiRule.ValExpression _ ->
          rule(rule, architecture.registers().pc());
    };
  }

  private Rule cfa(CfiRow.Cfa cfa) {
    return switch (cfa) {
      case CfiRow.Cfa.RegisterOffset(int register, long offset) -> {
        var base = numbers.of(register);
        yield base.isPresent() ? new Rule.RegPlus(base.get(), offset) : new Rule.Undefined();
      }
      case CfiRow.Cfa.Computed(DwarfExpression expression) ->
          new Rule.Computed(new Computation(expression), false);
      case CfiRow.Cfa.Unknown() -> new Rule.Undefined();
    };
  }

  private Rule rule(CfiRule rule, Register register) {
    return switch (rule) {
      case CfiRule.Unspecified() ->
          numbers.keptUnlessMentioned(register) ? new Rule.Same() : new Rule.Undefined();
      case CfiRule.Undefined() -> new Rule.Undefined();
      case CfiRule.SameValue() -> new Rule.Same();
      case CfiRule.Offset(long offset) -> new Rule.AtCfa(offset);
      case CfiRule.ValOffset(long offset) -> new Rule.CfaPlus(offset);
      case CfiRule.InRegister(int number) -> {
        var other = numbers.of(number);
        yield other.isPresent() ? new Rule.RegPlus(other.get(), 0) : new Rule.Undefined();
      }
      case CfiRule.AtExpression(DwarfExpression expression) ->
          new Rule.Computed(new Computation(expression), true);
      case CfiRule.ValExpression(DwarfExpression expression) ->
          new Rule.Computed(new Computation(expression), false);
    };
  }

  /**
   * A return address without its signature, which is in the bits that an address does not use: bit
   * 55 says what those are worth (Arm Architecture Reference Manual, section D8.8).
   */
  private static Rule stripped(Rule rule) {
    return new Rule.Computed((frame, cfa, memory) -> strip(value(rule, frame, cfa, memory)), false);
  }

  private static long strip(long address) {
    long unused = -1L << 48;
    return (address & 1L << 55) != 0 ? address | unused : address & ~unused;
  }

  private static long value(Rule rule, Registers frame, OptionalLong cfa, Memory memory) {
    return switch (rule) {
      case Rule.AtCfa(long offset) -> memory.pointer(cfa.orElseThrow() + offset);
      case Rule.RegPlus(Register base, long offset) ->
          frame.get(base).orElseThrow(() -> new EvalException(base.name() + " is not known here"))
              + offset;
      case Rule.CfaPlus _,
          Rule.AtReg _,
          Rule.Computed _,
          Rule.Constant _,
          Rule.Same _,
          Rule.Undefined _ ->
          throw new EvalException("a signed return address is neither saved nor in a register");
    };
  }

  /** An expression over the registers and memory of a frame. */
  private final class Computation implements Rule.Computation {
    private final DwarfExpression expression;

    Computation(DwarfExpression expression) {
      this.expression = expression;
    }

    @Override
    public long value(Registers frame, OptionalLong cfa, Memory memory) {
      var context = new OfFrame(frame, memory);
      return cfa.isPresent()
          ? expression.evaluate(context, cfa.getAsLong())
          : expression.evaluate(context);
    }
  }

  private final class OfFrame implements ExpressionContext {
    private final Registers frame;
    private final Memory memory;

    OfFrame(Registers frame, Memory memory) {
      this.frame = frame;
      this.memory = memory;
    }

    @Override
    public long register(int number) {
      var register = numbers.of(number);
      var value = register.isPresent() ? frame.get(register.get()) : OptionalLong.empty();
      return value.orElseThrow(
          () -> new EvalException(numbers.name(number) + " is not known here"));
    }

    @Override
    public long read(long address, int size) {
      return memory.unsigned(address, size);
    }
  }
}
