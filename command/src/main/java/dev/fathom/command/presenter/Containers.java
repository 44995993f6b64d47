// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.IntType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/** How containers are shown whose members both C++ libraries have, by other names. */
public final class Containers {
  private static final IntType INT = new IntType("int", 4, true, false);

  /** Bits of a {@code std::bitset} that are looked at. */
  private static final long MOST_BITS = 1 << 16;

  /** More alternatives than a {@code std::variant} has. */
  private static final int MOST_ALTERNATIVES = 1000;

  private Containers() {}

  /**
   * {@code std::vector} of anything but bits: elements from {@code start} to {@code finish} in
   * storage up to {@code end}; empty where the elements have no size.
   */
  public static Optional<Presentation> vector(
      Value.Ref object, CompositeType type, long start, long finish, long end) {
    var element = Parts.typeArgument(type, 0);
    long size = element.bytes();
    if (size <= 0) {
      return Optional.empty();
    }
    if (Long.compareUnsigned(start, finish) > 0
        || Long.compareUnsigned(finish, end) > 0
        || Long.remainderUnsigned(finish - start, size) != 0) {
      throw Parts.damaged(
          type,
          object.address(),
          "elements of %d bytes from 0x%x to 0x%x in storage up to 0x%x"
              .formatted(size, start, finish, end));
    }
    long count = Long.divideUnsigned(finish - start, size);
    long capacity = Long.divideUnsigned(end - start, size);
    return Optional.of(
        Presentation.list(
            "std::vector of length %d, capacity %d".formatted(count, capacity),
            Parts.row(object.program(), element, start, count)));
  }

  /**
   * {@code std::bitset}: the numbers of the bits that are set.
   *
   * @param member the word or the array of words that has them
   */
  public static Presentation bitset(Value.Ref object, CompositeType type, String member) {
    long count = Parts.argument(type, 0).value().orElse(0);
    var parts = new ArrayList<Presentation.Part>();
    if (count > 0) {
      var words = object.member(member);
      boolean many = words.type().resolved() instanceof ArrayType;
      long wordBits = 8 * (many ? words.index(0).type().bytes() : words.type().bytes());
      for (long i = 0; i < Math.min(count, MOST_BITS); i++) {
        long word = many ? words.index(i / wordBits).asLong() : words.asLong();
        if ((word >>> i % wordBits & 1) != 0) {
          parts.add(
              Presentation.Part.named("[" + i + "]", new Value.Imm(object.program(), INT, 1)));
        }
      }
    }
    return Presentation.fields("std::bitset", parts);
  }

  /**
   * {@code std::variant}: the alternative that it holds.
   *
   * @param index which that is; the greatest number of its type for none
   * @param alternative the value of the one of that number
   */
  public static Presentation variant(
      Value.Ref object, CompositeType type, Value index, IntFunction<Value> alternative) {
    List<CType> kinds = type.templateArguments().stream().map(a -> a.type()).toList();
    var kind =
        "std::variant<" + kinds.stream().map(Parts::brief).collect(Collectors.joining(", ")) + ">";
    long at = index.asLong();
    if (at == -1 || (index.type().bytes() < 8 && at == (1L << (8 * index.type().bytes())) - 1)) {
      return new Presentation.Words(kind + " [no contained value]");
    }
    if (at < 0 || at >= kinds.size() || at > MOST_ALTERNATIVES) {
      throw Parts.damaged(
          type, object.address(), "index " + at + " of " + kinds.size() + " alternatives");
    }
    var value = alternative.apply((int) at).as(kinds.get((int) at));
    return Presentation.list(
        kind + " [index " + at + "]", List.of(Presentation.Part.of(value)).iterator());
  }
}
