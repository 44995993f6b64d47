// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import java.util.List;

/** A place in a list of tokens that ends in {@link Token.Kind#END}. */
abstract class Cursor {
  /** How deep expressions, declarators and structures may nest. */
  private static final int NESTING_LIMIT = 200;

  private final List<Token> tokens;
  private int next;
  private int nesting;

  Cursor(List<Token> tokens) {
    this.tokens = tokens;
  }

  final Token peek() {
    return tokens.get(next);
  }

  /** The token so many behind the next one. */
  final Token peek(int ahead) {
    return tokens.get(Math.clamp(next + ahead, 0, tokens.size() - 1));
  }

  final Token take() {
    var token = tokens.get(next);
    if (token.kind() != Token.Kind.END) {
      next++;
    }
    return token;
  }

  /** Takes the operator when it is next. */
  final boolean skip(String operator) {
    boolean there = peek().is(operator);
    if (there) {
      take();
    }
    return there;
  }

  final int mark() {
    return next;
  }

  final void back(int mark) {
    next = mark;
  }

  final Token expect(String operator) {
    if (!peek().is(operator)) {
      throw unexpected("'" + operator + "'");
    }
    return take();
  }

  final boolean atEnd() {
    return peek().kind() == Token.Kind.END;
  }

  /** To be called where parsing goes one level deeper, with {@link #leave} at its end. */
  final void enter() {
    if (++nesting > NESTING_LIMIT) {
      throw new EvalException(
          peek().span(), "nested more than " + NESTING_LIMIT + " deep at column " + column(peek()));
    }
  }

  final void leave() {
    nesting--;
  }

  /** Forgets how deep parsing was when it failed. */
  final void restart() {
    nesting = 0;
  }

  final EvalException unexpected(String expected) {
    var token = peek();
    var found = token.kind() == Token.Kind.END ? "the end" : "'" + token.text() + "'";
    return new EvalException(
        token.span(),
        "expected " + expected + ", but found " + found + " at column " + column(token));
  }

  static int column(Token token) {
    return token.span().start() + 1;
  }

  static EvalException wrong(Span span, String text) {
    return new EvalException(span, text + " (column " + (span.start() + 1) + ")");
  }
}
