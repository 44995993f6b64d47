// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.OptionalLong;
import java.util.function.Supplier;

/** An array; without a count it is a flexible array member or of unknown length. */
public final class ArrayType implements CType {
  private final Lazy element;
  private final OptionalLong count;

  public ArrayType(Supplier<CType> element, OptionalLong count) {
    this.element = new Lazy(element);
    this.count = count;
  }

  public CType element() {
    return element.get();
  }

  public OptionalLong count() {
    return count;
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
