// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.Optional;

/** The name of a type as typed: {@code struct page}, {@code enum pid_type}, {@code pid_t}. */
public record TypeName(Kind kind, String name) {
  public enum Kind {
    /**
     * No keyword: a typedef or base type; commands fall back to a structure, union or enum of that
     * name.
     */
    PLAIN,
    STRUCT,
    UNION,
    ENUM
  }

  // By hand: what the compiler makes for records takes 12 ms when it first runs, and names of types
  // are keys of maps.
  @Override
  public boolean equals(Object other) {
    return other instanceof TypeName that && kind == that.kind && name.equals(that.name);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + kind.ordinal();
  }

  public static TypeName struct(String name) {
    return new TypeName(Kind.STRUCT, name);
  }

  public static TypeName plain(String name) {
    return new TypeName(Kind.PLAIN, name);
  }

  /**
   * Reads {@code [struct|union|enum|class] name}; blanks may be repeated. Empty when nothing is
   * left to be the name.
   */
  public static Optional<TypeName> parse(String text) {
    var words = text.strip().split("\\s+", 2);
    var kind =
        switch (words[0]) {
          case "struct", "class" -> Kind.STRUCT;
          case "union" -> Kind.UNION;
          case "enum" -> Kind.ENUM;
          default -> Kind.PLAIN;
        };
    var name = kind == Kind.PLAIN ? String.join(" ", words) : words.length > 1 ? words[1] : "";
    return name.isEmpty() ? Optional.empty() : Optional.of(new TypeName(kind, name));
  }

  @Override
  public String toString() {
    return switch (kind) {
      case PLAIN -> name;
      case STRUCT -> "struct " + name;
      case UNION -> "union " + name;
      case ENUM -> "enum " + name;
    };
  }
}
