// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.OptionalLong;

/**
 * One value in a command's result. Text shows it as the column or layout asks; JSON shows addresses
 * and hexadecimal numbers as strings such as {@code "0xffffffff81000000"}, decimal numbers as
 * numbers, absent values as {@code null}.
 */
public sealed interface Cell {
  /** The base in which a number is shown. */
  enum Radix {
    BINARY(2),
    OCTAL(8),
    DECIMAL(10),
    HEX(16);

    private final int base;

    Radix(int base) {
      this.base = base;
    }

    public int base() {
      return base;
    }
  }

  /**
   * An address of the target; text shows it in lower-case hexadecimal, padded to the word size,
   * without prefix.
   */
  record Address(long value) implements Cell {}

  /**
   * An address shown by name; {@code text} is {@code symbol+0x10} or, without a symbol, the
   * hexadecimal address.
   */
  record Symbolic(long address, String text) implements Cell {}

  /**
   * A whole number.
   *
   * @param signed whether {@code value} is a signed or an unsigned 64-bit number
   * @param prefix whether text shows mdb's base prefix ({@code 0x}, {@code 0t}, {@code 0}) where
   *     the number needs one
   */
  record Int(long value, Radix radix, boolean signed, boolean prefix) implements Cell {}

  record Real(double value) implements Cell {}

  record Text(String value) implements Cell {}

  record Flag(boolean value) implements Cell {}

  /**
   * A value that is not there, and why: {@code not in the dump}, {@code no such member in this
   * kernel}.
   *
   * @param unreadable whether it exists and the target cannot give it
   */
  record Absent(String why, boolean unreadable) implements Cell {
    /** A value that does not exist, or is not known by its nature. */
    public Absent(String why) {
      this(why, false);
    }
  }

  static Cell decimal(long value) {
    return new Int(value, Radix.DECIMAL, true, false);
  }

  /** The number, or why it is absent. */
  static Cell decimal(OptionalLong value, String why) {
    return value.isPresent() ? decimal(value.getAsLong()) : new Absent(why);
  }

  static Cell unsigned(long value) {
    return new Int(value, Radix.DECIMAL, false, false);
  }

  static Cell hex(long value) {
    return new Int(value, Radix.HEX, false, true);
  }

  static Cell bareHex(long value) {
    return new Int(value, Radix.HEX, false, false);
  }

  static Cell address(long value) {
    return new Address(value);
  }

  /** A value that exists, but cannot be read. */
  static Cell unreadable(String why) {
    return new Absent(why, true);
  }

  static Cell text(String value) {
    return new Text(value);
  }
}
