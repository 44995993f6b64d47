// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Another name for a type. */
public final class TypedefType extends AliasType {
  /** Names of one type that are followed; types of hostile data name themselves. */
  private static final int MAX_NAMES = 64;

  private final String name;
  private final Optional<MemberPointer> memberPointer;

  /**
   * What a pointer to a member of a class leads to.
   *
   * @param owner the class
   * @param member the type of the member; of a function, whose first parameter is the object
   */
  public record MemberPointer(CType owner, CType member) {}

  public TypedefType(String name, Supplier<CType> target) {
    this(name, target, Optional.empty());
  }

  private TypedefType(String name, Supplier<CType> target, Optional<MemberPointer> memberPointer) {
    super(target);
    this.name = name;
    this.memberPointer = memberPointer;
  }

  /**
   * The type of a pointer to a member of a class, which C++ has no other word for than its
   * declaration: {@code int Class::*}. It is made of a number, the member's offset or -1; that of a
   * function of two, {@code __pfn} and {@code __delta} (Itanium C++ ABI, section 2.3).
   *
   * @param word the size of a pointer in bytes
   */
  public static TypedefType memberPointer(CType owner, CType member, long word) {
    var scope = plainName(owner) + "::*";
    var number = new IntType("long", word, true, false);
    var to = Optional.of(new MemberPointer(owner, member));
    if (!(member instanceof FunctionType function)) {
      return new TypedefType(member.declare(scope), () -> number, to);
    }
    var parts =
        List.of(
            new Member("__pfn", new PointerType(word, () -> function), 0, 0),
            new Member("__delta", number, 8 * word, 0));
    return new TypedefType(
        withConstantObject(function).declare("(" + scope + ")"),
        () -> new CompositeType(CompositeType.Kind.STRUCT, "", 2 * word, () -> parts),
        to);
  }

  /** As gdb writes it: the pointer to the object never changes, which gcc does not always tell. */
  private static FunctionType withConstantObject(FunctionType function) {
    var all = new ArrayList<>(function.parameters());
    if (!all.isEmpty() && all.getFirst().type() instanceof PointerType pointer) {
      var constant = new QualifiedType(QualifiedType.Qualifier.CONST, () -> pointer);
      all.set(0, new FunctionType.Parameter(all.getFirst().name(), constant));
    }
    return new FunctionType(function::result, () -> all, function.variadic());
  }

  private static String plainName(CType type) {
    return switch (type) {
      case CompositeType c -> c.name();
      case TypedefType t -> t.name();
      case VoidType _ -> "";
      default -> type.text();
    };
  }

  public String name() {
    return name;
  }

  /** What it leads to, if it stands for a pointer to a member of a class. */
  public Optional<MemberPointer> memberPointer() {
    return memberPointer;
  }

  /** Whether it stands for a pointer to a member of a class. */
  public boolean isMemberPointer() {
    return memberPointer.isPresent();
  }

  /** The pointer to a member of a class that a type is another name for, qualified or not. */
  public static Optional<TypedefType> memberPointerOf(CType type) {
    var at = type;
    for (int i = 0; i < MAX_NAMES && at instanceof AliasType alias; i++) {
      if (alias instanceof TypedefType t && t.isMemberPointer()) {
        return Optional.of(t);
      }
      at = alias.target();
    }
    return Optional.empty();
  }

  @Override
  public String toString() {
    return name;
  }
}
