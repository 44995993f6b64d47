// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;

/**
 * What a line program says: for each address its source line, in sequences of rising addresses.
 * Rows are numbered in the order of the program. Immutable.
 */
public final class LineTable {
  private static final byte IS_STMT = 1;
  private static final byte PROLOGUE_END = 2;
  private static final byte END_SEQUENCE = 4;

  /** Sequences that are looked at when the nearest does not hold an address. */
  private static final int NEIGHBOURS = 64;

  /**
   * A stretch of code with rising addresses.
   *
   * @param end the address behind its last
   * @param first its first row
   * @param last the row that ends it
   */
  public record Sequence(long start, long end, int first, int last) {
    boolean contains(long address) {
      return Long.compareUnsigned(address - start, end - start) < 0;
    }
  }

  private final long[] addresses;
  private final int[] lines;
  private final int[] files;
  private final int[] columns;
  private final byte[] flags;
  private final List<Sequence> sequences;

  private LineTable(
      long[] addresses,
      int[] lines,
      int[] files,
      int[] columns,
      byte[] flags,
      List<Sequence> sequences) {
    this.addresses = addresses;
    this.lines = lines;
    this.files = files;
    this.columns = columns;
    this.flags = flags;
    this.sequences = sequences;
  }

  /** Collects rows. */
  static final class Builder {
    private long[] addresses = new long[256];
    private int[] lines = new int[256];
    private int[] files = new int[256];
    private int[] columns = new int[256];
    private byte[] flags = new byte[256];
    private final List<Sequence> sequences = new ArrayList<>();
    private int count;
    private int first;
    private boolean sorted = true;

    void row(
        long address,
        int line,
        int file,
        int column,
        boolean isStmt,
        boolean prologueEnd,
        boolean endSequence) {
      if (count == addresses.length) {
        int size = count * 2;
        addresses = Arrays.copyOf(addresses, size);
        lines = Arrays.copyOf(lines, size);
        files = Arrays.copyOf(files, size);
        columns = Arrays.copyOf(columns, size);
        flags = Arrays.copyOf(flags, size);
      }
      addresses[count] = address;
      lines[count] = line;
      files[count] = file;
      columns[count] = column;
      flags[count] =
          (byte)
              ((isStmt ? IS_STMT : 0)
                  | (prologueEnd ? PROLOGUE_END : 0)
                  | (endSequence ? END_SEQUENCE : 0));
      sorted &= count == first || Long.compareUnsigned(addresses[count - 1], address) <= 0;
      if (endSequence) {
        // One whose addresses fall is no sequence; nothing can be looked up in it.
        if (sorted && address != addresses[first]) {
          sequences.add(new Sequence(addresses[first], address, first, count));
        }
        first = count + 1;
        sorted = true;
      }
      count++;
    }

    LineTable build() {
      sequences.sort(
          Comparator.comparing(Sequence::start, Long::compareUnsigned)
              .thenComparing(Sequence::end, Long::compareUnsigned));
      return new LineTable(
          Arrays.copyOf(addresses, count),
          Arrays.copyOf(lines, count),
          Arrays.copyOf(files, count),
          Arrays.copyOf(columns, count),
          Arrays.copyOf(flags, count),
          List.copyOf(sequences));
    }
  }

  /** The number of rows. */
  public int size() {
    return addresses.length;
  }

  public long address(int row) {
    return addresses[row];
  }

  /** The line, from 1; 0 where the code belongs to none. */
  public int line(int row) {
    return lines[row];
  }

  /** The number of the file in the program's table. */
  public int file(int row) {
    return files[row];
  }

  /** The column, from 1; 0 where it is not told. */
  public int column(int row) {
    return columns[row];
  }

  /** Whether the address is a recommended place for a breakpoint. */
  public boolean isStmt(int row) {
    return (flags[row] & IS_STMT) != 0;
  }

  /** Whether a breakpoint at the function's entry belongs here. */
  public boolean prologueEnd(int row) {
    return (flags[row] & PROLOGUE_END) != 0;
  }

  /** Whether the row only says where its sequence ends. */
  public boolean endSequence(int row) {
    return (flags[row] & END_SEQUENCE) != 0;
  }

  /** Sorted by their first address; without those that are empty or out of order. */
  public List<Sequence> sequences() {
    return sequences;
  }

  /** The row that holds for the instruction at {@code address}: the last one at or before it. */
  public OptionalInt rowAt(long address) {
    int low = 0;
    int high = sequences.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(sequences.get(middle).start(), address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    for (int i = high; i >= 0 && i > high - NEIGHBOURS; i--) {
      if (sequences.get(i).contains(address)) {
        return OptionalInt.of(in(sequences.get(i), address));
      }
    }
    return OptionalInt.empty();
  }

  /** Whether a row of a statement begins at exactly {@code address}. */
  public boolean isStatement(long address) {
    var found = rowAt(address);
    for (int row = found.orElse(-1); row >= 0 && addresses[row] == address; row--) {
      if (endSequence(row)) {
        return false;
      }
      if (isStmt(row)) {
        return true;
      }
    }
    return false;
  }

  private int in(Sequence sequence, long address) {
    int low = sequence.first();
    int high = sequence.last() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(addresses[middle], address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  /** The address behind the stretch of code that {@code row} holds for. */
  public long end(int row) {
    int next = row + 1;
    while (next < addresses.length - 1 && addresses[next] == addresses[row] && !endSequence(next)) {
      next++;
    }
    return next < addresses.length ? addresses[next] : addresses[row];
  }
}
