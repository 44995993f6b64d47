// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.vprobe;

import dev.fathom.base.ProgramException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;

/** What the two syntaxes have in common: numbers and strings. */
final class Characters {
  private Characters() {}

  static ProgramException syntax(Source source, Span at, String detail) {
    return source.error(at, Tag.D_SYNTAX, detail);
  }

  /** Decimal, {@code 0x} or octal; letters behind it, such as {@code UL}, do not count. */
  static Form.Number number(Source source, String text, Span at) {
    var digits = text.replaceAll("(?i)[ul]+$", "");
    try {
      long value =
          digits.startsWith("0x") || digits.startsWith("0X")
              ? Long.parseUnsignedLong(digits.substring(2), 16)
              : digits.length() > 1 && digits.startsWith("0")
                  ? Long.parseUnsignedLong(digits.substring(1), 8)
                  : Long.parseUnsignedLong(digits);
      return new Form.Number(value, at);
    } catch (NumberFormatException _) {
      throw syntax(source, at, "'" + text + "' is no number");
    }
  }

  /**
   * The string whose opening quote is at {@code start}.
   *
   * @return the text; its span ends behind the closing quote
   */
  static Form.Text string(Source source, int start) {
    var text = source.text();
    var value = new StringBuilder();
    for (int i = start + 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"') {
        return new Form.Text(value.toString(), new Span(start, i + 1));
      }
      if (c == '\n') {
        break;
      }
      if (c == '\\' && i + 1 < text.length()) {
        c = escaped(text.charAt(++i));
      }
      value.append(c);
    }
    throw syntax(source, Span.at(start), "a string is not closed on its line; expected '\"'");
  }

  private static char escaped(char c) {
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      default -> c;
    };
  }
}
