// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * An immutable map from disjoint, unsigned ranges to values, looked up by binary search. Where
 * ranges given to the builder overlap, the one that was added first keeps the overlap.
 */
public final class RangeMap<V> {
  /** One range and its value. */
  public record Entry<V>(Range range, V value) {}

  private final long[] starts;
  private final List<Entry<V>> entries;

  private RangeMap(List<Entry<V>> entries) {
    this.entries = List.copyOf(entries);
    this.starts = new long[entries.size()];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = this.entries.get(i).range().start() ^ Long.MIN_VALUE;
    }
  }

  /** The ranges in ascending unsigned order. */
  public List<Entry<V>> entries() {
    return entries;
  }

  public Optional<Entry<V>> at(long address) {
    int i = floor(address);
    return i >= 0 && entries.get(i).range().contains(address)
        ? Optional.of(entries.get(i))
        : Optional.empty();
  }

  /** The first range that starts at or above {@code address}. */
  public Optional<Entry<V>> after(long address) {
    int i = floor(address);
    if (i >= 0 && entries.get(i).range().start() == address) {
      return Optional.of(entries.get(i));
    }
    return i + 1 < entries.size() ? Optional.of(entries.get(i + 1)) : Optional.empty();
  }

  private int floor(long address) {
    int i = Arrays.binarySearch(starts, address ^ Long.MIN_VALUE);
    return i >= 0 ? i : -i - 2;
  }

  /** Collects ranges in any order. */
  public static final class Builder<V> {
    private record Added<V>(int order, Range range, V value) {}

    private final List<Added<V>> added = new ArrayList<>();

    public Builder<V> put(Range range, V value) {
      if (!range.isEmpty()) {
        added.add(new Added<>(added.size(), range, value));
      }
      return this;
    }

    public RangeMap<V> build() {
      var done = new ArrayList<Entry<V>>();
      var sorted = new ArrayList<>(added);
      sorted.sort(Comparator.comparing((Added<V> a) -> a.range().start(), Long::compareUnsigned));
      boolean overlap = false;
      for (int i = 1; i < sorted.size() && !overlap; i++) {
        long previousLast = sorted.get(i - 1).range().end() - 1;
        overlap = Long.compareUnsigned(sorted.get(i).range().start(), previousLast) <= 0;
      }
      if (!overlap) {
        for (var a : sorted) {
          done.add(new Entry<>(a.range(), a.value()));
        }
        return new RangeMap<>(done);
      }
      var free = new java.util.TreeMap<Long, Entry<V>>(Long::compareUnsigned);
      for (var a : added) {
        carve(free, a);
      }
      return new RangeMap<>(List.copyOf(free.values()));
    }

    private static <V> void carve(java.util.TreeMap<Long, Entry<V>> taken, Added<V> a) {
      long at = a.range().start();
      long last = a.range().end() - 1;
      var below = taken.floorEntry(at);
      if (below != null && below.getValue().range().contains(at)) {
        long end = below.getValue().range().end();
        if (end == 0 || Long.compareUnsigned(end, last) > 0) {
          return;
        }
        at = end;
      }
      while (true) {
        var next = taken.ceilingEntry(at);
        if (next == null || Long.compareUnsigned(next.getKey(), last) > 0) {
          taken.put(at, new Entry<>(new Range(at, last + 1), a.value()));
          return;
        }
        if (next.getKey() != at) {
          taken.put(at, new Entry<>(new Range(at, next.getKey()), a.value()));
        }
        long end = next.getValue().range().end();
        if (end == 0 || Long.compareUnsigned(end, last) > 0) {
          return;
        }
        at = end;
      }
    }
  }
}
