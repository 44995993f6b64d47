// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Cuts C text into tokens (C11 section 6.4, with gdb's {@code $name} and {@code @}). */
final class Lexer {
  /** Longest first, so that the first match is the right one. */
  private static final List<String> OPERATORS =
      List.of(
          "<<=", ">>=", "...", "->*", ".*", "->", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=",
          "|=", "^=", "::", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "(", ")", "[", "]", "{",
          "}", ".", ",", ";", "?", ":", "=", "+", "-", "*", "/", "%", "&", "|", "^", "~", "!", "<",
          ">", "@");

  private final String text;
  private final int limit;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  private Lexer(String text, int from, int to) {
    this.text = text;
    this.at = from;
    this.limit = to;
  }

  static List<Token> tokens(String text) {
    return tokens(text, 0, text.length());
  }

  /** The tokens of a part of {@code text}; their places count from its start. */
  static List<Token> tokens(String text, int from, int to) {
    var lexer = new Lexer(text, from, to);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (true) {
      while (at < limit && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
      if (at == limit) {
        tokens.add(new Token(Token.Kind.END, "", Span.at(at)));
        return;
      }
      char c = text.charAt(at);
      if (isDigit(c) || (c == '.' && at + 1 < limit && isDigit(text.charAt(at + 1)))) {
        number();
      } else if (isNameStart(c)) {
        word(Token.Kind.NAME, at);
      } else if (c == '$') {
        dollar();
      } else if (c == '\'' || c == '"') {
        quoted(at, "");
      } else {
        operator();
      }
    }
  }

  /** A preprocessing number, in which a sign follows an exponent's letter. */
  private void number() {
    int start = at;
    boolean hex = text.startsWith("0x", at) || text.startsWith("0X", at);
    while (at < limit) {
      char c = text.charAt(at);
      boolean exponent = hex ? c == 'p' || c == 'P' : c == 'e' || c == 'E';
      if (exponent && at + 1 < limit && "+-".indexOf(text.charAt(at + 1)) >= 0) {
        at += 2;
      } else if (isDigit(c) || isNameStart(c) || c == '.') {
        at++;
      } else {
        break;
      }
    }
    tokens.add(new Token(Token.Kind.NUMBER, text.substring(start, at), new Span(start, at)));
  }

  private void word(Token.Kind kind, int start) {
    int from = at;
    while (at < limit && (isNameStart(text.charAt(at)) || isDigit(text.charAt(at)))) {
      at++;
    }
    var word = text.substring(from, at);
    boolean prefix = word.equals("L") || word.equals("u") || word.equals("U") || word.equals("u8");
    if (prefix && at < limit && (text.charAt(at) == '"' || text.charAt(at) == '\'')) {
      quoted(start, word);
    } else {
      tokens.add(new Token(kind, word, new Span(start, at)));
    }
  }

  /** {@code $}, {@code $$}, {@code $$2}, {@code $1}, {@code $name}. */
  private void dollar() {
    int start = at++;
    int from = at;
    if (at < limit && text.charAt(at) == '$') {
      at++;
    }
    while (at < limit && (isNameStart(text.charAt(at)) || isDigit(text.charAt(at)))) {
      at++;
    }
    tokens.add(new Token(Token.Kind.DOLLAR, text.substring(from, at), new Span(start, at)));
  }

  private void operator() {
    for (var operator : OPERATORS) {
      if (text.startsWith(operator, at) && at + operator.length() <= limit) {
        tokens.add(new Token(Token.Kind.OPERATOR, operator, new Span(at, at + operator.length())));
        at += operator.length();
        return;
      }
    }
    throw new EvalException(
        new Span(at, at + 1),
        "unexpected character '" + text.charAt(at) + "' at column " + (at + 1));
  }

  private void quoted(int start, String prefix) {
    char quote = text.charAt(at++);
    boolean bytes = prefix.isEmpty() || prefix.equals("u8");
    var value = new StringBuilder();
    while (at < limit && text.charAt(at) != quote) {
      int c = text.codePointAt(at);
      at += Character.charCount(c);
      if (c == '\\' && at < limit) {
        escape(value, bytes, prefix);
      } else {
        put(value, c, bytes);
      }
    }
    if (at == limit) {
      throw new EvalException(
          new Span(start, at), "missing closing " + quote + " for column " + (start + 1));
    }
    at++;
    tokens.add(
        new Token(
            quote == '"' ? Token.Kind.STRING : Token.Kind.CHARACTER,
            value.toString(),
            prefix,
            new Span(start, at)));
  }

  private static void put(StringBuilder value, int character, boolean bytes) {
    if (!bytes || character < 0x80) {
      value.appendCodePoint(character);
      return;
    }
    for (byte b : new String(Character.toChars(character)).getBytes(StandardCharsets.UTF_8)) {
      value.append((char) (b & 0xff));
    }
  }

  private void escape(StringBuilder value, boolean bytes, String prefix) {
    char c = text.charAt(at++);
    switch (c) {
      case 'n' -> value.append('\n');
      case 't' -> value.append('\t');
      case 'r' -> value.append('\r');
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'v' -> value.append('\u000b');
      case 'a' -> value.append('\u0007');
      case 'e' -> value.append('\u001b');
      case 'x' -> unit(value, digits(16, bytes ? 2 : 8), bytes, prefix);
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        at--;
        unit(value, digits(8, 3), bytes, prefix);
      }
      case 'u' -> put(value, universal(4), bytes);
      case 'U' -> put(value, universal(8), bytes);
      default -> value.append(c);
    }
  }

  private void unit(StringBuilder value, long unit, boolean bytes, String prefix) {
    long most = bytes ? 0xff : prefix.equals("u") ? 0xffff : Character.MAX_CODE_POINT;
    if (unit > most) {
      if (bytes) {
        value.append((char) (unit & 0xff));
        return;
      }
      throw new EvalException(Span.at(at), "escape above the last character at column " + at);
    }
    value.appendCodePoint((int) unit);
  }

  private int universal(int count) {
    int start = at;
    long value = digits(16, count);
    if (at != start + count || value > Character.MAX_CODE_POINT) {
      throw new EvalException(
          new Span(start, at), "not a character's number at column " + (start + 1));
    }
    return (int) value;
  }

  private long digits(int radix, int most) {
    long value = 0;
    int start = at;
    while (at < limit && at < start + most && Character.digit(text.charAt(at), radix) >= 0) {
      value = value * radix + Character.digit(text.charAt(at++), radix);
    }
    if (at == start) {
      throw new EvalException(Span.at(at), "escape without digits at column " + (at + 1));
    }
    return value;
  }

  static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  static boolean isNameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || Character.isLetter(c);
  }
}
