// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.nio.ByteOrder;

/**
 * What the sizes of forms depend on.
 *
 * @param order the byte order of the file
 * @param version the DWARF version of the unit or table, 2 to 5
 * @param offsetSize the bytes of an offset into a section: 4 in 32-bit DWARF, 8 in 64-bit DWARF
 * @param addressSize the bytes of an address of the target: 1, 2, 4 or 8
 */
public record Encoding(ByteOrder order, int version, int offsetSize, int addressSize) {}
