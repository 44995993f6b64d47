// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.TextRenderer;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A format character of the verbs {@code / \ ? =}: how many bytes it takes and how it shows them.
 * Characters, sizes and column widths are mdb's.
 */
record Format(char character, int size, Kind kind, String description) {
  enum Kind {
    HEX,
    OCTAL,
    OCTAL_PREFIXED,
    SIGNED_OCTAL,
    DECIMAL,
    UNSIGNED,
    RADIX,
    SWAPPED,
    BINARY,
    BITS,
    CHARACTER,
    ESCAPED_CHARACTER,
    FLOAT,
    DATE,
    SYMBOL,
    STRING,
    ESCAPED_STRING,
    INSTRUCTION,
    INSTRUCTION_BYTES,
    ADDRESS,
    BLANK,
    LINE_FEED,
    TAB,
    FORWARD,
    BACKWARD,
    UNDO,
    SEARCH
  }

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu MMM dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  /** Every format, in the order of {@code ::formats}. */
  static List<Format> all() {
    return List.of(
        of('+', 0, Kind.FORWARD, "move dot forward by the count"),
        of('-', 0, Kind.BACKWARD, "move dot back by the count"),
        of('B', 1, Kind.HEX, "hexadecimal byte"),
        of('C', 1, Kind.ESCAPED_CHARACTER, "character, C escapes for what cannot be shown"),
        of('D', 4, Kind.DECIMAL, "signed decimal int"),
        of('E', 8, Kind.UNSIGNED, "unsigned decimal long long"),
        of('F', 8, Kind.FLOAT, "double"),
        of('G', 8, Kind.OCTAL, "octal unsigned long long"),
        of('H', 4, Kind.SWAPPED, "hexadecimal int, bytes swapped"),
        of('I', 0, Kind.INSTRUCTION_BYTES, "address, machine code and instruction"),
        of('J', 8, Kind.HEX, "hexadecimal long long"),
        of('K', 8, Kind.HEX, "hexadecimal uintptr_t"),
        of('L', 4, Kind.SEARCH, "search for an int"),
        of('M', 8, Kind.SEARCH, "search for a long long"),
        of('N', 0, Kind.LINE_FEED, "line feed"),
        of('O', 4, Kind.OCTAL_PREFIXED, "octal unsigned int"),
        of('P', 8, Kind.SYMBOL, "symbol of a uintptr_t"),
        of('Q', 4, Kind.SIGNED_OCTAL, "signed octal int"),
        of('R', 8, Kind.BINARY, "binary unsigned long long"),
        of('S', 0, Kind.ESCAPED_STRING, "string, C escapes for what cannot be shown"),
        of('T', 0, Kind.TAB, "tab"),
        of('U', 4, Kind.UNSIGNED, "unsigned decimal int"),
        of('V', 1, Kind.UNSIGNED, "unsigned decimal byte"),
        of('W', 4, Kind.RADIX, "unsigned int in the default radix"),
        of('X', 4, Kind.HEX, "hexadecimal int"),
        of('Y', 4, Kind.DATE, "time_t of 32 bits, UTC"),
        of('Z', 8, Kind.HEX, "hexadecimal long long"),
        of('^', 0, Kind.UNDO, "move dot back by the last increment times the count"),
        of('a', 0, Kind.ADDRESS, "dot as symbol and offset"),
        of('b', 1, Kind.OCTAL_PREFIXED, "octal unsigned byte"),
        of('c', 1, Kind.CHARACTER, "character"),
        of('d', 2, Kind.DECIMAL, "signed decimal short"),
        of('e', 8, Kind.DECIMAL, "signed decimal long long"),
        of('f', 4, Kind.FLOAT, "float"),
        of('g', 8, Kind.SIGNED_OCTAL, "signed octal long long"),
        of('h', 2, Kind.SWAPPED, "hexadecimal short, bytes swapped"),
        of('i', 0, Kind.INSTRUCTION, "instruction"),
        of('j', 8, Kind.BITS, "long long bit by bit"),
        of('l', 2, Kind.SEARCH, "search for a short"),
        of('n', 0, Kind.LINE_FEED, "line feed"),
        of('o', 2, Kind.OCTAL_PREFIXED, "octal unsigned short"),
        of('p', 8, Kind.SYMBOL, "symbol of a uintptr_t"),
        of('q', 2, Kind.SIGNED_OCTAL, "signed octal short"),
        of('r', 0, Kind.BLANK, "blank"),
        of('s', 0, Kind.STRING, "string"),
        of('t', 0, Kind.TAB, "tab"),
        of('u', 2, Kind.UNSIGNED, "unsigned decimal short"),
        of('v', 1, Kind.DECIMAL, "signed decimal byte"),
        of('w', 2, Kind.RADIX, "unsigned short in the default radix"),
        of('x', 2, Kind.HEX, "hexadecimal short"),
        of('y', 8, Kind.DATE, "time_t of 64 bits, UTC"));
  }

