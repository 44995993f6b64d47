// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.arch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Writes x86-64 page tables, one 4 KiB table after the other from a given physical address on. */
public final class X86PageTableWriter {
  public static final long PRESENT = 1;
  public static final long WRITABLE = 1 << 1;
  public static final long USER = 1 << 2;
  public static final long PAGE_SIZE = 1 << 7;
  public static final long GLOBAL = 1 << 8;
  public static final long NO_EXECUTE = 1L << 63;

  private static final int TABLE_BYTES = 4096;
  private static final long FRAME = 0x000f_ffff_ffff_f000L;

  private final int levels;
  private final long root;
  private long next;
  private final TreeMap<Long, byte[]> tables = new TreeMap<>(Long::compareUnsigned);

  /**
   * @param levels 4 or 5
   * @param root the physical address of the root table; further tables follow it
   */
  public X86PageTableWriter(int levels, long root) {
    this.levels = levels;
    this.root = root;
    this.next = root;
    newTable();
  }

  public long root() {
    return root;
  }

  /** The tables by physical address, as live arrays: change a byte and it is changed. */
  public NavigableMap<Long, byte[]> tables() {
    return Collections.unmodifiableNavigableMap(tables);
  }

  /** The physical address after the last table. */
  public long end() {
    return next;
  }

  /**
   * Maps one page, with all rights in the tables above it.
   *
   * @param pageBytes 4 KiB, 2 MiB or 1 GiB
   * @param flags the entry's bits besides the address; {@link #PAGE_SIZE} is added for large pages
   */
  public X86PageTableWriter map(long virtual, long physical, long pageBytes, long flags) {
    int level = (Long.numberOfTrailingZeros(pageBytes) - 3) / 9;
    if (level < 1 || level > 3 || pageBytes != 1L << (3 + 9 * level)) {
      throw new IllegalArgumentException("no page has " + pageBytes + " bytes");
    }
    return entry(virtual, level, physical | flags | (level > 1 ? PAGE_SIZE : 0));
  }

  /**
   * Writes a whole entry, the one for {@code virtual} in the table of {@code level} (1 is the
   * lowest).
   */
  public X86PageTableWriter entry(long virtual, int level, long entry) {
    long table = root;
    for (int above = levels; above > level; above--) {
      var bytes = ByteBuffer.wrap(tables.get(table)).order(ByteOrder.LITTLE_ENDIAN);
      int at = index(virtual, above) * Long.BYTES;
      if (bytes.getLong(at) == 0) {
        bytes.putLong(at, newTable() | PRESENT | WRITABLE | USER);
      }
      table = bytes.getLong(at) & FRAME;
    }
    ByteBuffer.wrap(tables.get(table))
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(index(virtual, level) * Long.BYTES, entry);
    return this;
  }

  private long newTable() {
    long address = next;
    tables.put(address, new byte[TABLE_BYTES]);
    next += TABLE_BYTES;
    return address;
  }

  private static int index(long virtual, int level) {
    return (int) (virtual >>> (3 + 9 * level)) & 511;
  }
}
