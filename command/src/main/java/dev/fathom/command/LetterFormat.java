// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.UsageException;
import dev.fathom.model.FloatFormat;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import java.math.BigInteger;
import java.nio.ByteOrder;

/**
 * A value's bytes as one of gdb's format letters shows them: {@code x d u o t a c f z}. The letter
 * decides, the value's type gives no more than its size.
 */
public final class LetterFormat {
  private static final String LETTERS = "xduotacfzsir";

  private LetterFormat() {}

  /**
   * @throws UsageException unless {@code letter} is one of gdb's
   */
  public static char checked(char letter) {
    if (LETTERS.indexOf(letter) < 0) {
      throw new UsageException("'" + letter + "' is no format: x d u o t a c f s z i r");
    }
    return letter;
  }

  /**
   * The text of a scalar. Reads memory.
   *
   * @param padded whether hexadecimal and binary numbers have all digits of their size
   */
  static String of(Value value, char letter, boolean padded) {
    var program = value.program();
    int size = (int) Math.max(1, Math.min(16, value.type().bytes()));
    var unsigned = unsigned(value, size);
    boolean byteUnsigned =
        letter == 'c' && size == 1 && value.type().resolved() instanceof IntType i && !i.signed();
    return byteUnsigned
        ? character(unsigned.longValue())
        : of(program, unsigned, size, letter, padded);
  }

  /** The text of a number of {@code size} bytes. */
  public static String of(
      Program program, BigInteger unsigned, int size, char letter, boolean padded) {
    int bits = size * 8;
    var signed =
        unsigned.testBit(bits - 1) ? unsigned.subtract(BigInteger.ONE.shiftLeft(bits)) : unsigned;
    return switch (letter) {
      case 'd' -> signed.toString();
      case 'u' -> unsigned.toString();
      case 'o' -> unsigned.signum() == 0 ? "0" : "0" + unsigned.toString(8);
      case 't' -> padded ? zeros(unsigned.toString(2), bits) : unsigned.toString(2);
      case 'z' -> "0x" + zeros(unsigned.toString(16), size * 2);
      case 'c' -> character(size == 1 ? signed.longValue() : unsigned.byteValue());
      case 'a' -> address(program, unsigned.longValue());
      case 'f' -> floating(program, unsigned, signed, size);
      default -> "0x" + (padded ? zeros(unsigned.toString(16), size * 2) : unsigned.toString(16));
    };
  }

  private static BigInteger unsigned(Value value, int size) {
    BigInteger number;
    if (value.type().resolved() instanceof FloatType) {
      var bytes = value.bytes(16);
      boolean little = value.program().memory().layout().order() == ByteOrder.LITTLE_ENDIAN;
      var big = new byte[bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        big[i] = bytes[little ? bytes.length - 1 - i : i];
      }
      number = new BigInteger(1, big);
    } else {
      number = value.asInteger();
    }
    return number.mod(BigInteger.ONE.shiftLeft(size * 8));
  }

  private static String zeros(String digits, int width) {
    return "0".repeat(Math.max(0, width - digits.length())) + digits;
  }

  /** As gdb shows a character: its number, and itself in quotes. */
  public static String character(long bits) {
    return bits + " " + CharacterText.character(bits);
  }

  private static String address(Program program, long bits) {
    var symbol = program.symbols().at(bits);
    return "0x"
        + Long.toHexString(bits)
        + symbol.map(located -> " <" + located.text() + ">").orElse("");
  }

  /** Bytes of a size that no floating-point format has are a whole number. */
  private static String floating(
      Program program, BigInteger unsigned, BigInteger signed, int size) {
    if (size != 2 && size != 4 && size != 8 && size != 16) {
      return signed.toString();
    }
    var bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = unsigned.shiftRight(8 * i).byteValue();
    }
    var format = FloatFormat.of(new FloatType("", size), program);
    return format.decode(bytes, ByteOrder.LITTLE_ENDIAN).text(format.digits());
  }
}
