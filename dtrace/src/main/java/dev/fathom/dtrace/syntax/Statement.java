// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.Span;
import java.util.List;

/** A statement of a clause. */
public sealed interface Statement {
  Span span();

  record Expression(Node node) implements Statement {
    @Override
    public Span span() {
      return node.span();
    }
  }

  record If(Node test, List<Statement> yes, List<Statement> no, Span span) implements Statement {}
}
