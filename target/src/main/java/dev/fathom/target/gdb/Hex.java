// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.util.Arrays;

/** Bytes and numbers as hexadecimal digits, the protocol's usual form; decodes without streams. */
final class Hex {
  private static final byte[] DIGITS = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
  };

  private static final byte[] VALUES = values();

  private Hex() {}

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
    for (int i = 0, t = from; i < most; i++, t += 2) {
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
