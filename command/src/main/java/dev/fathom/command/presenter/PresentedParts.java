// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Optional;
import java.util.stream.Stream;

/** What operators of C++'s classes mean, as presenters know their objects: without a call. */
public final class PresentedParts {
  /** Elements that are passed on the way to one. */
  private static final int MOST_PASSED = 1 << 24;

  /** Bytes of a text. */
  private static final int MOST_BYTES = 1 << 16;

  /** What presenters call the pointer that is kept, and what is kept in place. */
  private static final String POINTER = "get()";

  private static final String CONTAINED = "[contained value]";

  private PresentedParts() {}

  private static Optional<Presentation> of(Value.Ref object) {
    return object.type().resolved() instanceof CompositeType type
        ? Presenters.installed().of(object, type)
        : Optional.empty();
  }

  /**
   * {@code container[index]}: of a row by number, of a map by key where that is a number.
   *
   * @throws EvalException when there is no such element
   */
  public static Optional<Value> element(Value.Ref container, Value index) {
    var array = array(container);
    if (array.isPresent() && array.get().type().resolved() instanceof ArrayType type) {
      long number = number(index);
      if (number < 0 || number >= type.count().orElse(0)) {
        throw none(number);
      }
      return Optional.of(array.get().index(number));
    }
    return switch (of(container).orElse(null)) {
      case Presentation.Text text -> {
        long number = number(index);
        if (number < 0 || number > text.count()) { // a zero follows
          throw none(number);
        }
        long at = text.address() + number * text.unit().bytes();
        yield Optional.of(new Value.Ref(container.program(), text.unit(), at));
      }
      case Presentation.Parts(_, Datum.Form form, Iterator<Presentation.Part> parts) ->
          switch (form) {
            case LIST -> Optional.of(numbered(parts, number(index)));
            case MAP -> Optional.of(keyed(parts, number(index)));
            case FIELDS -> behind(parts, number(index));
            case SINGLE -> Optional.empty();
          };
      case null, default -> Optional.empty();
    };
  }

  /** What a {@code std::array} is made of, in libstdc++ and libc++. */
  private static Optional<Value> array(Value.Ref object) {
    return object.type().resolved() instanceof CompositeType type
            && Presenters.plainName(type.name()).equals("std::array")
        ? Stream.of("_M_elems", "__elems_").filter(object::has).map(object::member).findFirst()
        : Optional.empty();
  }

  private static Value numbered(Iterator<Presentation.Part> parts, long number) {
    for (long i = 0; i < MOST_PASSED && parts.hasNext(); i++) {
      var part = parts.next();
      if (i == number) {
        return part.value();
      }
    }
    throw none(number);
  }

  private static Value keyed(Iterator<Presentation.Part> parts, long key) {
    for (long i = 0; i < MOST_PASSED && parts.hasNext(); i++) {
      var part = parts.next();
      if (part.key().filter(at -> isNumber(at) && at.asLong() == key).isPresent()) {
        return part.value();
      }
    }
    throw none(key);
  }

  /** Of a smart pointer to an array. */
  private static Optional<Value> behind(Iterator<Presentation.Part> parts, long number) {
    return parts.hasNext()
        ? pointer(parts.next()).map(pointer -> pointer.index(number))
        : Optional.empty();
  }

  private static EvalException none(long index) {
    return new EvalException("there is no element [" + index + "]");
  }

  private static long number(Value index) {
    if (!isNumber(index)) {
      throw new EvalException(
          "elements are found by a number only, not by '" + index.type().text() + "'");
    }
    return index.asLong();
  }

  private static boolean isNumber(Value value) {
    return switch (value.type().resolved()) {
      case IntType _, EnumType _, BoolType _ -> true;
      default -> false;
    };
  }

  /** {@code *object}, of smart pointers, iterators and what holds one value or none. */
  public static Optional<Value> pointee(Value.Ref object) {
    return switch (of(object).orElse(null)) {
      case Presentation.Stand(_, Value value) -> Optional.of(value);
      case Presentation.Parts parts when parts.parts().hasNext() -> kept(parts.parts().next());
      case null, default -> Optional.empty();
    };
  }

  private static Optional<Value> kept(Presentation.Part part) {
    return part.name().equals(Optional.of(CONTAINED))
        ? Optional.of(part.value())
        : pointer(part).map(Value::deref);
  }

  private static Optional<Value> pointer(Presentation.Part part) {
    return part.name().equals(Optional.of(POINTER))
            && part.value().type().resolved() instanceof PointerType
        ? Optional.of(part.value())
        : Optional.empty();
  }

  /** The text of a string of bytes, as UTF-8. */
  public static Optional<String> text(Value.Ref object) {
    return of(object).orElse(null) instanceof Presentation.Text text && text.unit().bytes() == 1
        ? Optional.of(read(object, text))
        : Optional.empty();
  }

  private static String read(Value.Ref object, Presentation.Text text) {
    int size = (int) Math.min(text.count(), MOST_BYTES);
    return new String(
        object.program().memory().bytes(text.address(), size), StandardCharsets.UTF_8);
  }
}
