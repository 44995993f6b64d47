// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/** How a {@link Cell} looks in text. */
final class CellText {
  private CellText() {}

  static String of(Cell cell, int wordBytes) {
    return switch (cell) {
      case Cell.Address a -> address(a.value(), wordBytes);
      case Cell.Symbolic s -> clean(s.text());
      case Cell.Int i -> number(i);
      case Cell.Real r -> Double.toString(r.value());
      case Cell.Text t -> clean(t.value());
      case Cell.Flag f -> f.value() ? "yes" : "no";
      case Cell.Absent a -> "<" + clean(a.why()) + ">";
    };
  }

  static String address(long value, int wordBytes) {
    var digits = Long.toHexString(value);
    int width = wordBytes * 2;
    return digits.length() >= width ? digits : "0".repeat(width - digits.length()) + digits;
  }

  private static String number(Cell.Int cell) {
    int base = cell.radix().base();
    long value = cell.value();
    boolean negative = cell.signed() && value < 0;
    // The negation of the least number is itself, and right when read as unsigned.
    long magnitude = negative ? -value : value;
    var digits = Long.toUnsignedString(magnitude, base);
    // A digit that means the same in every base needs no prefix.
    boolean plain = Long.compareUnsigned(magnitude, Math.min(base - 1, 9)) <= 0;
    return (negative ? "-" : "") + (cell.prefix() && !plain ? prefix(base) : "") + digits;
  }

  private static String prefix(int base) {
    return switch (base) {
      case 2 -> "0i";
      case 8 -> "0o";
      case 10 -> "0t";
      default -> "0x";
    };
  }

  /**
   * The text without characters that would steer a terminal: they come from the target's memory.
   */
  static String clean(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (isControl(text.charAt(i))) {
        return escaped(text);
      }
    }
    return text;
  }

  private static String escaped(String text) {
    var clean = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isControl(c)) {
        clean.append("\\x").append(Character.forDigit(c >> 4, 16));
        clean.append(Character.forDigit(c & 15, 16));
      } else {
        clean.append(c);
      }
    }
    return clean.toString();
  }

  private static boolean isControl(char c) {
    return (c < ' ' && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0);
  }
}
