// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * An array; without a count it is a flexible array member or of unknown length. Vectors of gcc and
 * clang ({@code vector_size}) are arrays that are values.
 */
public final class ArrayType implements CType {
  private final Lazy element;
  private final OptionalLong count;
  private final boolean vector;

  public ArrayType(Supplier<CType> element, OptionalLong count) {
    this(element, count, false);
  }

  private ArrayType(Supplier<CType> element, OptionalLong count, boolean vector) {
    this.element = new Lazy(element);
    this.count = count;
    this.vector = vector;
  }

  /** A vector: it has the elements of an array, and is copied and passed as a whole. */
  public static ArrayType vector(Supplier<CType> element, OptionalLong count) {
    return new ArrayType(element, count, true);
  }

  /** Whether it is a vector, and thus a value. */
  public boolean isVector() {
    return vector;
  }

  public CType element() {
    return element.get();
  }

  public OptionalLong count() {
    return count;
  }

  /** Whether it is known how many elements it has, and those that are arrays. */
  public boolean isSized() {
    return count.isPresent() && (!(element().resolved() instanceof ArrayType a) || a.isSized());
  }

  /** Element size times count, saturating at {@link Long#MAX_VALUE}. */
  @Override
  public long bytes() {
    long n = count.orElse(0);
    long size = n == 0 ? 0 : element().bytes();
    long high = Math.multiplyHigh(n, size);
    return high != 0 || n * size < 0 ? Long.MAX_VALUE : n * size;
  }

  @Override
  public String toString() {
    return text();
  }
}
