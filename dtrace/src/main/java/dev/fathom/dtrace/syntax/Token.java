// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.Span;

/**
 * @param text the word or operator; a string's or character's bytes
 * @param value of integers and characters
 */
record Token(Kind kind, String text, long value, Suffix suffix, Span span) {
  enum Kind {
    WORD,
    INTEGER,
    CHARACTER,
    STRING,
    OPERATOR,
    /** {@code @name}. */
    AGGREGATION,
    END
  }

  record Suffix(boolean hex, boolean unsigned, int longs) {
    static final Suffix NONE = new Suffix(false, false, 0);
  }

  boolean is(String what) {
    return (kind == Kind.OPERATOR || kind == Kind.WORD) && text.equals(what);
  }

  /** For messages. */
  String shown() {
    return switch (kind) {
      case END -> "the end of the text";
      case STRING -> "a string";
      case AGGREGATION -> "'@" + text + "'";
      case WORD, INTEGER, CHARACTER, OPERATOR -> "'" + text + "'";
    };
  }
}
