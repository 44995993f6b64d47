// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** A structure, union or class with its members in order of declaration. */
public final class CompositeType implements CType {
  public enum Kind {
    STRUCT("struct"),
    UNION("union"),
    CLASS("class");

    private final String keyword;

    Kind(String keyword) {
      this.keyword = keyword;
    }

    public String keyword() {
      return keyword;
    }
  }

  /**
   * A member that all objects share.
   *
   * @param linkageName the symbol it has, when it is told
   * @param constant its value, when the declaration has it
   * @param before how many fields are declared before it
   */
  public record StaticMember(
      String name,
      CType type,
      Optional<String> linkageName,
      OptionalLong constant,
      Access access,
      int before) {}

  /**
   * A base class of which an object has one part, however many of its bases have it as a base.
   * Where that part is the object's table of virtual functions tells (Itanium C++ ABI, section
   * 2.5.2).
   *
   * @param slot where in the table, in bytes from where an object's pointer to it leads, the
   *     distance from the object to the part stands
   */
  public record VirtualBase(CType type, Access access, long slot) {}

  /** Who writes the body of a function. */
  public enum Body {
    /** The program, or the compiler outside of the class. */
    OWN,
    /** The compiler, as the class says: {@code = default}. */
    DEFAULTED,
    /** Nobody: {@code = delete}. */
    DELETED
  }

  /**
   * A function that belongs to the class.
   *
   * @param type its first parameter is the object, unless it is static
   * @param linkageName the symbol it has, when it is told
   * @param slot which function of the table of virtual functions it is, when it is told
   */
  public record Method(
      String name,
      FunctionType type,
      Access access,
      boolean isVirtual,
      boolean isStatic,
      Body body,
      Optional<String> linkageName,
      OptionalLong slot) {}

  /**
   * How objects are passed to functions, as far as debug information tells.
   *
   * @param byValue whether a copy of their bytes is an object; otherwise a pointer to a copy that
   *     the class makes is passed
   * @param alignment what was asked for by {@code alignas} or an attribute, in bytes; of the type
   *     or of a member
   */
  public record Passing(Optional<Boolean> byValue, OptionalLong alignment) {
    static final Passing UNTOLD = new Passing(Optional.empty(), OptionalLong.empty());
  }

  /**
   * What a template was made with.
   *
   * @param name of the template's parameter; may be empty
   * @param type the argument, or the type of the value that is it
   * @param value the argument of a parameter that is no type, when it is a number
   */
  public record TemplateArgument(String name, CType type, OptionalLong value) {}

  /** What only C++ has, and how objects are passed. */
  public record ClassParts(
      List<StaticMember> statics,
      List<TemplateArgument> arguments,
      List<VirtualBase> virtualBases,
      List<Method> methods,
      Passing passing) {
    static final ClassParts NONE =
        new ClassParts(List.of(), List.of(), List.of(), List.of(), Passing.UNTOLD);

    public ClassParts {
      statics = List.copyOf(statics);
      arguments = List.copyOf(arguments);
      virtualBases = List.copyOf(virtualBases);
      methods = List.copyOf(methods);
    }
  }

  private final Kind kind;
  private final String name;
  private final long bytes;
  private final boolean cxx;
  private final boolean complex;
  private Supplier<List<Member>> supplier;
  private List<Member> members;
  private Supplier<ClassParts> partsSupplier;
  private ClassParts parts;

  /**
   * @param name the tag; empty when anonymous
   * @param members called once, when the members are first asked for
   */
  public CompositeType(Kind kind, String name, long bytes, Supplier<List<Member>> members) {
    this(kind, name, bytes, members, () -> ClassParts.NONE, false);
  }

  /**
   * @param name the tag, of C++ with all it is in: {@code std::vector<int>}
   * @param members called once, when the members are first asked for
   * @param parts called once, when something that only C++ has is first asked for
   * @param cxx whether it is of C++, so that its name alone names it
   */
  public CompositeType(
      Kind kind,
      String name,
      long bytes,
      Supplier<List<Member>> members,
      Supplier<ClassParts> parts,
      boolean cxx) {
    this(kind, name, bytes, members, parts, cxx, false);
  }

  private CompositeType(
      Kind kind,
      String name,
      long bytes,
      Supplier<List<Member>> members,
      Supplier<ClassParts> parts,
      boolean cxx,
      boolean complex) {
    this.kind = kind;
    this.name = name;
    this.bytes = bytes;
    this.cxx = cxx;
    this.complex = complex;
    this.supplier = members;
    this.partsSupplier = parts;
  }

  /** A complex number of C: its real part and its imaginary one, which are whole only for gcc. */
  public static CompositeType complex(CType part) {
    return new CompositeType(
        Kind.STRUCT,
        "",
        2 * part.bytes(),
        () ->
            List.of(new Member("real", part, 0, 0), new Member("imag", part, part.bytes() * 8, 0)),
        () -> ClassParts.NONE,
        false,
        true);
  }

  public Kind kind() {
    return kind;
  }

  public String name() {
    return name;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  /** Whether it is of C++. */
  public boolean isCxx() {
    return cxx;
  }

  /** Whether it is a complex number of C rather than a structure. */
  public boolean isComplex() {
    return complex;
  }

  /** The members of each object: base classes first, then fields. Virtual bases are not here. */
  public List<Member> members() {
    if (members == null) {
      members = List.copyOf(supplier.get());
      supplier = null;
    }
    return members;
  }

  /** The members that all objects share, in order of declaration. */
  public List<StaticMember> statics() {
    return parts().statics();
  }

  /** What the template was made with that this type was made of. */
  public List<TemplateArgument> templateArguments() {
    return parts().arguments();
  }

  /** The bases that all of an object's bases share, in order of declaration. */
  public List<VirtualBase> virtualBases() {
    return parts().virtualBases();
  }

  /** Its functions, in order of declaration. */
  public List<Method> methods() {
    return parts().methods();
  }

  /** How objects are passed to functions. */
  public Passing passing() {
    return parts().passing();
  }

  private ClassParts parts() {
    if (parts == null) {
      parts = partsSupplier.get();
      partsSupplier = null;
    }
    return parts;
  }

  @Override
  public String toString() {
    return text();
  }
}
