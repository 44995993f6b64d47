// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * A floating-point number of any precision: exact when it is finite.
 *
 * @param special an infinity, a NaN or a zero; not used for other numbers
 * @param exact the value of any other number; zero when {@code special} is meant
 */
public record Real(double special, BigDecimal exact) {
  /** Powers of ten beyond what any format holds: such numbers are infinite, or zero. */
  private static final int EXPONENT_LIMIT = 5200;

  private static final MathContext DIVISION = new MathContext(80, RoundingMode.HALF_EVEN);
  private static final BigInteger TWO = BigInteger.TWO;

  public static Real of(double value) {
    return Double.isFinite(value) && value != 0
        ? new Real(0, new BigDecimal(value))
        : new Real(value, BigDecimal.ZERO);
  }

  public static Real of(BigDecimal value) {
    if (value.signum() == 0) {
      return of(0.0);
    }
    long magnitude = (long) value.precision() - value.scale();
    if (magnitude > EXPONENT_LIMIT) {
      return of(value.signum() * Double.POSITIVE_INFINITY);
    }
    return magnitude < -EXPONENT_LIMIT ? of(value.signum() * 0.0) : new Real(0, value);
  }

  public static Real of(BigInteger value) {
    return of(new BigDecimal(value));
  }

  /** Whether it is a NaN, an infinity or a zero. */
  private boolean isSpecial() {
    return exact.signum() == 0;
  }

  public boolean isZero() {
    return isSpecial() && special == 0;
  }

  public boolean isFinite() {
    return !isSpecial() || Double.isFinite(special);
  }

  /** The nearest {@code double}. */
  public double toDouble() {
    return isSpecial() ? special : exact.doubleValue();
  }

  /** The whole number that is left when the fraction is cut off; zero for infinities and NaNs. */
  public BigInteger toInteger() {
    return exact.toBigInteger();
  }

  public Real negate() {
    return isSpecial() ? of(-special) : new Real(0, exact.negate());
  }

  public Real add(Real other) {
    return isSpecial() && other.isSpecial()
        ? of(special + other.special)
        : both(other) ? of(exact.add(other.exact)) : of(toDouble() + other.toDouble());
  }

  public Real subtract(Real other) {
    return add(other.negate());
  }

  public Real multiply(Real other) {
    return isSpecial() || other.isSpecial()
        ? of(sign() * other.sign())
        : of(exact.multiply(other.exact));
  }

  public Real divide(Real other) {
    return isSpecial() || other.isSpecial()
        ? of(sign() / other.sign())
        : of(exact.divide(other.exact, DIVISION));
  }

  /** A number that behaves as this one beside zeros, infinities and NaNs. */
  private double sign() {
    return isSpecial() ? special : exact.signum();
  }

  private boolean both(Real other) {
    return isFinite() && other.isFinite();
  }

  /** Below 0, 0 or above 0; numbers that are not ordered are told by {@link #isNan}. */
  public int compareTo(Real other) {
    return both(other)
        ? exact.compareTo(other.exact)
        : Double.compare(toDouble(), other.toDouble());
  }

  public boolean isNan() {
    return isSpecial() && Double.isNaN(special);
  }

  /**
   * The nearest number with so many bits of significance, ties to even.
   *
   * @param least the exponent of the least normal number: numbers below lose bits
   * @param most the exponent of the greatest number: numbers above are infinite
   */
  Real rounded(int bits, int least, int most) {
    if (isSpecial()) {
      return this;
    }
    int exponent = Math.max(exponent(), least);
    var units = scaled(bits - 1 - exponent);
    if (units.bitLength() > bits) {
      exponent++;
    }
    if (exponent > most) {
      return of(exact.signum() * Double.POSITIVE_INFINITY);
    }
    if (units.signum() == 0) {
      return of(exact.signum() * 0.0);
    }
    int shift = exponent() < least ? bits - 1 - least : bits - 1 - exponent();
    return of(shifted(new BigDecimal(scaled(shift)), -shift));
  }

  /** The power of two that its first bit stands for; 0 for zeros, infinities and NaNs. */
  int exponent() {
    if (isSpecial()) {
      return 0;
    }
    var magnitude = exact.abs();
    int guess = (int) Math.floor((magnitude.precision() - magnitude.scale() - 1) / 0.30103) - 1;
    var power = shifted(BigDecimal.ONE, guess);
    while (power.compareTo(magnitude) <= 0) {
      power = power.multiply(BigDecimal.TWO);
      guess++;
    }
    while (power.compareTo(magnitude) > 0) {
      power = shifted(BigDecimal.ONE, --guess);
    }
    return guess;
  }

  /** The magnitude times two to the power of {@code shift}, rounded to a whole number. */
  BigInteger scaled(int shift) {
    return shifted(exact.abs(), shift)
        .setScale(0, RoundingMode.HALF_EVEN)
        .toBigInteger()
        .multiply(BigInteger.valueOf(exact.signum()));
  }

  private static BigDecimal shifted(BigDecimal value, int shift) {
    return shift >= 0
        ? value.multiply(new BigDecimal(TWO.pow(shift)))
        : value.multiply(new BigDecimal(BigInteger.valueOf(5).pow(-shift), -shift));
  }

  /** As C's {@code %.<digits>g} has it. */
  public String text(int digits) {
    if (isNan()) {
      return "nan";
    }
    if (isSpecial()) {
      boolean negative = special < 0 || (special == 0 && 1 / special < 0);
      return (negative ? "-" : "") + (special == 0 ? "0" : "inf");
    }
    var value = exact.abs().round(new MathContext(digits, RoundingMode.HALF_EVEN));
    int exponent = value.precision() - value.scale() - 1;
    var all = value.unscaledValue().toString();
    var figures = all.replaceAll("0+$", "");
    var text = new StringBuilder(exact.signum() < 0 ? "-" : "");
    if (exponent < -4 || exponent >= digits) {
      text.append(figures.charAt(0));
      text.append(figures.length() > 1 ? "." + figures.substring(1) : "");
      text.append(exponent < 0 ? "e-" : "e+");
      text.append(Math.abs(exponent) < 10 ? "0" : "").append(Math.abs(exponent));
    } else if (exponent < 0) {
      text.append("0.").append("0".repeat(-exponent - 1)).append(figures);
    } else if (figures.length() <= exponent + 1) {
      text.append(figures).append("0".repeat(exponent + 1 - figures.length()));
    } else {
      text.append(figures, 0, exponent + 1).append('.').append(figures.substring(exponent + 1));
    }
    return text.toString();
  }
}
