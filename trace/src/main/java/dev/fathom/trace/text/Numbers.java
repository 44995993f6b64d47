// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.text;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Floating-point numbers as C's {@code printf} writes them: rounded from their exact value. */
public final class Numbers {
  private Numbers() {}

  /** {@code %.{digits}f}. */
  public static String fixed(double value, int digits) {
    if (!Double.isFinite(value)) {
      return special(value);
    }
    var text = new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
    return negativeZero(value, text) ? "-" + text : text;
  }

  /** {@code %.{digits}e}. */
  public static String scientific(double value, int digits) {
    if (!Double.isFinite(value)) {
      return special(value);
    }
    var sign = value < 0 || negativeZero(value, "") ? "-" : "";
    if (value == 0) {
      return sign + "0" + (digits > 0 ? "." + "0".repeat(digits) : "") + "e+00";
    }
    var rounded = rounded(value, digits + 1);
    var unscaled = rounded.unscaledValue().toString();
    int exponent = unscaled.length() - 1 - rounded.scale();
    unscaled += "0".repeat(Math.max(0, digits + 1 - unscaled.length()));
    var mantissa =
        digits == 0
            ? unscaled.substring(0, 1)
            : unscaled.charAt(0) + "." + unscaled.substring(1, digits + 1);
    return sign + mantissa + exponentText(exponent);
  }

  /**
   * {@code %.{digits}g}.
   *
   * @param alternate whether zeros at the end stay (flag {@code #})
   */
  public static String general(double value, int digits, boolean alternate) {
    if (!Double.isFinite(value)) {
      return special(value);
    }
    int precision = Math.max(digits, 1);
    if (value == 0) {
      var zero = alternate && precision > 1 ? "0." + "0".repeat(precision - 1) : "0";
      return negativeZero(value, zero) ? "-" + zero : zero;
    }
    var rounded = rounded(value, precision);
    int exponent = rounded.precision() - 1 - rounded.scale();
    if (exponent < -4 || exponent >= precision) {
      var text = scientific(value, precision - 1);
      int e = text.indexOf('e');
      return (alternate ? text.substring(0, e) : strip(text.substring(0, e))) + text.substring(e);
    }
    var text = fixed(value, precision - 1 - exponent);
    return alternate ? text : strip(text);
  }

  private static BigDecimal rounded(double value, int precision) {
    return new BigDecimal(Math.abs(value))
        .round(new MathContext(precision, RoundingMode.HALF_EVEN));
  }

  private static String exponentText(int exponent) {
    int size = Math.abs(exponent);
    return (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
  }

  private static String strip(String text) {
    if (text.indexOf('.') < 0) {
      return text;
    }
    int end = text.length();
    while (text.charAt(end - 1) == '0') {
      end--;
    }
    return text.substring(0, text.charAt(end - 1) == '.' ? end - 1 : end);
  }

  private static boolean negativeZero(double value, String text) {
    boolean negative = Double.doubleToRawLongBits(value) < 0;
    return negative && !text.startsWith("-");
  }

  private static String special(double value) {
    return Double.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  }
}
