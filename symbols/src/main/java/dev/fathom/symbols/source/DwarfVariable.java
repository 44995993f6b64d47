// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.base.BadDataException;
import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.Readability;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Location;
import dev.fathom.format.dwarf.UnitLists;
import dev.fathom.model.Value;
import dev.fathom.model.source.FrameView;
import dev.fathom.model.source.SourceLine;
import dev.fathom.model.source.Variable;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalLong;

/** A variable by its entry. */
final class DwarfVariable implements Variable {
  /** The largest variable that is put together from pieces. */
  private static final int MAX_PIECES = 1 << 16;

  private final DwarfSource source;
  private final Die die;
  private final Die function;
  private final String name;
  private final int depth;
  private final boolean parameter;

  /**
   * @param function the entry of the function whose frame it is in, not of an inlined one
   */
  DwarfVariable(
      DwarfSource source, Die die, Die function, String name, int depth, boolean parameter) {
    this.source = source;
    this.die = die;
    this.function = function;
    this.name = name;
    this.depth = depth;
    this.parameter = parameter;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CType type() {
    return source.typeOf(die);
  }

  @Override
  public Optional<SourceLine> declared() {
    return source.declared(die);
  }

  @Override
  public int depth() {
    return depth;
  }

  private FrameContext context(FrameView frame) {
    return new FrameContext(source, die.unit(), function, frame, 0);
  }

  private Location locate(FrameView frame) {
    var list = UnitLists.location(die, At.LOCATION);
    var expression = list.flatMap(l -> l.at(source.linked(frame.frame().lookup())));
    return expression.isPresent()
        ? expression.get().locate(context(frame))
        : new Location.OptimisedOut();
  }

  @Override
  public String place(FrameView frame) {
    try {
      var constant = die.attribute(At.CONST_VALUE);
      if (constant.isEmpty()) {
        return text(locate(frame));
      }
      return constant.get().isBlock()
          ? "a constant"
          : "a constant with value " + constant.get().value();
    } catch (BadDataException e) {
      return e.getMessage();
    }
  }

  private String text(Location location) {
    return switch (location) {
      case Location.Memory(long address) ->
          "a variable in memory at 0x" + Long.toHexString(address);
      case Location.InRegister(int number) -> "a variable in $" + source.registers().name(number);
      case Location.Implicit _, Location.StackValue _ -> "a computed value";
      case Location.ImplicitPointer _ -> "a pointer to a variable that is not in memory";
      case Location.Composite composite -> "a variable in " + composite.pieces().size() + " pieces";
      case Location.OptimisedOut _ -> Gone.OPTIMISED_OUT;
      case Location.Unavailable(String why) ->
          "a variable whose place is known when the function runs (" + why + ")";
    };
  }

  @Override
  public Content in(FrameView frame) {
    try {
      var type = FrameArrays.sized(type(), die, (of, attribute) -> bound(frame, of, attribute));
      var constant = die.attribute(At.CONST_VALUE);
      if (constant.isPresent()) {
        return constant.get().isBlock()
            ? held(frame, type, new Location.Implicit(bytes(die)))
            : new Present(imm(frame, type, constant.get().value()));
      }
      var location = locate(frame);
      if (location instanceof Location.Memory(long address)) {
        return new Present(new Value.Ref(frame.program(), type, address));
      }
      if (location instanceof Location.OptimisedOut && parameter) {
        return atEntry(frame, type);
      }
      return held(frame, type, location);
    } catch (BadDataException e) {
      source.problem(e);
      return new Gone(e.getMessage());
    } catch (FathomException e) {
      return new Gone(e.getMessage());
    }
  }

  @Override
  public Optional<Value> atEntry(FrameView frame) {
    if (!parameter) {
      return Optional.empty();
    }
    try {
      return atEntry(frame, type()) instanceof AtEntry(Value value)
          ? Optional.of(value)
          : Optional.empty();
    } catch (BadDataException e) {
      source.problem(e);
      return Optional.empty();
    } catch (FathomException e) {
      return Optional.empty(); // What the caller computed it from is not there.
    }
  }

  /** A bound that the function keeps: by an expression or, as clang has it, as a variable. */
  private OptionalLong bound(FrameView frame, Die dimension, int attribute) {
    var value = dimension.attribute(attribute);
    if (value.isEmpty() || value.get().isConstant()) {
      return dimension.number(attribute);
    }
    var list = UnitLists.location(dimension, attribute);
    if (list.isPresent()) {
      var expression = list.get().at(source.linked(frame.frame().lookup()));
      return expression.isEmpty()
          ? OptionalLong.empty()
          : switch (expression.get().locate(context(frame))) {
            case Location.Memory(long number) -> OptionalLong.of(number);
            case Location.StackValue(long number, _) -> OptionalLong.of(number);
            default -> OptionalLong.empty();
          };
    }
    var kept = dimension.reference(attribute);
    return kept.isPresent()
            && source.typeOf(kept.get()).resolved() instanceof IntType
            && new DwarfVariable(source, kept.get(), function, "", 0, false).in(frame)
                instanceof Present(Value number)
        ? OptionalLong.of(number.asLong())
        : OptionalLong.empty();
  }

  private static byte[] bytes(Die die) {
    var block = die.block(At.CONST_VALUE).orElseThrow();
    return block.bytes(0, (int) Math.min(block.size(), MAX_PIECES));
  }

  private static Value imm(FrameView frame, CType type, long bits) {
    return new Value.Imm(frame.program(), type, bits);
  }

  /** What the caller passed, for a parameter that came in a register and is gone. */
  private Content atEntry(FrameView frame, CType type) {
    long size = type.bytes();
    var list = UnitLists.location(die, At.LOCATION);
    var ranges = UnitLists.ranges(function);
    if (list.isEmpty() || ranges.isEmpty() || size < 1 || size > 8) {
      return new Gone(Gone.OPTIMISED_OUT);
    }
    var entry = list.get().atEntry(ranges.getFirst().start());
    if (entry.isEmpty() || entry.get().soleRegister().isEmpty()) {
      return new Gone(Gone.OPTIMISED_OUT);
    }
    try {
      long bits = context(frame).entryValue(entry.get());
      var space = new PieceSpace(frame.program().memory().layout(), (int) size);
      number(space, 0, (int) size, bits);
      return new AtEntry(new Value.Ref(frame.program(), type, space, 0, 0, 0));
    } catch (EvalException e) {
      return new Gone(Gone.OPTIMISED_OUT); // The caller does not say either.
    }
  }

  private Content held(FrameView frame, CType type, Location location) {
    switch (location) {
      case Location.OptimisedOut _ -> {
        return new Gone(Gone.OPTIMISED_OUT);
      }
      case Location.Unavailable(String why) -> {
        return new Gone(why);
      }
      case Location.ImplicitPointer pointer -> {
        return implicitPointer(frame, type, pointer);
      }
      case Location.Memory _,
          Location.InRegister _,
          Location.Implicit _,
          Location.StackValue _,
          Location.Composite _ -> {}
    }
    long size = type.bytes();
    if (size < 1 || size > MAX_PIECES) {
      return new Gone("a variable of " + size + " bytes is not in memory");
    }
    var space = new PieceSpace(frame.program().memory().layout(), (int) size);
    if (location instanceof Location.Composite composite) {
      compose(frame, space, composite);
    } else {
      whole(frame, space, 0, (int) size, location);
    }
    if (space.gone()) {
      return new Gone(space.at(0).text());
    }
    return new Present(new Value.Ref(frame.program(), type, space, 0, 0, 0));
  }

  /**
   * A pointer to a variable that is not in memory: where that variable is in memory after all, its
   * address; else what it points to has no address, which is said.
   */
  private Content implicitPointer(FrameView frame, CType type, Location.ImplicitPointer pointer) {
    if (type.resolved() instanceof PointerType) {
      var target = die.unit().dwarf().die(pointer.die());
      var list = UnitLists.location(target, At.LOCATION);
      var expression = list.flatMap(l -> l.at(source.linked(frame.frame().lookup())));
      if (expression.isPresent()
          && expression.get().locate(context(frame)) instanceof Location.Memory(long address)) {
        return new Present(imm(frame, type, address + pointer.offset()));
      }
    }
    return new Gone("synthetic pointer");
  }

  private void compose(FrameView frame, PieceSpace space, Location.Composite composite) {
    long bit = 0;
    long total = space.size() * 8L;
    for (var piece : composite.pieces()) {
      long bits = Math.min(piece.bits(), total - bit);
      if (bits <= 0) {
        return;
      }
      if (bit % 8 == 0 && piece.bitOffset() == 0 && bits % 8 == 0) {
        whole(frame, space, (int) (bit / 8), (int) (bits / 8), piece.place());
      } else {
        bits(frame, space, bit, bits, piece);
      }
      bit += bits;
    }
  }

  /** Copies bits, the least significant first; only where the least significant byte is first. */
  private void bits(FrameView frame, PieceSpace space, long bit, long bits, Location.Piece piece) {
    int from = (int) Math.min((piece.bitOffset() + bits + 7) >> 3, MAX_PIECES);
    var part = new PieceSpace(space.layout(), from);
    whole(frame, part, 0, from, piece.place());
    for (long i = 0; i < bits; i++) {
      long at = piece.bitOffset() + i;
      int target = (int) ((bit + i) >> 3);
      var state = part.at(at >> 3);
      if (space.layout().order() != ByteOrder.LITTLE_ENDIAN) {
        space.missing(target, Readability.ERROR);
      } else if (state != Readability.READABLE) {
        space.missing(target, state);
      } else {
        space.putBit(bit + i, (part.unsigned(at >> 3, 1) >> (at & 7) & 1) != 0);
      }
    }
  }

  /** Puts {@code count} bytes from one place. */
  private void whole(FrameView frame, PieceSpace space, int at, int count, Location place) {
    switch (place) {
      case Location.Memory(long address) -> {
        var memory = frame.program().memory();
        var copy = new byte[count];
        int got = memory.read(address, java.lang.foreign.MemorySegment.ofArray(copy));
        for (int i = 0; i < count; i++) {
          if (i < got) {
            space.put(at + i, copy[i]);
          } else {
            space.missing(at + i, memory.at(address + i));
          }
        }
      }
      case Location.InRegister(int number) when source.registers().vector(number).isPresent() -> {
        int vector = source.registers().vector(number).getAsInt();
        var bytes = frame.frame().registers().vector(vector).orElse(new byte[0]);
        for (int i = 0; i < count; i++) {
          if (i < bytes.length) {
            space.put(at + i, bytes[i]);
          } else {
            space.missing(at + i, Readability.NOT_SAVED);
          }
        }
      }
      case Location.InRegister(int number) -> {
        var register = source.registers().of(number);
        var value =
            register.isPresent()
                ? frame.frame().registers().get(register.get())
                : OptionalLong.empty();
        if (value.isEmpty()) {
          missing(space, at, count, Readability.NOT_SAVED);
        } else {
          number(space, at, count, value.getAsLong());
        }
      }
      case Location.StackValue(long bits, _) -> number(space, at, count, bits);
      case Location.Implicit(byte[] bytes) -> {
        for (int i = 0; i < count && i < bytes.length; i++) {
          space.put(at + i, bytes[i]);
        }
      }
      case Location.ImplicitPointer _, Location.OptimisedOut _, Location.Composite _ ->
          missing(space, at, count, Readability.OPTIMISED_OUT);
      case Location.Unavailable _ -> missing(space, at, count, Readability.NOT_SAVED);
    }
  }

  private static void missing(PieceSpace space, int at, int count, Readability why) {
    for (int i = 0; i < count; i++) {
      space.missing(at + i, why);
    }
  }

  /** The low bytes of a number; what is wider than 64 bits is not known. */
  private static void number(PieceSpace space, int at, int count, long bits) {
    boolean little = space.layout().order() == ByteOrder.LITTLE_ENDIAN;
    int known = Math.min(count, 8);
    for (int i = 0; i < known; i++) {
      space.put(at + (little ? i : count - 1 - i), (byte) (bits >>> (8 * i)));
    }
    if (count > known) {
      missing(space, little ? at + known : at, count - known, Readability.NOT_SAVED);
    }
  }
}
