// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** A type with a qualifier. */
public final class QualifiedType implements CType {
  public enum Qualifier {
    CONST,
    VOLATILE,
    RESTRICT,
    ATOMIC
  }

  private final Qualifier qualifier;
  private final Lazy target;

  public QualifiedType(Qualifier qualifier, Supplier<CType> target) {
    this.qualifier = qualifier;
    this.target = new Lazy(target);
  }

  public Qualifier qualifier() {
    return qualifier;
  }

  public CType target() {
    return target.get();
  }

  @Override
  public long bytes() {
    return resolved().bytes();
  }

  @Override
  public String toString() {
    return text();
  }
}
