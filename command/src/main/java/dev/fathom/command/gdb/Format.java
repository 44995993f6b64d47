// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.UsageException;
import dev.fathom.command.LetterFormat;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What stands behind a slash: {@code /4xw}, {@code /x}, {@code /-3i}.
 *
 * @param count how many; absent when not given
 * @param letter how they are shown
 * @param unit their size: {@code b h w g}
 */
record Format(OptionalInt count, Optional<Character> letter, Optional<Character> unit) {
  private static final int COUNT_LIMIT = 1 << 20;

  static final Format NONE = new Format(OptionalInt.empty(), Optional.empty(), Optional.empty());

  /** Reads {@code text}, which begins with the slash. */
  static Format parse(String text) {
    int at = 1;
    int sign = 1;
    if (at < text.length() && text.charAt(at) == '-') {
      sign = -1;
      at++;
    }
    int start = at;
    long count = 0;
    while (at < text.length() && Character.isDigit(text.charAt(at))) {
      count = Math.min(count * 10 + text.charAt(at++) - '0', Integer.MAX_VALUE);
    }
    boolean counted = at > start;
    if (count > COUNT_LIMIT) {
      throw new UsageException("the count is above " + COUNT_LIMIT);
    }
    Optional<Character> letter = Optional.empty();
    Optional<Character> unit = Optional.empty();
    for (; at < text.length(); at++) {
      char c = text.charAt(at);
      if ("bhwg".indexOf(c) >= 0) {
        unit = Optional.of(c);
      } else {
        letter = Optional.of(LetterFormat.checked(c));
      }
    }
    return new Format(
        counted ? OptionalInt.of(sign * (int) count) : OptionalInt.empty(), letter, unit);
  }
}
