// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import java.util.Arrays;

/**
 * Unpacked pages by page frame number, in sets of four; the least recently used of a set makes
 * room. Arrays of pages that were thrown out are reused.
 */
final class PageCache {
  private static final int WAYS = 4;

  private final long[] keys;
  private final byte[][] pages;
  private final int setMask;
  private final int pageBytes;

  /**
   * @param bytes the most that the pages together take
   */
  PageCache(int bytes, int pageBytes) {
    this.pageBytes = pageBytes;
    int sets = Math.max(1, Integer.highestOneBit(bytes / pageBytes / WAYS));
    setMask = sets - 1;
    keys = new long[sets * WAYS];
    Arrays.fill(keys, -1);
    pages = new byte[sets * WAYS][];
  }

  /** The page, or null when it is not here. */
  byte[] get(long pfn) {
    int base = base(pfn);
    for (int i = base; i < base + WAYS; i++) {
      if (keys[i] == pfn) {
        byte[] page = pages[i];
        toFront(base, i, pfn, page);
        return page;
      }
    }
    return null;
  }

  /** An array for a new page; {@link #put} keeps it. */
  byte[] room(long pfn) {
    int oldest = base(pfn) + WAYS - 1;
    byte[] page = pages[oldest];
    pages[oldest] = null;
    keys[oldest] = -1;
    return page == null ? new byte[pageBytes] : page;
  }

  void put(long pfn, byte[] page) {
    int base = base(pfn);
    toFront(base, base + WAYS - 1, pfn, page);
  }

  private void toFront(int base, int from, long pfn, byte[] page) {
    for (int i = from; i > base; i--) {
      keys[i] = keys[i - 1];
      pages[i] = pages[i - 1];
    }
    keys[base] = pfn;
    pages[base] = page;
  }

  /** Multiplying by an odd constant and taking high bits spreads strides over the sets. */
  private int base(long pfn) {
    long spread = (pfn * 0x9E3779B97F4A7C15L) >>> 40;
    return ((int) spread & setMask) * WAYS;
  }
}
