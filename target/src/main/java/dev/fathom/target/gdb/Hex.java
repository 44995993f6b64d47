// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Bytes and numbers as hexadecimal digits, the protocol's usual form; decodes without streams. */
final class Hex {
  private static final byte[] DIGITS = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
  };

  private static final byte[] VALUES = values();

  /** Eight bytes of an array as a number; many digits are looked at at once. */
  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final VarHandle FOUR =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long HIGH = 0x8080808080808080L;
  private static final long EVEN = 0x00ff00ff00ff00ffL;
  private static final long ONES = 0x0101010101010101L;

  private Hex() {}

  /**
   * The end of the longest run of whole eights of bytes from {@code from} on that are between 0 and
   * f in ASCII: digits, never a byte that frames a packet.
   */
  static int plainEights(byte[] text, int from, int limit) {
    int at = from;
    while (at + 8 <= limit && isPlain((long) EIGHT.get(text, at))) {
      at += 8;
    }
    return at;
  }

  /** The sum of whole eights of bytes that are below 0x80. */
  static int sumOfEights(byte[] text, int from, int to) {
    int sum = 0;
    for (int at = from; at < to; at += 8) {
      long eight = (long) EIGHT.get(text, at);
      long four = (eight & EVEN) + ((eight >>> 8) & EVEN);
      sum += (int) ((four * 0x0001000100010001L) >>> 48);
    }
    return sum;
  }

  /** Whether each of eight bytes lies between 0x30 and 0x66. */
  private static boolean isPlain(long eight) {
    return ((eight | (eight - 0x30 * ONES) | (eight + 0x19 * ONES)) & HIGH) == 0;
  }

  /** Whether each of eight bytes is a digit or a lower-case letter up to f. */
  private static boolean isLowerHex(long eight) {
    long letters = (eight >>> 6) & ONES;
    long nibbles = nibbles(eight);
    // What has bit 6 must be above 9, and nothing else may; a byte below a digit is negative.
    long aboveNine = (nibbles + 0x76 * ONES) & HIGH;
    return isPlain(eight) && (nibbles & HIGH) == 0 && aboveNine == letters << 7;
  }

  /** What eight digits stand for; letters, 0x61 to 0x66, have bit 6 set and follow 9. */
  private static long nibbles(long eight) {
    return eight - 0x30 * ONES - ((eight >>> 6) & ONES) * 0x27;
  }

  private static byte[] values() {
    var values = new byte[256];
    Arrays.fill(values, (byte) -1);
    for (int i = 0; i < 16; i++) {
      values[DIGITS[i]] = (byte) i;
      values[Character.toUpperCase(DIGITS[i])] = (byte) i;
    }
    return values;
  }

  /** The digit's value, or -1 when {@code character} is none. */
  static int value(int character) {
    return character < 256 && character >= 0 ? VALUES[character] : -1;
  }

  static byte digit(int nibble) {
    return DIGITS[nibble & 15];
  }

  /**
   * Decodes pairs of digits from {@code text} at {@code from} on.
   *
   * @return the number of bytes decoded; fewer than {@code count} when the text ends or something
   *     else than a pair of digits stands there
   */
  static int decode(byte[] text, int from, byte[] into, int at, int count) {
    int most = Math.min(count, (text.length - from) / 2);
    int i = 0;
    for (int t = from; i + 4 <= most; i += 4, t += 8) {
      long eight = (long) EIGHT.get(text, t);
      if (!isLowerHex(eight)) {
        break;
      }
      long nibbles = nibbles(eight);
      long pairs = ((nibbles << 4) | (nibbles >>> 8)) & 0x00ff00ff00ff00ffL;
      long four = (pairs | (pairs >>> 8)) & 0x0000ffff0000ffffL;
      FOUR.set(into, at + i, (int) (four | (four >>> 16)));
    }
    for (int t = from + 2 * i; i < most; i++, t += 2) {
      int value = VALUES[text[t] & 0xff] << 4 | VALUES[text[t + 1] & 0xff];
      if (value < 0) {
        return i;
      }
      into[at + i] = (byte) value;
    }
    return Math.max(most, 0);
  }

  static String encode(byte[] bytes, int from, int count) {
    var text = new byte[2 * count];
    for (int i = 0; i < count; i++) {
      text[2 * i] = digit(bytes[from + i] >> 4);
      text[2 * i + 1] = digit(bytes[from + i]);
    }
    return new String(text, java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  static String encode(byte[] bytes) {
    return encode(bytes, 0, bytes.length);
  }
}
