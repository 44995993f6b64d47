// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** A pointer. */
public final class PointerType implements CType {
  private final long bytes;
  private final Lazy target;

  public PointerType(long bytes, Supplier<CType> target) {
    this.bytes = bytes;
    this.target = new Lazy(target);
  }

  @Override
  public long bytes() {
    return bytes;
  }

  public CType target() {
    return target.get();
  }

  @Override
  public String toString() {
    return text();
  }
}
