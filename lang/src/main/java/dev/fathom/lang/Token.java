// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.Span;

/**
 * A token of C text; {@code text} is as typed, for strings and characters with escapes resolved:
 * bytes where {@code prefix} is empty or {@code u8}, else code units.
 *
 * @param prefix what stands in front of a string's or character's quote: {@code L}, {@code u},
 *     {@code U}, {@code u8}; else empty
 */
record Token(Kind kind, String text, String prefix, Span span) {
  enum Kind {
    NUMBER,
    CHARACTER,
    STRING,
    NAME,
    DOLLAR,
    OPERATOR,
    END
  }

  Token(Kind kind, String text, Span span) {
    this(kind, text, "", span);
  }

  boolean is(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  /** Whether it is a word that declarations, and nothing else in them, begin with. */
  boolean beginsDeclaration() {
    return kind == Kind.NAME
        && switch (text) {
          case "typedef", "struct", "union", "enum", "extern", "static" -> true;
          default -> false;
        };
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }
}
