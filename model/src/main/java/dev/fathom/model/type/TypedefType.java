// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** Another name for a type. */
public final class TypedefType implements CType {
  private final String name;
  private final Lazy target;

  public TypedefType(String name, Supplier<CType> target) {
    this.name = name;
    this.target = new Lazy(target);
  }

  public String name() {
    return name;
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
    return name;
  }
}
