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
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What operators of C++'s classes mean, as presenters know their objects: without a call. */
public final class PresentedParts {
  /** Elements that are passed on the way to one. */
  private static final int MOST_PASSED = 1 << 24;

  /** Elements that are passed before the user's wish to stop is looked for again. */
  private static final int PASSED_UNASKED = 1024;

  /** Bytes of a text. */
  private static final int MOST_BYTES = 1 << 16;

  /** Containers whose presenters show each element, and nothing else. */
  private static final Set<String> ROWS =
      Set.of(
          "std::array",
          "std::basic_string",
          "std::basic_string_view",
          "std::deque",
          "std::forward_list",
          "std::list",
          "std::map",
          "std::multimap",
          "std::multiset",
          "std::priority_queue",
          "std::queue",
          "std::set",
          "std::stack",
          "std::unordered_map",
          "std::unordered_multimap",
          "std::unordered_multiset",
          "std::unordered_set",
          "std::vector");

  private static final IntType COUNT = new IntType("unsigned long", Long.BYTES, false, false);

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
   * @param interrupt called now and then on a long way; throws when the user asked to stop
   * @throws EvalException when there is no such element
   */
  public static Optional<Value> element(Value.Ref container, Value index, Runnable interrupt) {
    var array = array(container);
    if (array.isPresent() && array.get().type().resolved() instanceof ArrayType type) {
      long number = number(index);
      if (number < 0 || number >= type.count().orElse(0)) {
        throw none(number);
      }
      return Optional.of(array.get().index(number));
    }
    return of(container).flatMap(shown -> element(container, shown, index, interrupt));
  }

