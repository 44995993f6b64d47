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
   */
  public record StaticMember(
      String name, CType type, Optional<String> linkageName, OptionalLong constant) {}

  /**
   * What a template was made with.
   *
   * @param name of the template's parameter; may be empty
   * @param type the argument, or the type of the value that is it
   * @param value the argument of a parameter that is no type, when it is a number
   */
  public record TemplateArgument(String name, CType type, OptionalLong value) {}

  /** What only C++ has. */
  public record ClassParts(List<StaticMember> statics, List<TemplateArgument> arguments) {
    static final ClassParts NONE = new ClassParts(List.of(), List.of());

    public ClassParts {
      statics = List.copyOf(statics);
      arguments = List.copyOf(arguments);
    }
  }

  private final Kind kind;
  private final String name;
  private final long bytes;
  private Supplier<List<Member>> supplier;
  private List<Member> members;
  private Supplier<ClassParts> partsSupplier;
  private ClassParts parts;

  /**
   * @param name the tag; empty when anonymous
   * @param members called once, when the members are first asked for
   */
  public CompositeType(Kind kind, String name, long bytes, Supplier<List<Member>> members) {
    this(kind, name, bytes, members, () -> ClassParts.NONE);
  }

  /**
   * @param name the tag, of C++ with all it is in: {@code std::vector<int>}
   * @param members called once, when the members are first asked for
   * @param parts called once, when static members or template arguments are first asked for
   */
  public CompositeType(
      Kind kind,
      String name,
      long bytes,
      Supplier<List<Member>> members,
      Supplier<ClassParts> parts) {
    this.kind = kind;
    this.name = name;
    this.bytes = bytes;
    this.supplier = members;
    this.partsSupplier = parts;
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

  /** The members of each object: base classes first, then fields. */
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
