// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/**
 * A member of a structure or union.
 *
 * @param name empty for an anonymous structure or union
 * @param bitOffset distance from the start of the structure, in bits
 * @param bitSize the width of a bit-field in bits; 0 when it is none
 */
public record Member(String name, CType type, long bitOffset, int bitSize) {
  public boolean isBitField() {
    return bitSize != 0;
  }

  public long byteOffset() {
    return bitOffset / 8;
  }
}
