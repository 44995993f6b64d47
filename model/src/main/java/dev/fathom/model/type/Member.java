// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/**
 * A member of a structure or union.
 *
 * @param name empty for an anonymous structure or union, and for a base class
 * @param bitOffset distance from the start of the structure, in bits
 * @param bitSize the width of a bit-field in bits; 0 when it is none
 * @param kind what it is to the structure
 * @param access who may use it
 */
public record Member(
    String name, CType type, long bitOffset, int bitSize, Kind kind, Access access) {
  /** What a member is to its structure. */
  public enum Kind {
    FIELD,
    /** The part of an object that is its base class; the base's members count as its own. */
    BASE
  }

  /** A field. */
  public Member(String name, CType type, long bitOffset, int bitSize) {
    this(name, type, bitOffset, bitSize, Kind.FIELD, Access.PUBLIC);
  }

  /** A part that is public. */
  public Member(String name, CType type, long bitOffset, int bitSize, Kind kind) {
    this(name, type, bitOffset, bitSize, kind, Access.PUBLIC);
  }

  public boolean isBitField() {
    return bitSize != 0;
  }

  /** Whether it is the part that a base class makes up. */
  public boolean isBase() {
    return kind == Kind.BASE;
  }

  public long byteOffset() {
    return bitOffset / 8;
  }
}
