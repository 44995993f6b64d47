// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import dev.fathom.base.EvalException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A format string of {@code printf}, {@code printa}, {@code system} and {@code freopen}, taken
 * apart: {@code %[flags][width][.precision][@][size]letter}.
 */
public record Format(String text, List<Piece> pieces) {
  private static final String FLAGS = "-+# 0'";
  private static final String LETTERS = "aAcCdieEfgGkopsSTuwxXY";

  public sealed interface Piece {}

  /** Bytes that are copied, {@code %%} already one percent sign. */
  public record Literal(String text) implements Piece {}

  /**
   * A conversion.
   *
   * @param flags the characters of {@code -+# 0'} that were given
   * @param dynamicWidth the width is an argument of its own ({@code *}), before the value
   * @param aggregation {@code @}: takes an aggregation's value ({@code printa})
   * @param size {@code h}, {@code hh}, {@code l}, {@code ll}, {@code L}, {@code w} or empty
   */
  public record Conversion(
      String flags,
      OptionalInt width,
      boolean dynamicWidth,
      OptionalInt precision,
      boolean dynamicPrecision,
      boolean aggregation,
      String size,
      char letter)
      implements Piece {
    public boolean has(char flag) {
      return flags.indexOf(flag) >= 0;
    }

    /** How it was written, for messages: {@code %d}. */
    public String text() {
      return "%" + (aggregation ? "@" : "") + size + letter;
    }
  }

  public Format {
    pieces = List.copyOf(pieces);
  }

  /** The conversions, in order. */
  public List<Conversion> conversions() {
    return pieces.stream()
        .filter(Conversion.class::isInstance)
        .map(Conversion.class::cast)
        .toList();
  }

  /** The literal's text, or empty for a conversion. */
  public static Optional<String> literal(Piece piece) {
    return piece instanceof Literal l ? Optional.of(l.text()) : Optional.empty();
  }

  /**
   * Takes {@code text} apart.
   *
   * @throws EvalException naming the conversion that is none
   */
  public static Format parse(String text) {
    var pieces = new ArrayList<Piece>();
    var literal = new StringBuilder();
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i);
      if (c != '%') {
        literal.append(c);
        i++;
      } else if (i + 1 < text.length() && text.charAt(i + 1) == '%') {
        literal.append('%');
        i += 2;
      } else {
        if (!literal.isEmpty()) {
          pieces.add(new Literal(literal.toString()));
          literal.setLength(0);
        }
        i = conversion(text, i, pieces);
      }
    }
    if (!literal.isEmpty()) {
      pieces.add(new Literal(literal.toString()));
    }
    return new Format(text, pieces);
  }

  private static int conversion(String text, int start, List<Piece> into) {
    int i = start + 1;
    int flagsFrom = i;
    while (i < text.length() && FLAGS.indexOf(text.charAt(i)) >= 0) {
      i++;
    }
    var flags = text.substring(flagsFrom, i);
    boolean dynamicWidth = i < text.length() && text.charAt(i) == '*';
    int widthEnd = dynamicWidth ? i : digits(text, i);
    var width = number(text, i, widthEnd);
    i = dynamicWidth ? i + 1 : widthEnd;
    boolean dynamicPrecision = false;
    var precision = OptionalInt.empty();
    if (i < text.length() && text.charAt(i) == '.') {
      i++;
      dynamicPrecision = i < text.length() && text.charAt(i) == '*';
      int end = dynamicPrecision ? i : digits(text, i);
      precision =
          dynamicPrecision
              ? OptionalInt.empty()
              : i == end ? OptionalInt.of(0) : number(text, i, end);
      i = dynamicPrecision ? i + 1 : end;
    }
    boolean aggregation = i < text.length() && text.charAt(i) == '@';
    if (aggregation) {
      i++;
    }
    int sizeFrom = i;
    while (i < text.length() && "hlLw".indexOf(text.charAt(i)) >= 0) {
      i++;
    }
    var size = text.substring(sizeFrom, i);
    if (i >= text.length()) {
      throw new EvalException("conversion " + text.substring(start) + " has no letter at its end");
    }
    char letter = text.charAt(i);
    if (LETTERS.indexOf(letter) < 0
        || !List.of("", "h", "hh", "l", "ll", "L", "w").contains(size)) {
      throw new EvalException(
          "invalid conversion "
              + text.substring(start, i + 1)
              + "; expected one of %a %A %c %C %d %e %E %f %g %G %i %k %o %p %s %S %T %u %x %X %Y"
              + " %%");
    }
    into.add(
        new Conversion(
            flags, width, dynamicWidth, precision, dynamicPrecision, aggregation, size, letter));
    return i + 1;
  }

  private static int digits(String text, int from) {
    int i = from;
    while (i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9') {
      i++;
    }
    return i;
  }

  private static OptionalInt number(String text, int from, int to) {
    if (from == to) {
      return OptionalInt.empty();
    }
    if (to - from > 4) {
      throw new EvalException("width or precision " + text.substring(from, to) + " is above 9999");
    }
    return OptionalInt.of(Integer.parseInt(text, from, to, 10));
  }
}
