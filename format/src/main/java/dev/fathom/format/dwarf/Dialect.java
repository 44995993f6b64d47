// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.nio.ByteOrder;

/**
 * What the reader of a stretch of DWARF must know of its unit: sizes that the bytes themselves do
 * not tell.
 *
 * @param version the unit's version, 2 to 5
 * @param offsetSize the size in bytes of a section offset: 4, or 8 in 64-bit DWARF
 * @param addressSize the size in bytes of a target address: 2, 4 or 8
 */
public record Dialect(ByteOrder order, int version, int offsetSize, int addressSize) {
  /** 64-bit addresses, least significant byte first, 32-bit DWARF 5. */
  public static final Dialect LITTLE_64 = new Dialect(ByteOrder.LITTLE_ENDIAN, 5, 4, 8);

  /** A number with the bits above an address's width removed. */
  long address(long bits) {
    return addressSize == 8 ? bits : bits & ((1L << (addressSize * 8)) - 1);
  }
}
