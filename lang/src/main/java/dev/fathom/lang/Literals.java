// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.FloatFormat;
import dev.fathom.model.Real;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;

/** The constants of C11 section 6.4.4, and binary ones. */
final class Literals {
  private static final IntType WCHAR = new IntType("wchar_t", 4, true, true);
  private static final IntType CHAR16 = new IntType("char16_t", 2, false, true);
  private static final IntType CHAR32 = new IntType("char32_t", 4, false, true);

  /** More digits than any format tells apart, and more than a number needs to be out of range. */
  private static final int DIGITS_LIMIT = 12_000;

  private static final int EXPONENT_LIMIT = 20_000;

  private Literals() {}

  static Expr number(Token token, CTypes types) {
    var text = token.text().toLowerCase(Locale.ROOT);
    int last = text.length() - 1;
    return text.length() > 1 && text.charAt(last) == 'i'
        ? new Expr.Imaginary(token.span(), number(token, text.substring(0, last), types))
        : number(token, text, types);
  }

  private static Expr number(Token token, String text, CTypes types) {
    boolean hex = text.startsWith("0x");
    boolean fraction =
        text.indexOf('.') >= 0 || (hex ? text.indexOf('p') >= 0 : text.indexOf('e') >= 0);
    return fraction && !text.startsWith("0b")
        ? fraction(token, text, hex, types)
        : whole(token, text, types);
  }

  private static Expr whole(Token token, String text, CTypes types) {
    int end = text.length();
    int unsigneds = 0;
    int longs = 0;
    while (end > 1 && "ul".indexOf(text.charAt(end - 1)) >= 0) {
      if (text.charAt(end - 1) == 'u') {
        unsigneds++;
      } else {
        longs++;
      }
      end--;
    }
    boolean suffix = unsigneds <= 1 && longs <= 2 && !text.endsWith("lul");
    var digits = text.substring(0, end);
    int radix =
        digits.startsWith("0x")
            ? 16
            : digits.startsWith("0b") ? 2 : digits.length() > 1 && digits.startsWith("0") ? 8 : 10;
    long value;
    try {
      var bare = radix == 16 || radix == 2 ? digits.substring(2) : digits;
      if (!suffix || bare.startsWith("+") || bare.startsWith("-")) {
        throw notNumber(token);
      }
      value = Long.parseUnsignedLong(bare, radix);
    } catch (NumberFormatException e) {
      throw notNumber(token);
    }
    return new Expr.Number(
        token.span(), value, types.constant(value, unsigneds == 1, longs, radix == 10));
  }

  private static EvalException notNumber(Token token) {
    return new EvalException(
        token.span(),
        "'"
            + token.text()
            + "' at column "
            + Cursor.column(token)
            + " is not a number of at most 64 bits");
  }

  private static Expr fraction(Token token, String text, boolean hex, CTypes types) {
    char last = text.charAt(text.length() - 1);
    boolean suffix = last == 'l' || (last == 'f' && (!hex || text.indexOf('p') >= 0));
    FloatType type = !suffix ? CTypes.DOUBLE : last == 'f' ? CTypes.FLOAT : types.longDouble();
    var digits = suffix ? text.substring(0, text.length() - 1) : text;
    try {
      if (digits.length() > DIGITS_LIMIT) {
        throw notFraction(token);
      }
      var value = hex ? hexadecimal(digits, token) : decimal(digits);
      return new Expr.Fraction(token.span(), FloatFormat.of(type, true).round(value), type);
    } catch (NumberFormatException e) {
      throw notFraction(token);
    }
  }

  private static EvalException notFraction(Token token) {
    return new EvalException(
        token.span(),
        "'" + token.text() + "' at column " + Cursor.column(token) + " is not a number");
  }

  private static Real decimal(String text) {
    int e = text.indexOf('e');
    var mantissa = new BigDecimal(e < 0 ? text : text.substring(0, e));
    return Real.of(mantissa.scaleByPowerOfTen(e < 0 ? 0 : exponent(text.substring(e + 1))));
  }

  private static Real hexadecimal(String text, Token token) {
    int p = text.indexOf('p');
    if (p < 0) {
      throw notFraction(token);
    }
    var mantissa = text.substring(2, p);
    int dot = mantissa.indexOf('.');
    int places = dot < 0 ? 0 : mantissa.length() - dot - 1;
    var units = new BigInteger(mantissa.replaceFirst("\\.", ""), 16);
    int power = exponent(text.substring(p + 1)) - 4 * places;
    return Real.of(
        power >= 0
            ? new BigDecimal(units.shiftLeft(power))
            : new BigDecimal(units.multiply(BigInteger.valueOf(5).pow(-power)), -power));
  }

  private static int exponent(String text) {
    long value = Long.parseLong(text);
    return Math.clamp(value, -EXPONENT_LIMIT, EXPONENT_LIMIT);
  }

  /** The type of the characters of a constant with this prefix. */
  static IntType unit(String prefix) {
    return switch (prefix) {
      case "L" -> WCHAR;
      case "u" -> CHAR16;
      case "U" -> CHAR32;
      default -> CTypes.CHAR;
    };
  }

  /** A character constant; one of several characters is packed into an {@code int}, as gcc does. */
  static Expr character(Token token) {
    var text = token.text();
    var unit = unit(token.prefix());
    if (text.isEmpty()) {
      throw Cursor.wrong(token.span(), "a character constant holds at least one character");
    }
    if (text.codePointCount(0, text.length()) == 1) {
      return new Expr.Number(token.span(), CTypes.fit(text.codePointAt(0), unit), unit);
    }
    if (!token.prefix().isEmpty()) {
      throw Cursor.wrong(token.span(), "a wide character constant holds one character");
    }
    return new Expr.Quoted(token.span(), text);
  }

  /** The value of several characters: the first is the most significant. */
  static long packed(String text) {
    int value = 0;
    for (int i = 0; i < text.length(); i++) {
      value = value << 8 | (text.charAt(i) & 0xff);
    }
    return value;
  }
}
