// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.Range;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Sorted, disjoint ranges of addresses, each backed by consecutive bytes of a file; found by binary
 * search. Ranges that continue or repeat one another are one. Where two say different things about
 * the same address, the one that starts lower wins, and of those that start together the longer
 * one.
 */
final class Extents {
  private final long[] starts;

  /** The last address of each, so that one may reach the end of the address space. */
  private final long[] lasts;

  private final long[] offsets;
  private int recent;

  private Extents(long[] starts, long[] lasts, long[] offsets) {
    this.starts = starts;
    this.lasts = lasts;
    this.offsets = offsets;
  }

  /** The number of the extent that has {@code address}, or -1. */
  int find(long address) {
    if (starts.length == 0) {
      return -1;
    }
    if (contains(recent, address)) {
      return recent;
    }
    int low = 0;
    int high = starts.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(starts[middle], address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    if (high < 0 || !contains(high, address)) {
      return -1;
    }
    recent = high;
    return high;
  }

  private boolean contains(int i, long address) {
    return Long.compareUnsigned(address - starts[i], lasts[i] - starts[i]) <= 0;
  }

  /** The file offset of {@code address}, which extent {@code i} has. */
  long offset(int i, long address) {
    return offsets[i] + (address - starts[i]);
  }

  /** How many bytes extent {@code i} has from {@code address} on, at most {@code limit}. */
  long length(int i, long address, long limit) {
    long more = lasts[i] - address;
    return Long.compareUnsigned(more, limit) < 0 ? more + 1 : limit;
  }

  int count() {
    return starts.length;
  }

  /** The range of extent {@code i}. */
  Range range(int i) {
    return new Range(starts[i], lasts[i] + 1);
  }

  /** All ranges, ascending; those that touch are joined. */
  List<Range> ranges() {
    var ranges = new ArrayList<Range>();
    for (int i = 0; i < starts.length; ) {
      int j = i + 1;
      while (j < starts.length && starts[j] == lasts[j - 1] + 1) {
        j++;
      }
      ranges.add(new Range(starts[i], lasts[j - 1] + 1));
      i = j;
    }
    return List.copyOf(ranges);
  }

  /** Collects ranges in any order. */
  static final class Builder {
    private record Extent(long start, long length, long offset) {}

    private final List<Extent> extents = new ArrayList<>();

    /** Adds {@code length} bytes at {@code start}, which do not reach beyond 2^64. */
    Builder add(long start, long length, long offset) {
      if (length != 0) {
        extents.add(new Extent(start, length, offset));
      }
      return this;
    }

    Extents build() {
      if (!sorted()) {
        extents.sort(
            (a, b) -> {
              int byStart = Long.compareUnsigned(a.start, b.start);
              return byStart != 0 ? byStart : Long.compareUnsigned(b.length, a.length);
            });
      }
      int size = extents.size();
      var starts = new long[size];
      var lasts = new long[size];
      var offsets = new long[size];
      int count = 0;
      for (Extent e : extents) {
        long start = e.start;
        long end = e.start + e.length - 1;
        int p = count - 1;
        if (p >= 0) {
          long distance = e.offset - start;
          boolean continues = distance == offsets[p] - starts[p];
          if (Long.compareUnsigned(end, lasts[p]) <= 0) {
            continue;
          }
          if (continues && Long.compareUnsigned(start - 1, lasts[p]) <= 0) {
            lasts[p] = end;
            continue;
          }
          if (Long.compareUnsigned(start, lasts[p]) <= 0) {
            start = lasts[p] + 1;
          }
        }
        starts[count] = start;
        lasts[count] = end;
        offsets[count++] = e.offset + (start - e.start);
      }
      return new Extents(
          Arrays.copyOf(starts, count), Arrays.copyOf(lasts, count), Arrays.copyOf(offsets, count));
    }

    private boolean sorted() {
      for (int i = 1; i < extents.size(); i++) {
        Extent a = extents.get(i - 1);
        Extent b = extents.get(i);
        int order = Long.compareUnsigned(a.start, b.start);
        if (order > 0 || (order == 0 && Long.compareUnsigned(a.length, b.length) < 0)) {
          return false;
        }
      }
      return true;
    }
  }
}
