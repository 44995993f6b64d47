// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.Span;
import java.util.List;
import java.util.Optional;

/** A type or a declaration as written. */
public record TypeText(Specifier specifier, Declarator declarator, Span span) {
  /** What comes before the declarators. */
  public record Specifier(List<String> storage, List<String> qualifiers, Base base, Span span) {}

  public sealed interface Base {}

  /** {@code unsigned long} and its like, words in any order; {@code string}; {@code void}. */
  public record Words(List<String> words) implements Base {}

  /** A typedef's name, with the module it is looked for in or an empty one. */
  public record Named(String module, String name) implements Base {}

  /**
   * @param keyword {@code struct} or {@code union}
   * @param members absent when only named
   */
  public record Tagged(
      String module, String keyword, String tag, Optional<List<MemberText>> members)
      implements Base {}

  public record EnumText(String module, String tag, Optional<List<EnumeratorText>> enumerators)
      implements Base {}

  public record MemberText(Specifier specifier, Declarator declarator, Optional<Node> bits) {}

  public record EnumeratorText(String name, Optional<Node> value, Span span) {}

  /** A declared name (empty in a cast) and what surrounds it, innermost first. */
  public record Declarator(String name, List<Derivation> derivations, Span span) {}

  public sealed interface Derivation {}

  public record Pointer(List<String> qualifiers) implements Derivation {}

  /** {@code [n]} or {@code []}. */
  public record Array(Optional<Node> count) implements Derivation {}

  /** {@code [int, string]}: the keys of an associative array. */
  public record Tuple(List<TypeText> keys) implements Derivation {}

  public record Function(List<TypeText> parameters, boolean variadic) implements Derivation {}
}
