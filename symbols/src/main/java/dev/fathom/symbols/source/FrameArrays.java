// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import java.util.ArrayList;
import java.util.OptionalLong;

/** Arrays whose sizes are known only in a frame: C's arrays of variable length. */
final class FrameArrays {
  private static final int MAX_DIMENSIONS = 64;

  /** More elements than any stack has. */
  private static final long MAX_COUNT = 1L << 40;

  /** Computes a bound in a frame. */
  interface Bounds {
    /** The number that an attribute of a dimension stands for; empty when it is not known. */
    OptionalLong of(Die dimension, int attribute);
  }

  private FrameArrays() {}

  /**
   * The type of a variable with the sizes that its dimensions have; itself where it is no such
   * array, or one of the sizes is not known.
   *
   * @param variable names the type
   */
  static CType sized(CType type, Die variable, Bounds bounds) {
    if (!(type.resolved() instanceof ArrayType array) || array.isSized()) {
      return type;
    }
    var counts = new ArrayList<Long>();
    CType element = array;
    for (var dimension : array(variable).children()) {
      if (dimension.tag() != Tag.SUBRANGE_TYPE || counts.size() == MAX_DIMENSIONS) {
        continue;
      }
      if (!(element.resolved() instanceof ArrayType outer)) {
        return type;
      }
      var count = outer.count().isPresent() ? outer.count() : count(dimension, bounds);
      if (count.isEmpty()) {
        return type;
      }
      counts.add(count.getAsLong());
      element = outer.element();
    }
    for (long count : counts.reversed()) {
      CType inner = element;
      element = new ArrayType(() -> inner, OptionalLong.of(count));
    }
    return element;
  }

  /** The entry of the array that a variable is, behind the names and qualifiers of its type. */
  private static Die array(Die variable) {
    var at = variable;
    for (int i = 0; i < MAX_DIMENSIONS; i++) {
      var next = at.owner(At.TYPE).flatMap(owner -> owner.reference(At.TYPE));
      if (next.isEmpty()) {
        return at;
      }
      at = next.get();
      if (at.tag() == Tag.ARRAY_TYPE) {
        return at;
      }
    }
    return at;
  }

  private static OptionalLong count(Die dimension, Bounds bounds) {
    boolean counted = dimension.has(At.COUNT);
    var bound = bounds.of(dimension, counted ? At.COUNT : At.UPPER_BOUND);
    if (bound.isEmpty()) {
      return bound;
    }
    long lower = counted ? 1 : dimension.number(At.LOWER_BOUND).orElse(0);
    long count = bound.getAsLong() - lower + 1;
    return count < 0 || count > MAX_COUNT ? OptionalLong.empty() : OptionalLong.of(count);
  }
}