  private static Format of(char character, int size, Kind kind, String description) {
    return new Format(character, size, kind, description);
  }

  static Optional<Format> named(char character) {
    for (var format : all()) {
      if (format.character() == character) {
        return Optional.of(format);
      }
    }
    return Optional.empty();
  }

  /** Whether the format shows a number of {@link #size} bytes. */
  boolean isNumber() {
    return switch (kind) {
      case HEX,
          OCTAL,
          OCTAL_PREFIXED,
          SIGNED_OCTAL,
          DECIMAL,
          UNSIGNED,
          RADIX,
          SWAPPED,
          BINARY,
          BITS,
          CHARACTER,
          ESCAPED_CHARACTER,
          FLOAT,
          DATE,
          SYMBOL ->
          true;
      case STRING,
          ESCAPED_STRING,
          INSTRUCTION,
          INSTRUCTION_BYTES,
          ADDRESS,
          BLANK,
          LINE_FEED,
          TAB,
          FORWARD,
          BACKWARD,
          UNDO,
          SEARCH ->
          false;
    };
  }

  /**
   * The item for a number.
   *
   * @param raw the number's bits; those above {@link #size} are ignored
   * @param symbol the number as symbol and offset
   */
  Datum.FormattedItem item(long raw, int radix, String symbol) {
    int unused = 64 - size * 8;
    long unsigned = raw << unused >>> unused;
    long signed = raw << unused >> unused;
    return switch (kind) {
      case HEX -> number(unsigned, Cell.Radix.HEX, false, false, hexWidth(unsigned));
      case SWAPPED ->
          number(Long.reverseBytes(unsigned) >>> unused, Cell.Radix.HEX, false, false, hexWidth(0));
      case OCTAL -> number(unsigned, Cell.Radix.OCTAL, false, false, 23);
      case OCTAL_PREFIXED -> number(unsigned, Cell.Radix.OCTAL, false, true, size == 4 ? 16 : 8);
      case SIGNED_OCTAL ->
          number(signed, Cell.Radix.OCTAL, true, false, size == 8 ? 24 : size == 4 ? 16 : 8);
      case DECIMAL ->
          number(signed, Cell.Radix.DECIMAL, true, false, size == 8 ? 21 : size == 4 ? 16 : 8);
      case UNSIGNED ->
          number(unsigned, Cell.Radix.DECIMAL, false, false, size == 8 ? 21 : size == 4 ? 16 : 8);
      case RADIX -> inRadix(unsigned, radix);
      case BINARY -> number(unsigned, Cell.Radix.BINARY, false, false, 65);
      case BITS ->
          new Datum.FormattedItem(
              Optional.of(new Cell.Int(unsigned, Cell.Radix.BINARY, false, false)),
              picture(unsigned));
      case CHARACTER -> text(unsigned, String.valueOf((char) unsigned));
      case ESCAPED_CHARACTER -> text(unsigned, escaped((int) unsigned));
      case FLOAT -> floating(unsigned);
      case DATE -> text(signed, pad(TIME.format(Instant.ofEpochSecond(bounded(signed))), 24));
      case SYMBOL ->
          new Datum.FormattedItem(
              Optional.of(new Cell.Symbolic(unsigned, symbol)), pad(symbol, 19));
      case STRING,
          ESCAPED_STRING,
          INSTRUCTION,
          INSTRUCTION_BYTES,
          ADDRESS,
          BLANK,
          LINE_FEED,
          TAB,
          FORWARD,
          BACKWARD,
          UNDO,
          SEARCH ->
          throw new IllegalStateException(character + " is not the format of a number");
    };
  }