  private static Optional<Value> element(
      Value.Ref container, Presentation shown, Value index, Runnable interrupt) {
    return switch (shown) {
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
            case LIST -> Optional.of(numbered(parts, number(index), interrupt));
            case MAP -> Optional.of(keyed(parts, number(index), interrupt));
            case FIELDS -> behind(parts, number(index));
            case SINGLE -> Optional.empty();
          };
      case Presentation.Stand _, Presentation.Words _ -> Optional.empty();
    };
  }

  /**
   * {@code container.size()}, {@code empty()}, {@code length()}, {@code front()} and {@code
   * back()}.
   *
   * @param interrupt called now and then on a long way; throws when the user asked to stop
   * @return empty for other methods, and for what is no container of the library
   * @throws EvalException when there is no such element
   */
  public static Optional<Value> method(Value.Ref container, String name, Runnable interrupt) {
    if (!(container.type().resolved() instanceof CompositeType type)
        || !ROWS.contains(Presenters.plainName(type.name()))) {
      return Optional.empty();
    }
    return switch (name) {
      case "size", "length" ->
          count(container, interrupt)
              .map(count -> new Value.Imm(container.program(), COUNT, count));
      case "empty" ->
          isEmpty(container).map(empty -> new Value.Imm(container.program(), COUNT, empty ? 1 : 0));
      case "front" -> edge(container, false, interrupt);
      case "back" -> edge(container, true, interrupt);
      default -> Optional.empty();
    };
  }

  private static Optional<Long> count(Value.Ref container, Runnable interrupt) {
    var array = array(container);
    if (array.isPresent() && array.get().type().resolved() instanceof ArrayType type) {
      return Optional.of(type.count().orElse(0));
    }
    return of(container)
        .flatMap(
            shown ->
                switch (shown) {
                  case Presentation.Text text -> Optional.of(text.count());
                  case Presentation.Parts parts -> passed(parts.parts(), interrupt);
                  case Presentation.Stand(_, Value.Ref inner) -> count(inner, interrupt);
                  case Presentation.Words _ -> Optional.of(0L); // "empty std::list"
                  case Presentation.Stand _ -> Optional.empty();
                });
  }

  private static Optional<Long> passed(Iterator<Presentation.Part> parts, Runnable interrupt) {
    long count = 0;
    for (; parts.hasNext(); count++) {
      if (count >= MOST_PASSED) {
        return Optional.empty();
      }
      look(interrupt, count);
      parts.next();
    }
    return Optional.of(count);
  }

  private static Optional<Boolean> isEmpty(Value.Ref container) {
    if (array(container).isPresent()) {
      return count(container, () -> {}).map(count -> count == 0);
    }
    return of(container)
        .flatMap(
            shown ->
                switch (shown) {
                  case Presentation.Text text -> Optional.of(text.count() == 0);
                  case Presentation.Parts parts -> Optional.of(!parts.parts().hasNext());
                  case Presentation.Stand(_, Value.Ref inner) -> isEmpty(inner);
                  case Presentation.Words _ -> Optional.of(true);
                  case Presentation.Stand _ -> Optional.empty();
                });
  }

  /** The first element, or the last. */
  private static Optional<Value> edge(Value.Ref container, boolean last, Runnable interrupt) {
    long at = 0;
    if (last) {
      var count = count(container, interrupt);
      if (count.isEmpty()) {
        return Optional.empty();
      }
      at = count.get() - 1;
    }
    if (at < 0 || isEmpty(container).orElse(false)) {
      throw new EvalException("there is no element: it is empty");
    }
    var index = new Value.Imm(container.program(), COUNT, at);
    if (array(container).isPresent()) {
      return element(container, index, interrupt);
    }
    long number = at;
    return of(container)
        .flatMap(
            shown ->
                switch (shown) {
                  case Presentation.Parts parts ->
                      Optional.of(numbered(parts.parts(), number, interrupt));
                  case Presentation.Stand(_, Value.Ref inner) -> edge(inner, last, interrupt);
                  default -> element(container, shown, index, interrupt);
                });
  }

  /** What a {@code std::array} is made of, in libstdc++ and libc++. */
  private static Optional<Value> array(Value.Ref object) {
    return object.type().resolved() instanceof CompositeType type
            && Presenters.plainName(type.name()).equals("std::array")
        ? Stream.of("_M_elems", "__elems_").filter(object::has).map(object::member).findFirst()
        : Optional.empty();
  }

  static Value numbered(Iterator<Presentation.Part> parts, long number, Runnable interrupt) {
    if (number < 0) {
      throw none(number);
    }
    for (long i = 0; i < MOST_PASSED && parts.hasNext(); i++) {
      look(interrupt, i);
      var part = parts.next();
      if (i == number) {
        return part.value();
      }
    }
    throw none(number);
  }

  static Value keyed(Iterator<Presentation.Part> parts, long key, Runnable interrupt) {
    for (long i = 0; i < MOST_PASSED && parts.hasNext(); i++) {
      look(interrupt, i);
      var part = parts.next();
      if (part.key().filter(at -> isKey(at, key)).isPresent()) {
        return part.value();
      }
    }
    throw none(key);
  }

  private static void look(Runnable interrupt, long passed) {
    if (passed % PASSED_UNASKED == 0) {
      interrupt.run();
    }
  }

  /** Whether a key is what a number becomes as one of its type. */
  private static boolean isKey(Value key, long number) {
    return switch (key.type().resolved()) {
      case BoolType _ -> key.asLong() == (number != 0 ? 1 : 0);
      case IntType i when i.bytes() > Long.BYTES ->
          key.asInteger().equals(BigInteger.valueOf(number));
      case IntType i -> key.asLong() == fit(number, i.bytes(), i.signed());
      case EnumType e -> key.asLong() == fit(number, e.bytes(), e.signed());
      default -> false;
    };
  }

  private static long fit(long number, long bytes, boolean signed) {
    int unused = (int) Math.max(0, Long.SIZE - Byte.SIZE * bytes);
    return signed ? number << unused >> unused : number << unused >>> unused;
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
    return of(object).flatMap(PresentedParts::pointee);
  }

  private static Optional<Value> pointee(Presentation shown) {
    return switch (shown) {
      case Presentation.Stand(_, Value value) -> Optional.of(value);
      case Presentation.Parts parts when parts.parts().hasNext() -> kept(parts.parts().next());
      default -> Optional.empty();
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
    return of(object)
        .flatMap(
            shown ->
                shown instanceof Presentation.Text text && text.unit().bytes() == 1
                    ? Optional.of(read(object, text))
                    : Optional.empty());
  }

  private static String read(Value.Ref object, Presentation.Text text) {
    int size = (int) Math.min(text.count(), MOST_BYTES);
    return new String(
        object.program().memory().bytes(text.address(), size), StandardCharsets.UTF_8);
  }
}
