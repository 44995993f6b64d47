// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

/**
 * The type of an entry on an expression's stack (DWARF 5, section 2.5.1).
 *
 * @param bytes its size, 1 to 8
 */
public record BaseType(int bytes, Kind kind) {
  /** How its bits are to be understood, from {@code DW_AT_encoding}. */
  public enum Kind {
    /** The generic type: an address-sized number of unspecified signedness. */
    GENERIC,
    UNSIGNED,
    SIGNED,
    FLOAT
  }

  /** The bits of a number of this type: what is wider is cut off, then extended to 64 bits. */
  long fit(long bits) {
    int unused = 64 - bytes * 8;
    return kind == Kind.SIGNED ? bits << unused >> unused : bits << unused >>> unused;
  }

  /** The number that {@code bits} mean, signed where the type is signed or generic. */
  long signed(long bits) {
    int unused = 64 - bytes * 8;
    return kind == Kind.UNSIGNED ? bits : bits << unused >> unused;
  }
}
