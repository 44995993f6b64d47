// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** A type with a qualifier. */
public final class QualifiedType extends AliasType {
  public enum Qualifier {
    CONST,
    VOLATILE,
    RESTRICT,
    ATOMIC
  }

  private final Qualifier qualifier;

  public QualifiedType(Qualifier qualifier, Supplier<CType> target) {
    super(target);
    this.qualifier = qualifier;
  }

  public Qualifier qualifier() {
    return qualifier;
  }

  @Override
  public String toString() {
    return text();
  }
}
