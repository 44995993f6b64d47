// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Which units have code of which source files, headers included: made by running every line program
 * once, in parallel, and kept as a few arrays of numbers. Files are found by a hash of their names
 * without folders: {@link #units} answers units that probably have the file, and the caller
 * compares.
 */
public final class LineFiles {
  /** How many threads at most; more would wait for the memory. */
  private static final int MAX_THREADS = 8;

  /** More files than any program is made of. */
  private static final int MAX_UNITS = 1 << 24;

  /** Units that a thread takes at a time. */
  private static final int CHUNK = 16;

  private static final int ARRAYS = 3;

  private final Dwarf dwarf;

  /** Offsets of units in {@code .debug_info}, two words each. */
  private final int[] starts;

  /** In order; a file stands there once for each unit that has code of it. */
  private final int[] hashes;

  private final int[] ordinals;

  private LineFiles(Dwarf dwarf, int[] starts, int[] hashes, int[] ordinals) {
    this.dwarf = dwarf;
    this.starts = starts;
    this.hashes = hashes;
    this.ordinals = ordinals;
  }

  /**
   * Runs the line programs of all units. What is damaged is left out: whoever looks at the lines of
   * such a unit is told.
   *
   * @param threads how many threads to use at most
   */
  public static LineFiles build(Dwarf dwarf, int threads) {
    var units =
        dwarf.units().stream()
            .filter(u -> u.kind() == Unit.Kind.COMPILE || u.kind() == Unit.Kind.SKELETON)
            .limit(MAX_UNITS)
            .toList();
    var found = new int[units.size()][];
    var next = new AtomicInteger();
    Runnable work =
        () -> {
          for (int first = next.getAndAdd(CHUNK);
              first < found.length;
              first = next.getAndAdd(CHUNK)) {
            int end = Math.min(first + CHUNK, found.length);
            for (int i = first; i < end; i++) {
              found[i] = filesOf(units.get(i));
            }
          }
        };
    IntStream.range(0, Math.clamp(threads, 1, MAX_THREADS)).parallel().forEach(_ -> work.run());
    return join(dwarf, units, found);
  }

  /** The hashes of the files that rows of the unit name. */
  private static int[] filesOf(Unit unit) {
    try {
      var program = LineProgram.of(unit);
      if (program.isEmpty()) {
        return new int[0];
      }
      var table = program.get().run();
      var used = new BitSet();
      for (var sequence : table.sequences()) {
        for (int row = sequence.first(); row < sequence.last(); row++) {
          if (table.file(row) < program.get().files().size()) {
            used.set(table.file(row));
          }
        }
      }
      return used.stream()
          .map(file -> hash(program.get().files().get(file).name()))
          .sorted()
          .distinct()
          .toArray();
    } catch (BadDataException e) {
      return new int[0]; // its lines are not known, whoever asks
    }
  }

  private static LineFiles join(Dwarf dwarf, List<Unit> units, int[][] found) {
    int total = 0;
    for (int[] files : found) {
      total += files.length;
    }
    var starts = new int[2 * units.size()];
    var order = new long[total];
    int count = 0;
    for (int i = 0; i < found.length; i++) {
      long offset = units.get(i).offset();
      starts[2 * i] = (int) offset;
      starts[2 * i + 1] = (int) (offset >>> 32);
      for (int hash : found[i]) {
        order[count++] = (long) hash << 32 | i;
      }
    }
    Arrays.sort(order);
    var hashes = new int[total];
    var ordinals = new int[total];
    for (int i = 0; i < total; i++) {
      hashes[i] = (int) (order[i] >>> 32);
      ordinals[i] = (int) order[i];
    }
    return new LineFiles(dwarf, starts, hashes, ordinals);
  }

  private static int hash(String path) {
    var name = path.substring(path.lastIndexOf('/') + 1);
    return Arrays.hashCode(name.getBytes(StandardCharsets.UTF_8));
  }

  /** What {@link #of} makes the same from, as long as the file is the same. */
  public int[][] arrays() {
    return new int[][] {starts, hashes, ordinals};
  }

  /** What an earlier {@link #build} found in the same file; empty when it cannot be that. */
  public static Optional<LineFiles> of(Dwarf dwarf, int[][] arrays) {
    if (arrays.length != ARRAYS
        || arrays[0].length % 2 != 0
        || arrays[1].length != arrays[2].length) {
      return Optional.empty();
    }
    return Optional.of(new LineFiles(dwarf, arrays[0], arrays[1], arrays[2]));
  }

  /**
   * The units that probably have code of a file, in their order.
   *
   * @param path the file's name, with or without folders
   * @throws BadDataException when the numbers are not those of this file
   */
  public List<Unit> units(String path) {
    int hash = hash(path);
    var units = new ArrayList<Unit>();
    for (int i = NameHash.first(hashes, hash); i < hashes.length && hashes[i] == hash; i++) {
      int at = 2 * ordinals[i];
      if (at < 0 || at >= starts.length) {
        throw new BadDataException(dwarf.name(), 0, "the index names unit " + ordinals[i]);
      }
      units.add(
          dwarf.unitStartingAt(Integer.toUnsignedLong(starts[at]) | (long) starts[at + 1] << 32));
    }
    return units;
  }
}
