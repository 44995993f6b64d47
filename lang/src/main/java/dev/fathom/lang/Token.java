// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.Span;

/**
 * A token of a C expression; {@code text} is as typed, for strings and characters with escapes
 * resolved.
 */
record Token(Kind kind, String text, Span span) {
  enum Kind {
    NUMBER,
    CHARACTER,
    STRING,
    NAME,
    DOLLAR,
    OPERATOR,
    END
  }

  boolean is(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }
}
