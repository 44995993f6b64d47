// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import java.util.ArrayList;
import java.util.List;

/** Cuts a C expression into tokens. */
final class Lexer {
  /** Longest first, so that the first match is the right one. */
  private static final List<String> OPERATORS =
      List.of(
          "->", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "(", ")", "[", "]", ".", ",", "?",
          ":", "+", "-", "*", "/", "%", "&", "|", "^", "~", "!", "<", ">", "@");

  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  private Lexer(String text) {
    this.text = text;
  }

  static List<Token> tokens(String text) {
    var lexer = new Lexer(text);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (true) {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
      if (at == text.length()) {
        tokens.add(new Token(Token.Kind.END, "", Span.at(at)));
        return;
      }
      char c = text.charAt(at);
      if (isDigit(c)) {
        word(Token.Kind.NUMBER, at);
      } else if (isNameStart(c)) {
        word(Token.Kind.NAME, at);
      } else if (c == '$') {
        int start = at++;
        word(Token.Kind.DOLLAR, start);
      } else if (c == '\'' || c == '"') {
        quoted(c);
      } else {
        operator();
      }
    }
  }

  private void word(Token.Kind kind, int start) {
    int from = at;
    while (at < text.length() && (isNameStart(text.charAt(at)) || isDigit(text.charAt(at)))) {
      at++;
    }
    tokens.add(new Token(kind, text.substring(from, at), new Span(start, at)));
  }

  private void operator() {
    for (var operator : OPERATORS) {
      if (text.startsWith(operator, at)) {
        tokens.add(new Token(Token.Kind.OPERATOR, operator, new Span(at, at + operator.length())));
        at += operator.length();
        return;
      }
    }
    throw new EvalException(
        new Span(at, at + 1),
        "unexpected character '" + text.charAt(at) + "' at column " + (at + 1));
  }

  private void quoted(char quote) {
    int start = at++;
    var value = new StringBuilder();
    while (at < text.length() && text.charAt(at) != quote) {
      char c = text.charAt(at++);
      value.append(c == '\\' && at < text.length() ? escape() : c);
    }
    if (at == text.length()) {
      throw new EvalException(
          new Span(start, at), "missing closing " + quote + " for column " + (start + 1));
    }
    at++;
    tokens.add(
        new Token(
            quote == '"' ? Token.Kind.STRING : Token.Kind.CHARACTER,
            value.toString(),
            new Span(start, at)));
  }

  private char escape() {
    char c = text.charAt(at++);
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'v' -> 0x0b;
      case 'a' -> 0x07;
      case 'e' -> 0x1b;
      case 'x' -> number(16, 2);
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        at--;
        yield number(8, 3);
      }
      default -> c;
    };
  }

  private char number(int radix, int digits) {
    int value = 0;
    int start = at;
    while (at < text.length()
        && at < start + digits
        && Character.digit(text.charAt(at), radix) >= 0) {
      value = value * radix + Character.digit(text.charAt(at++), radix);
    }
    if (at == start) {
      throw new EvalException(Span.at(at), "escape without digits at column " + (at + 1));
    }
    return (char) (value & 0xff);
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isNameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }
}
