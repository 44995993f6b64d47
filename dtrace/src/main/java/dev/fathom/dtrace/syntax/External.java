// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.Span;
import java.util.List;
import java.util.Optional;

/** What a D program consists of. */
public sealed interface External {
  Span span();

  /** A probe description as written, macros replaced: up to four fields, or an id. */
  record ProbeSpec(String text, Span span) {}

  /** Absent predicate: always. Absent body and an empty body both trace the probe. */
  record Clause(List<ProbeSpec> specs, Optional<Node> predicate, List<Statement> body, Span span)
      implements External {}

  /** A C declaration, or one of a D variable; without declarators it declares a type only. */
  record Declaration(TypeText.Specifier specifier, List<TypeText.Declarator> declarators, Span span)
      implements External {}

  /** {@code inline T name = value;} or, with keys, {@code inline T name[K k] = value;}. */
  record Inline(TypeText type, List<TypeText> keys, Node value, Span span) implements External {}

  record Translator(TypeText output, TypeText input, List<TranslatorMember> members, Span span)
      implements External {}

  record TranslatorMember(String name, Node value, Span span) {}

  record ProviderDeclaration(String name, List<ProbeDeclaration> probes, Span span)
      implements External {}

  record ProbeDeclaration(
      String name, List<TypeText> arguments, Optional<List<TypeText>> translated, Span span) {}

  /** {@code #pragma D kind rest}. */
  record Pragma(String kind, List<String> words, Span span) implements External {}
}
