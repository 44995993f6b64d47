// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/** Numbers seen so far: how a walk notices that it goes in circles. */
public final class LongSet {
  private long[] slots = new long[64];
  private int count;
  private boolean zero;

  /** Whether {@code value} is new to the set. */
  public boolean add(long value) {
    if (value == 0) {
      boolean added = !zero;
      zero = true;
      return added;
    }
    if (count * 2 >= slots.length) {
      grow();
    }
    if (!insert(slots, value)) {
      return false;
    }
    count++;
    return true;
  }

  public boolean contains(long value) {
    if (value == 0) {
      return zero;
    }
    for (int at = slot(value, slots.length); slots[at] != 0; at = (at + 1) & (slots.length - 1)) {
      if (slots[at] == value) {
        return true;
      }
    }
    return false;
  }

  private void grow() {
    var larger = new long[slots.length * 2];
    for (long value : slots) {
      if (value != 0) {
        insert(larger, value);
      }
    }
    slots = larger;
  }

  private static boolean insert(long[] slots, long value) {
    int at = slot(value, slots.length);
    while (slots[at] != 0) {
      if (slots[at] == value) {
        return false;
      }
      at = (at + 1) & (slots.length - 1);
    }
    slots[at] = value;
    return true;
  }

  private static int slot(long value, int length) {
    long mixed = value * 0x9e3779b97f4a7c15L;
    return (int) (mixed >>> 40) & (length - 1);
  }
}
