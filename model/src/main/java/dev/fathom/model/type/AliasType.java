// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** A type that stands for another: by a name or with a qualifier. */
public abstract sealed class AliasType implements CType permits QualifiedType, TypedefType {
  private final Lazy target;

  AliasType(Supplier<CType> target) {
    this.target = new Lazy(target);
  }

  /** The type that it stands for, which may be another such. */
  public final CType target() {
    return target.get();
  }

  @Override
  public final long bytes() {
    return resolved().bytes();
  }
}
