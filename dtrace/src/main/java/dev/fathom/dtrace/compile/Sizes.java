// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.EvalException;
import java.util.Locale;

/** The values of D's size options: a number with {@code k}, {@code m}, {@code g} or {@code t}. */
public final class Sizes {
  private Sizes() {}

  /**
   * Reads one.
   *
   * @throws EvalException when it is none
   */
  public static long parse(String text) {
    var digits = text.toLowerCase(Locale.ROOT);
    int shift = 0;
    if (!digits.isEmpty()) {
      int unit = "kmgt".indexOf(digits.charAt(digits.length() - 1));
      if (unit >= 0) {
        shift = 10 * (unit + 1);
        digits = digits.substring(0, digits.length() - 1);
      }
    }
    if (digits.isEmpty() || digits.length() > 15 || !digits.chars().allMatch(Character::isDigit)) {
      throw new EvalException("expected a number, with k, m, g or t behind it");
    }
    long number = Long.parseLong(digits);
    if (number > Long.MAX_VALUE >> shift) {
      throw new EvalException("the number is too big");
    }
    return number << shift;
  }
}
