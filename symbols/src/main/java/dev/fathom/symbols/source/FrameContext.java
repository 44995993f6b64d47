// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.base.EvalException;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.BaseType;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.DwarfExpression;
import dev.fathom.format.dwarf.ExpressionContext;
import dev.fathom.format.dwarf.Location;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.format.dwarf.UnitLists;
import dev.fathom.model.source.FrameView;
import dev.fathom.model.source.Variable;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** What the expressions of a function's variables ask for, in one frame of it. */
final class FrameContext implements ExpressionContext {
  /** Callers that the value at a function's entry is looked for in, one after the other. */
  private static final int MAX_CALLERS = 16;

  // DW_ATE_*, DWARF 5, section 7.8.
  private static final int ATE_FLOAT = 0x04;
  private static final int ATE_SIGNED = 0x05;
  private static final int ATE_SIGNED_CHAR = 0x06;

  private static final int CALL_PARAMETER = 0x80; // DW_AT_call_parameter

  private final DwarfSource source;
  private final Unit unit;
  private final Die function;
  private final FrameView view;
  private final int depth;

  /**
   * @param function the entry of the function whose frame it is, not of an inlined one
   */
  FrameContext(DwarfSource source, Unit unit, Die function, FrameView view, int depth) {
    this.source = source;
    this.unit = unit;
    this.function = function;
    this.view = view;
    this.depth = depth;
  }

  @Override
  public long register(int number) {
    var register = source.registers().of(number);
    var value =
        register.isPresent() ? view.frame().registers().get(register.get()) : OptionalLong.empty();
    return value.orElseThrow(
        () -> new EvalException(source.registers().name(number) + " is not saved"));
  }

  @Override
  public long read(long address, int size) {
    return view.program().memory().unsigned(address, size);
  }

  @Override
  public long cfa() {
    return source.cfa(view);
  }

  @Override
  public long frameBase() {
    long pc = source.linked(view.frame().lookup());
    var base =
        UnitLists.location(function, At.FRAME_BASE)
            .flatMap(list -> list.at(pc))
            .orElseThrow(() -> new EvalException("the function has no frame base here"));
    return switch (base.locate(this)) {
      case Location.Memory(long address) -> address;
      case Location.InRegister(int number) -> register(number);
      case Location.StackValue(long bits, _) -> bits;
      case Location.Unavailable(String why) -> throw new EvalException(why);
      case Location.Implicit _,
          Location.ImplicitPointer _,
          Location.Composite _,
          Location.OptimisedOut _ ->
          throw new EvalException("the function's frame base is no address");
    };
  }

  @Override
  public long loaded(long address) {
    return source.loaded(address);
  }

  @Override
  public long address(long index) {
    return source.loaded(unit.indexedAddress(index));
  }

  @Override
  public long constant(long index) {
    return unit.indexedAddress(index);
  }

  @Override
  public long threadLocal(long offset) {
    long pc = view.frame().lookup();
    return view.program().threadLocal(pc, offset, view.frame().registers());
  }

  @Override
  public DwarfExpression called(long die, boolean inUnit) {
    var entry = inUnit ? unit.die(unit.offset() + die) : unit.dwarf().die(die);
    return UnitLists.location(entry, At.LOCATION)
        .flatMap(list -> list.at(source.linked(view.frame().lookup())))
        .orElseThrow(() -> new EvalException("what it is computed from is optimized out"));
  }

  @Override
  public long variable(long die) {
    return called(die, false).evaluate(this);
  }

  @Override
  public BaseType baseType(long die) {
    var entry = unit.die(unit.offset() + die);
    long size = entry.number(At.BYTE_SIZE).orElse(0);
    if (size < 1 || size > 8) {
      throw new EvalException("it is computed with numbers of " + size + " bytes");
    }
    var kind =
        switch ((int) entry.number(At.ENCODING).orElse(0)) {
          case ATE_FLOAT -> BaseType.Kind.FLOAT;
          case ATE_SIGNED, ATE_SIGNED_CHAR -> BaseType.Kind.SIGNED;
          default -> BaseType.Kind.UNSIGNED;
        };
    return new BaseType((int) size, kind);
  }

  @Override
  public long entryValue(DwarfExpression expression) {
    var register = expression.soleRegister();
    if (register.isEmpty()) {
      throw gone();
    }
    return entryValue(register, OptionalLong.empty());
  }

  @Override
  public long parameter(long die) {
    return entryValue(OptionalInt.empty(), OptionalLong.of(unit.offset() + die));
  }

  /** What the caller says that it passed in a register, or for a parameter. */
  private long entryValue(OptionalInt register, OptionalLong parameter) {
    var caller = view.caller().orElseThrow(FrameContext::gone);
    if (depth >= MAX_CALLERS || caller.frame().exact()) {
      throw gone();
    }
    long back = caller.frame().pc();
    var at = source.function(caller.frame().lookup());
    var site = at.flatMap(found -> source.callSite(found, back));
    if (site.isEmpty()) {
      throw gone();
    }
    var context = new FrameContext(source, at.get().unit(), at.get(), caller, depth + 1);
    if (!isOfThis(site.get(), context) || source.mayRepeat(function)) {
      throw gone();
    }
    for (var child = site.get().firstChild(); child.isPresent(); child = child.get().next()) {
      var die = child.get();
      if ((die.tag() == Tag.CALL_SITE_PARAMETER || die.tag() == Tag.GNU_CALL_SITE_PARAMETER)
          && (register.isPresent() ? passedIn(die, register) : passedFor(die, parameter))) {
        var value =
            UnitLists.expression(die, At.CALL_VALUE)
                .or(() -> UnitLists.expression(die, At.GNU_CALL_SITE_VALUE));
        if (value.isPresent()) {
          return value.get().evaluate(context);
        }
      }
    }
    throw gone();
  }

  /** Whether a call is surely of the function whose frame it is. */
  private boolean isOfThis(Die site, FrameContext caller) {
    var origin = site.reference(At.CALL_ORIGIN).or(() -> site.reference(At.ABSTRACT_ORIGIN));
    if (origin.isPresent()) {
      return source.same(origin.get(), function);
    }
    var target =
        UnitLists.expression(site, At.CALL_TARGET)
            .or(() -> UnitLists.expression(site, At.GNU_CALL_SITE_TARGET));
    try {
      return target.isPresent()
          && target.get().evaluate(caller) == source.loaded(source.entryOf(function));
    } catch (EvalException _) {
      return false; // what the call took the address from is lost, so any function may be called
    }
  }

  /** Nobody says what it was: the compiler counts on it not being needed. */
  private static EvalException gone() {
    return new EvalException(Variable.Gone.OPTIMISED_OUT);
  }

  private static boolean passedIn(Die parameter, OptionalInt register) {
    return UnitLists.expression(parameter, At.LOCATION)
        .map(e -> e.soleRegister().equals(register))
        .orElse(false);
  }

  private static boolean passedFor(Die parameter, OptionalLong offset) {
    return parameter
        .reference(CALL_PARAMETER)
        .or(() -> parameter.reference(At.ABSTRACT_ORIGIN))
        .map(die -> die.offset() == offset.orElse(-1))
        .orElse(false);
  }
}
