// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.LongSet;
import java.util.Arrays;

/**
 * What one thread has found so far: names in the order in which they were found, each once. Most
 * names of a program are in hundreds of its units.
 */
final class NameCollector {
  private final Dwarf pool;
  private final LongSet seen = new LongSet();
  private long lastPrint;
  private Part part = new Part();

  /**
   * @param pool the file whose {@code .debug_str} has each string once, so that offsets stand for
   *     strings
   */
  NameCollector(Dwarf pool) {
    this.pool = pool;
  }

  /** Names found in a row of units. */
  static final class Part {
    long[] prints = new long[1024];
    int[] hashes = new int[1024];
    int[] units = new int[1024];
    int[] offsets = new int[1024];
    int count;

    private void grow() {
      prints = Arrays.copyOf(prints, 2 * count);
      hashes = Arrays.copyOf(hashes, 2 * count);
      units = Arrays.copyOf(units, 2 * count);
      offsets = Arrays.copyOf(offsets, 2 * count);
    }
  }

  /** Begins a new part; the one so far. */
  Part takePart() {
    var taken = part;
    part = new Part();
    return taken;
  }

  boolean isPool(Dwarf file) {
    return file.equals(pool);
  }

  /**
   * Whether an entry is another than those seen.
   *
   * @param key stands for the name
   * @param difference tells entries of the same name apart
   */
  boolean isNew(long key, DwarfNames.Kind kind, boolean declaration, long difference) {
    long print = key * 0x9e3779b97f4a7c15L;
    print ^= print >>> 32;
    print = (print + difference) * 0xbf58476d1ce4e5b9L;
    print ^= print >>> 29;
    print = (print + kind.ordinal() * 2L + (declaration ? 1 : 0)) * 0x94d049bb133111ebL;
    print ^= print >>> 31;
    lastPrint = print;
    return seen.add(print);
  }

  /** Adds the entry that {@link #isNew} was last asked about. */
  void add(
      int hash,
      DwarfNames.Kind kind,
      boolean declaration,
      boolean external,
      int ordinal,
      int offset) {
    if (part.count == part.hashes.length) {
      part.grow();
    }
    int i = part.count++;
    part.prints[i] = lastPrint;
    part.hashes[i] = hash;
    part.units[i] = DwarfNames.pack(ordinal, kind, declaration, external);
    part.offsets[i] = offset;
  }
}
