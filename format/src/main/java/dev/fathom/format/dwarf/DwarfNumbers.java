// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteCursor;

/** Numbers whose size stands elsewhere. */
final class DwarfNumbers {
  private DwarfNumbers() {}

  /** An address with the bits above its width removed. */
  static long address(Encoding encoding, long bits) {
    int size = encoding.addressSize();
    return size == 8 ? bits : bits & ((1L << (size * 8)) - 1);
  }

  /** An unsigned number of {@code size} bytes. */
  static long unsigned(ByteCursor in, int size) {
    return switch (size) {
      case 1 -> in.u8();
      case 2 -> in.u16();
      case 4 -> in.u32();
      case 8 -> in.u64();
      default -> throw in.bad(in.offset(), "number of " + size + " bytes, expected 1, 2, 4 or 8");
    };
  }

  /** A signed number of {@code size} bytes. */
  static long signed(ByteCursor in, int size) {
    int unused = 64 - size * 8;
    return unsigned(in, size) << unused >> unused;
  }

  /**
   * A length that fits what is left of the source.
   *
   * @param what names it in the error
   */
  static long length(ByteCursor in, long at, long length, String what) {
    if (length < 0 || length > in.remaining()) {
      throw in.bad(
          at,
          what
              + " of "
              + Long.toUnsignedString(length)
              + " bytes, but only "
              + in.remaining()
              + " are left");
    }
    return length;
  }
}
