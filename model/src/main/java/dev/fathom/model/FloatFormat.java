// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.EvalException;
import dev.fathom.model.type.FloatType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteOrder;

/**
 * How a floating-point number is kept in bytes: the binary formats of IEEE 754-2008 section 3.4 and
 * the 80-bit one of the x87 (Intel SDM volume 1, section 4.2.2), whose leading bit is stored.
 */
public enum FloatFormat {
  HALF(2, 11, 15, false, 5),

  /** The upper half of a {@link #SINGLE}. */
  BFLOAT16(2, 8, 127, false, 4),

  SINGLE(4, 24, 127, false, 9),
  DOUBLE(8, 53, 1023, false, 17),
  X87(10, 64, 16383, true, 21),
  QUAD(16, 113, 16383, false, 36);

  private final int bytes;
  private final int significand;
  private final int bias;
  private final boolean leading;
  private final int digits;

  FloatFormat(int bytes, int significand, int bias, boolean leading, int digits) {
    this.bytes = bytes;
    this.significand = significand;
    this.bias = bias;
    this.leading = leading;
    this.digits = digits;
  }

  /** The bytes that count; a type may have padding behind them. */
  public int bytes() {
    return bytes;
  }

  /** Decimal digits that tell any two of its numbers apart. */
  public int digits() {
    return digits;
  }

  /**
   * The format of a type.
   *
   * @param x86 whether {@code long double} is the x87's
   * @throws EvalException when no format has that size
   */
  public static FloatFormat of(FloatType type, boolean x86) {
    return switch ((int) Math.min(type.bytes(), 99)) {
      case 2 -> type.name().equals("bfloat16") ? BFLOAT16 : HALF;
      case 4 -> SINGLE;
      case 8 -> DOUBLE;
      case 10, 12 -> X87;
      case 16 -> x86 && !type.name().contains("128") ? X87 : QUAD;
      default ->
          throw new EvalException(
              "'" + type.name() + "' of " + type.bytes() + " bytes is no known number format");
    };
  }

  /** The format of a type in {@code program}. */
  public static FloatFormat of(FloatType type, Program program) {
    return type.bytes() <= 8
        ? of(type, true)
        : of(type, !program.architecture().name().equals("aarch64"));
  }

  /** The number in {@code raw}, of which the first {@link #bytes()} count. */
  public Real decode(byte[] raw, ByteOrder order) {
    var bits = new BigInteger(1, ordered(raw, order));
    int fieldBits = significand - (leading ? 0 : 1);
    var fraction = bits.and(mask(fieldBits));
    int exponentBits = bytes * 8 - 1 - fieldBits;
    int exponent = bits.shiftRight(fieldBits).and(mask(exponentBits)).intValue();
    boolean negative = bits.testBit(bytes * 8 - 1);
    if (exponent == (1 << exponentBits) - 1) {
      boolean infinite = leading ? fraction.clearBit(63).signum() == 0 : fraction.signum() == 0;
      return Real.of(!infinite ? Double.NaN : negative ? -1.0 / 0 : 1.0 / 0);
    }
    if (!leading && exponent > 0) {
      fraction = fraction.setBit(fieldBits);
    }
    if (fraction.signum() == 0) {
      return Real.of(negative ? -0.0 : 0.0);
    }
    int power = Math.max(exponent, 1) - bias - (significand - 1);
    var magnitude =
        power >= 0
            ? new BigDecimal(fraction.shiftLeft(power))
            : new BigDecimal(fraction.multiply(BigInteger.valueOf(5).pow(-power)), -power);
    return Real.of(negative ? magnitude.negate() : magnitude);
  }

  /** The nearest number that this format has. */
  public Real round(Real value) {
    return value.rounded(significand, 1 - bias, bias);
  }

  /** The bytes of the nearest number that this format has, {@code size} of them. */
  public byte[] encode(Real value, int size, ByteOrder order) {
    var number = round(value);
    int fieldBits = significand - (leading ? 0 : 1);
    int exponentBits = bytes * 8 - 1 - fieldBits;
    BigInteger bits;
    boolean negative;
    if (!number.isFinite() || number.isZero()) {
      double special = number.special();
      negative = special < 0 || (special == 0 && 1 / special < 0);
      bits =
          number.isZero()
              ? BigInteger.ZERO
              : mask(exponentBits).shiftLeft(fieldBits).or(leading ? bit(63) : BigInteger.ZERO);
      if (number.isNan()) {
        bits = bits.or(bit(significand - 2));
      }
    } else {
      negative = number.exact().signum() < 0;
      int exponent = Math.max(number.exponent(), 1 - bias);
      var units = number.scaled(significand - 1 - exponent).abs();
      boolean normal = units.bitLength() == significand;
      var field = leading || !normal ? units : units.clearBit(fieldBits);
      bits = BigInteger.valueOf(normal ? exponent + bias : 0).shiftLeft(fieldBits).or(field);
    }
    if (negative) {
      bits = bits.setBit(bytes * 8 - 1);
    }
    var raw = new byte[size];
    for (int i = 0; i < Math.min(bytes, size); i++) {
      byte b = bits.shiftRight(i * 8).byteValue();
      raw[order == ByteOrder.LITTLE_ENDIAN ? i : size - 1 - i] = b;
    }
    return raw;
  }

  private byte[] ordered(byte[] raw, ByteOrder order) {
    var big = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      big[i] = raw[order == ByteOrder.LITTLE_ENDIAN ? bytes - 1 - i : raw.length - bytes + i];
    }
    return big;
  }

  private static BigInteger mask(int bits) {
    return bit(bits).subtract(BigInteger.ONE);
  }

  private static BigInteger bit(int index) {
    return BigInteger.ONE.shiftLeft(index);
  }
}
