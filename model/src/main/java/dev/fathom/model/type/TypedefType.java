// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/** Another name for a type. */
public final class TypedefType extends AliasType {
  private final String name;
  private final boolean memberPointer;

  public TypedefType(String name, Supplier<CType> target) {
    this(name, target, false);
  }

  private TypedefType(String name, Supplier<CType> target, boolean memberPointer) {
    super(target);
    this.name = name;
    this.memberPointer = memberPointer;
  }

  /**
   * A pointer to a member of a class.
   *
   * @param declaration such as {@code int Class::*}
   * @param target what it is made of
   */
  public static TypedefType memberPointer(String declaration, Supplier<CType> target) {
    return new TypedefType(declaration, target, true);
  }

  public String name() {
    return name;
  }

  /**
   * Whether it stands for a pointer to a member of a class, which C++ has no other word for than
   * its declaration: {@code int Class::*}.
   */
  public boolean isMemberPointer() {
    return memberPointer;
  }

  @Override
  public String toString() {
    return name;
  }
}
