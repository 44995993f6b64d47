// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** Another name for a type. */
public final class TypedefType extends AliasType {
  private final String name;

  public TypedefType(String name, Supplier<CType> target) {
    super(target);
    this.name = name;
  }

  public String name() {
    return name;
  }

  /**
   * Whether it stands for a pointer to a member of a class, which C++ has no other word for than
   * its declaration: {@code int Class::*}.
   */
  public boolean isMemberPointer() {
    return name.contains("::*");
  }

  @Override
  public String toString() {
    return name;
  }
}
