// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A way into a value as mdb users type it: {@code a.b}, {@code a->b}, {@code [3]}, {@code
 * a[2].b->c}. Pointers are followed where a member is asked for, whichever delimiter was typed.
 */
public final class MemberPath {
  private static final int STEP_LIMIT = 256;

  private sealed interface Step {}

  private record Name(String name) implements Step {}

  private record Index(long index) implements Step {}

  private final String text;
  private final List<Step> steps;

  private MemberPath(String text, List<Step> steps) {
    this.text = text;
    this.steps = steps;
  }

  /**
   * @param numbers turns the text between brackets into a number
   * @throws EvalException when {@code text} is no path
   */
  public static MemberPath parse(String text, java.util.function.ToLongFunction<String> numbers) {
    var steps = new ArrayList<Step>();
    int at = 0;
    while (at < text.length()) {
      if (steps.size() >= STEP_LIMIT) {
        throw new EvalException("member is longer than " + STEP_LIMIT + " steps");
      }
      char c = text.charAt(at);
      if (c == '[') {
        int end = text.indexOf(']', at);
        if (end < 0) {
          throw new EvalException("missing ']' in member " + text);
        }
        steps.add(new Index(numbers.applyAsLong(text.substring(at + 1, end))));
        at = end + 1;
        continue;
      }
      if (c == '.') {
        at++;
      } else if (text.startsWith("->", at)) {
        at += 2;
      }
      int start = at;
      while (at < text.length() && isNameCharacter(text.charAt(at))) {
        at++;
      }
      if (start == at) {
        throw new EvalException("illegal character in member " + text);
      }
      steps.add(new Name(text.substring(start, at)));
    }
    if (steps.isEmpty()) {
      throw new EvalException("empty member name");
    }
    return new MemberPath(text, List.copyOf(steps));
  }

  private static boolean isNameCharacter(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '_'
        || c == '$';
  }

  /** The path as typed, without a leading delimiter. */
  public String text() {
    if (text.startsWith("->")) {
      return text.substring(2);
    }
    return text.startsWith(".") ? text.substring(1) : text;
  }

  /** Whether the first step is a member of {@code type}. */
  public boolean startsIn(Value value) {
    return switch (steps.getFirst()) {
      case Name name -> value.has(name.name());
      case Index _ -> true;
    };
  }

  /**
   * The value at the path's end. Pointers on the way are read, the value itself is not.
   *
   * @param aliases other spellings of members, as in {@link
   *     dev.fathom.kernel.Kernel#memberAliases()}
   * @throws EvalException when there is no such member, or for an index outside of an array
   * @throws dev.fathom.base.FaultException when a pointer on the way cannot be read
   */
  public Value from(Value base, Map<String, String> aliases) {
    var value = base;
    for (var step : steps) {
      value =
          switch (step) {
            case Index index -> element(value, index.index());
            case Name name -> member(value, name.name(), aliases);
          };
    }
    return value;
  }

  private static Value element(Value value, long index) {
    if (value.type().resolved() instanceof ArrayType array && array.count().isPresent()) {
      long count = array.count().getAsLong();
      // An array of no or one element at a structure's end is an old way to write a flexible one.
      if (count > 1 && Long.compareUnsigned(index, count) >= 0) {
        throw new EvalException(
            "index " + index + " is outside of array bounds [0 .. " + (count - 1) + "]");
      }
    }
    return value.index(index);
  }

  private static Value member(Value value, String name, Map<String, String> aliases) {
    if (value.has(name)) {
      return value.member(name);
    }
    var type =
        value.type().resolved() instanceof PointerType pointer ? pointer.target() : value.type();
    var alias = alias(type, name, aliases);
    if (alias.isPresent() && value.has(alias.get())) {
      return value.member(alias.get());
    }
    throw new EvalException(
        "failed to find member "
            + name
            + " of "
            + type.text()
            + (type.resolved() instanceof CompositeType
                ? ": no such member of structure or union"
                : ": it is not a structure or union"));
  }

  private static Optional<String> alias(CType type, String name, Map<String, String> aliases) {
    return type.resolved() instanceof CompositeType composite
        ? Optional.ofNullable(aliases.get(composite.name() + "." + name))
        : Optional.empty();
  }
}