  private int hexWidth(long value) {
    return switch (size) {
      case 8 -> value < 0 || value >>> 60 != 0 ? 17 : 16;
      case 4 -> 16;
      default -> 8;
    };
  }

  /** A year that people know: others are shown as the nearest such second. */
  private static long bounded(long seconds) {
    return Math.clamp(seconds, -62_135_596_800L, 253_402_300_799L);
  }

  private static Datum.FormattedItem number(
      long value, Cell.Radix radix, boolean signed, boolean prefix, int width) {
    var cell = new Cell.Int(value, radix, signed, prefix);
    return new Datum.FormattedItem(Optional.of(cell), pad(TextRenderer.text(cell), width));
  }

  private Datum.FormattedItem inRadix(long value, int radix) {
    return new Datum.FormattedItem(
        Optional.of(new Cell.Int(value, Cell.Radix.HEX, false, false)),
        pad(Long.toUnsignedString(value, radix), size == 4 ? 16 : 8));
  }

  private static Datum.FormattedItem text(long value, String text) {
    return new Datum.FormattedItem(
        Optional.of(new Cell.Int(value, Cell.Radix.DECIMAL, false, false)), text);
  }

  private Datum.FormattedItem floating(long bits) {
    double value = size == 4 ? Float.intBitsToFloat((int) bits) : Double.longBitsToDouble(bits);
    var format = size == 4 ? "%+.7e" : "%+.15e";
    return new Datum.FormattedItem(
        Optional.of(new Cell.Real(value)),
        pad(String.format(Locale.ROOT, format, value), size == 4 ? 16 : 24));
  }

  /** The digits of a number and, below, a line for each bit that is set. */
  private static String picture(long value) {
    var digits = Long.toBinaryString(value);
    if (value == 0) {
      return digits + "\n";
    }
    int width = digits.length();
    int hexDigits = Long.toHexString(value).length();
    int numberWidth = Integer.toString(width - 1).length();
    var picture = new StringBuilder(digits).append('\n');
    picture.append(digits.replace('1', '|').replace('0', ' ')).append('\n');
    for (int bit = 0; bit < width; bit++) {
      if ((value >>> bit & 1) == 0) {
        continue;
      }
      int column = width - 1 - bit;
      for (int i = 0; i < column; i++) {
        picture.append(digits.charAt(i) == '1' ? '|' : ' ');
      }
      picture.append('+').repeat('-', bit + 2);
      var number = Integer.toString(bit);
      picture.append(" bit ").append(number).repeat(' ', numberWidth - number.length());
      var mask = Long.toHexString(1L << bit);
      picture.append(" mask 0x").repeat('0', hexDigits - mask.length()).append(mask).append('\n');
    }
    return picture.toString();
  }

  /** A byte as C writes it in a character constant. */
  static String escaped(int b) {
    return switch (b) {
      case 0 -> "\\0";
      case 7 -> "\\a";
      case '\b' -> "\\b";
      case '\t' -> "\\t";
      case '\n' -> "\\n";
      case 11 -> "\\v";
      case '\f' -> "\\f";
      case '\r' -> "\\r";
      case '\\' -> "\\\\";
      default ->
          b >= ' ' && b < 0x7f
              ? String.valueOf((char) b)
              : "\\" + String.format(Locale.ROOT, "%03o", b);
    };
  }

  static String pad(String text, int width) {
    return text.length() >= width ? text : text + " ".repeat(width - text.length());
  }
}
