// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** A pointer, or a reference of C++, which is kept as one. */
public final class PointerType implements CType {
  /** How the pointer is declared. */
  public enum Kind {
    POINTER("*"),
    REFERENCE("&"),
    RVALUE_REFERENCE("&&");

    private final String sign;

    Kind(String sign) {
      this.sign = sign;
    }

    /** What declarations write in front of the name. */
    public String sign() {
      return sign;
    }
  }

  private final Kind kind;
  private final long bytes;
  private final Lazy target;

  /** A plain pointer. */
  public PointerType(long bytes, Supplier<CType> target) {
    this(Kind.POINTER, bytes, target);
  }

  public PointerType(Kind kind, long bytes, Supplier<CType> target) {
    this.kind = kind;
    this.bytes = bytes;
    this.target = new Lazy(target);
  }

  public Kind kind() {
    return kind;
  }

  /** Whether an expression that names it means what it leads to. */
  public boolean isReference() {
    return kind != Kind.POINTER;
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
