// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.Span;
import java.util.List;
import java.util.Optional;

/** An expression of D. */
public sealed interface Node {
  Span span();

  /**
   * @param unsigned written with {@code u}, or octal or hexadecimal, so that its type may be
   *     unsigned
   * @param suffixUnsigned written with {@code u}
   * @param longs how many {@code l} it was written with
   */
  record IntegerLiteral(long value, boolean unsigned, boolean suffixUnsigned, int longs, Span span)
      implements Node {}

  record CharLiteral(long value, Span span) implements Node {}

  /** A {@code char} per byte. */
  record StringLiteral(String value, Span span) implements Node {}

  /** A name that D resolves: variable, function, enumerator. */
  record Name(String name, Span span) implements Node {}

  /** {@code `symbol} or {@code module`symbol}. */
  record Symbol(String module, String name, Span span) implements Node {}

  enum Scope {
    SELF("self->"),
    THIS("this->");

    private final String prefix;

    Scope(String prefix) {
      this.prefix = prefix;
    }

    public String prefix() {
      return prefix;
    }
  }

  /** {@code self->name}, {@code this->name}. */
  record Scoped(Scope scope, String name, Span span) implements Node {}

  /**
   * {@code @name[keys]}.
   *
   * @param name {@code _} for the one without a name
   * @param keys absent without brackets
   */
  record AggregationRef(String name, Optional<List<Node>> keys, Span span) implements Node {}

  /** {@code + - ~ ! * &} and {@code ++ --} before the operand. */
  record Prefix(String op, Node operand, Span span) implements Node {}

  /** {@code ++ --} after the operand. */
  record Postfix(String op, Node operand, Span span) implements Node {}

  record Infix(String op, Node left, Node right, Span span) implements Node {}

  /** {@code =} and {@code +=} and its like; {@code op} without the equals sign. */
  record Assign(String op, Node target, Node value, Span span) implements Node {}

  record Ternary(Node test, Node yes, Node no, Span span) implements Node {}

  record Comma(Node left, Node right, Span span) implements Node {}

  record Cast(TypeText type, Node operand, Span span) implements Node {}

  record SizeofType(TypeText type, Span span) implements Node {}

  record Sizeof(Node operand, Span span) implements Node {}

  record Offsetof(TypeText type, String member, Span span) implements Node {}

  record Stringof(Node operand, Span span) implements Node {}

  record Xlate(TypeText type, Node operand, Span span) implements Node {}

  record Call(Node function, List<Node> arguments, Span span) implements Node {}

  /** More than one index: an associative array. */
  record Index(Node base, List<Node> indexes, Span span) implements Node {}

  record Member(Node base, boolean arrow, String name, Span span) implements Node {}
}
