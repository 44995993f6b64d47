// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import java.util.List;

/** Finds a tracepoint's number by its key. */
final class KeyIndex {
  /** No tracepoint has this number. */
  static final int NONE = -1;

  private final long[] keys;
  private final int[] numbers;
  private final int mask;

  KeyIndex(List<OsvTracepoint> tracepoints) {
    int size = Integer.highestOneBit(Math.max(tracepoints.size(), 1)) * 4;
    keys = new long[size];
    numbers = new int[size];
    mask = size - 1;
    java.util.Arrays.fill(numbers, NONE);
    for (int i = 0; i < tracepoints.size(); i++) {
      int slot = slot(tracepoints.get(i).key());
      keys[slot] = tracepoints.get(i).key();
      numbers[slot] = i;
    }
  }

  int number(long key) {
    return numbers[slot(key)];
  }

  /** Where the key stands, or the free place where it would. */
  private int slot(long key) {
    int slot = (int) ((key * 0x9e3779b97f4a7c15L) >>> 32) & mask;
    while (numbers[slot] != NONE && keys[slot] != key) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
