// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

/** A symbol and the distance in bytes of an address from its start. */
public record Located(Symbol symbol, long offset) {
  /**
   * {@code symbol}, or {@code symbol+0x1c}, with single-digit offsets unprefixed as mdb writes
   * them.
   */
  public String text() {
    if (offset == 0) {
      return symbol.qualified();
    }
    var hex = Long.toHexString(offset);
    return symbol.qualified() + (Long.compareUnsigned(offset, 9) > 0 ? "+0x" : "+") + hex;
  }
}
