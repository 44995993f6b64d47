// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.base.Readability;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Layout;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * The bytes of a variable that is not, or not wholly, in memory: in registers, computed, in parts,
 * some of which may be gone. They begin at 0.
 */
final class PieceSpace implements AddressSpace {
  private final Layout layout;
  private final byte[] bytes;
  private final Readability[] states;

  /** All bytes are gone until they are put. */
  PieceSpace(Layout layout, int size) {
    this.layout = layout;
    bytes = new byte[size];
    states = new Readability[size];
    Arrays.fill(states, Readability.OPTIMISED_OUT);
  }

  int size() {
    return bytes.length;
  }

  void put(int at, byte value) {
    bytes[at] = value;
    states[at] = Readability.READABLE;
  }

  /** Sets one bit, counted from the least significant of the first byte. */
  void putBit(long bit, boolean value) {
    int at = (int) (bit >> 3);
    int mask = 1 << (bit & 7);
    bytes[at] = (byte) (value ? bytes[at] | mask : bytes[at] & ~mask);
    states[at] = Readability.READABLE;
  }

  void missing(int at, Readability why) {
    states[at] = why;
  }

  /** Whether no byte is there; then for what reason. */
  boolean gone() {
    for (var state : states) {
      if (state == Readability.READABLE) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String name() {
    return "variable";
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public int read(long address, MemorySegment into) {
    int done = 0;
    while (done < into.byteSize() && at(address + done) == Readability.READABLE) {
      into.set(java.lang.foreign.ValueLayout.JAVA_BYTE, done, bytes[(int) (address + done)]);
      done++;
    }
    return done;
  }

  @Override
  public Readability at(long address) {
    return address < 0 || address >= bytes.length ? Readability.UNMAPPED : states[(int) address];
  }

  @Override
  public OptionalLong physical(long virtual) {
    return OptionalLong.empty();
  }
}
