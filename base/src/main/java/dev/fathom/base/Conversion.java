// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Optional;

/**
 * One conversion of a {@code printf} format, such as {@code %-08.3llx}, and how C (C11, 7.21.6.1)
 * writes a value with it. The letter is not looked at here: whoever reads formats says which
 * letters there are.
 *
 * @param flags those of {@code - + # 0 ' @ ?} and blank that were given; {@code @} may also stand
 *     behind the width
 * @param width the least number of characters
 * @param precision the least number of digits, or the most characters of a string
 * @param size the length modifier, such as {@code ll}; may be empty
 * @param letter the conversion's letter
 * @param end the index in the format of the character behind it
 */
public record Conversion(
    String flags,
    Optional<Amount> width,
    Optional<Amount> precision,
    String size,
    char letter,
    int end) {
  /** Widths and precisions are bounded, so that a format cannot ask for gigabytes. */
  public static final int WIDTH_LIMIT = 4096;

  private static final String FLAGS = "-+#0 '@?";
  private static final String SIZES = "hlLjztw";

  /** A width or precision. */
  public sealed interface Amount {
    /** A number in the format. */
    record Fixed(int value) implements Amount {}

    /** {@code *}: an argument says it. */
    record Argument() implements Amount {}
  }

  /**
   * The conversion whose {@code %} stands at {@code start}.
   *
   * @throws EvalException with the place in {@code format} when it ends too early or a number in it
   *     is too large
   */
  public static Conversion parse(String format, int start) {
    int at = start + 1;
    while (at < format.length() && FLAGS.indexOf(format.charAt(at)) >= 0) {
      at++;
    }
    var flags = format.substring(start + 1, at);
    var width = new AmountReader(format, at);
    at = width.end;
    if (at < format.length() && format.charAt(at) == '@') {
      flags = flags + "@";
      at++;
    }
    Optional<Amount> precision = Optional.empty();
    if (at < format.length() && format.charAt(at) == '.') {
      var reader = new AmountReader(format, at + 1);
      precision = Optional.of(reader.amount.orElse(new Amount.Fixed(0)));
      at = reader.end;
    }
    int size = at;
    while (at < format.length() && SIZES.indexOf(format.charAt(at)) >= 0) {
      at++;
    }
    if (at >= format.length()) {
      throw new EvalException(
          new Span(start, format.length()), "the format ends inside a conversion");
    }
    return new Conversion(
        flags, width.amount, precision, format.substring(size, at), format.charAt(at), at + 1);
  }

  public boolean has(char flag) {
    return flags.indexOf(flag) >= 0;
  }

  /**
   * This conversion with the width and precision that arguments told; a negative width means to the
   * left, a negative precision none.
   */
  public Conversion with(Optional<Integer> newWidth, Optional<Integer> newPrecision) {
    var newFlags = flags;
    Optional<Amount> wide = width;
    if (newWidth.isPresent()) {
      int value = Math.clamp(newWidth.get(), -WIDTH_LIMIT, WIDTH_LIMIT);
      newFlags = value < 0 ? flags + "-" : flags;
      wide = Optional.of(new Amount.Fixed(Math.abs(value)));
    }
    Optional<Amount> precise = precision;
    if (newPrecision.isPresent()) {
      precise =
          newPrecision.get() < 0
              ? Optional.empty()
              : Optional.of(new Amount.Fixed(Math.min(newPrecision.get(), WIDTH_LIMIT)));
    }
    return new Conversion(newFlags, wide, precise, size, letter, end);
  }

  private static int fixed(Optional<Amount> amount, int otherwise) {
    return amount.isPresent() && amount.get() instanceof Amount.Fixed(int value)
        ? value
        : otherwise;
  }

  /** A signed number in base ten, as {@code %d}. */
  public String signed(long number) {
    return signed(number, 10);
  }

  public String signed(long number, int radix) {
    var digits = Long.toString(number, radix);
    boolean negative = digits.startsWith("-");
    return number(negative ? "-" : plus(), negative ? digits.substring(1) : digits);
  }

  /** An unsigned number in base ten, as {@code %u}. */
  public String unsigned(long number, int radix) {
    return number("", Long.toUnsignedString(number, radix));
  }

  /** As {@code %x}, or {@code %X} when {@code upper}. */
  public String hex(long number, boolean upper) {
    var digits = Long.toHexString(number);
    var prefix = has('#') && number != 0 ? "0x" : "";
    return upper
        ? number(prefix.toUpperCase(Locale.ROOT), digits.toUpperCase(Locale.ROOT))
        : number(prefix, digits);
  }

  /** As {@code %o}: with {@code #} it begins with a zero, which counts for the precision. */
  public String octal(long number) {
    var digits = Long.toOctalString(number);
    boolean enough = digits.length() < fixed(precision, 0) || digits.equals("0");
    return number("", has('#') && !enough ? "0" + digits : digits);
  }

  /** As {@code %s}: cut to the precision, filled to the width. */
  public String text(String text) {
    int limit = fixed(precision, text.length());
    return pad("", text.length() > limit ? text.substring(0, limit) : text, ' ');
  }

  /** As {@code %c}. */
  public String character(String character) {
    return pad("", character, ' ');
  }

  /** As {@code %f %e %g} and their capitals, which {@code style} is one of. */
  public String floating(double number, char style) {
    boolean upper = Character.isUpperCase(style);
    boolean negative = Double.doubleToRawLongBits(number) < 0;
    var sign = negative && !Double.isNaN(number) ? "-" : plus();
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      var name = Double.isNaN(number) ? "nan" : "inf";
      return pad(sign, upper ? name.toUpperCase(Locale.ROOT) : name, ' ');
    }
    var value = new BigDecimal(Math.abs(number));
    int places = fixed(precision, 6);
    var digits =
        switch (Character.toLowerCase(style)) {
          case 'e' -> exponential(value, places);
          case 'g' -> shortest(value, Math.max(1, places));
          default -> point(value.setScale(places, RoundingMode.HALF_EVEN).toPlainString());
        };
    return pad(sign, upper ? digits.toUpperCase(Locale.ROOT) : digits, has('0') ? '0' : ' ');
  }

  private String point(String digits) {
    return has('#') && digits.indexOf('.') < 0 ? digits + "." : digits;
  }

  private String exponential(BigDecimal value, int places) {
    var rounded = value.round(new MathContext(places + 1, RoundingMode.HALF_EVEN));
    int exponent = value.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
    var digits = rounded.unscaledValue().toString();
    var mantissa = digits + "0".repeat(Math.max(0, places + 1 - digits.length()));
    var text =
        places == 0
            ? mantissa.substring(0, 1)
            : mantissa.charAt(0) + "." + mantissa.substring(1, places + 1);
    return point(text)
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }

  private String shortest(BigDecimal value, int places) {
    var rounded = value.round(new MathContext(places, RoundingMode.HALF_EVEN));
    int exponent = value.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
    if (exponent < -4 || exponent >= places) {
      var text = exponential(value, places - 1);
      int e = text.indexOf('e');
      return has('#') ? text : trimmed(text.substring(0, e)) + text.substring(e);
    }
    var plain = value.setScale(places - 1 - exponent, RoundingMode.HALF_EVEN).toPlainString();
    return has('#') ? point(plain) : trimmed(plain);
  }

  private static String trimmed(String digits) {
    if (digits.indexOf('.') < 0) {
      return digits;
    }
    int end = digits.length();
    while (digits.charAt(end - 1) == '0') {
      end--;
    }
    return digits.substring(0, digits.charAt(end - 1) == '.' ? end - 1 : end);
  }

  private String plus() {
    return has('+') ? "+" : has(' ') ? " " : "";
  }

  /** The precision is the least number of digits, and of none of them for a zero. */
  private String number(String prefix, String digits) {
    int least = fixed(precision, 1);
    var shown = least == 0 && digits.equals("0") ? "" : digits;
    shown = "0".repeat(Math.max(0, least - shown.length())) + shown;
    return pad(prefix, shown, has('0') && precision.isEmpty() ? '0' : ' ');
  }

  private String pad(String prefix, String text, char fill) {
    int gap = Math.max(0, fixed(width, 0) - prefix.length() - text.length());
    if (gap == 0) {
      return prefix + text;
    }
    if (has('-')) {
      return prefix + text + " ".repeat(gap);
    }
    return fill == '0' ? prefix + "0".repeat(gap) + text : " ".repeat(gap) + prefix + text;
  }

  /** Reads a number or {@code *}. */
  private static final class AmountReader {
    private final Optional<Amount> amount;
    private final int end;

    AmountReader(String format, int start) {
      if (start < format.length() && format.charAt(start) == '*') {
        amount = Optional.of(new Amount.Argument());
        end = start + 1;
        return;
      }
      int at = start;
      int value = 0;
      while (at < format.length() && format.charAt(at) >= '0' && format.charAt(at) <= '9') {
        value = value * 10 + format.charAt(at) - '0';
        at++;
        if (value > WIDTH_LIMIT) {
          throw new EvalException(
              new Span(start, at), "a width in the format is larger than " + WIDTH_LIMIT);
        }
      }
      amount = at == start ? Optional.empty() : Optional.of(new Amount.Fixed(value));
      end = at;
    }
  }
}
