// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.arch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Writes 64-bit Arm page tables, one granule after the other from a given physical address on. */
public final class Aarch64PageTableWriter {
  public static final long VALID = 1;
  public static final long TABLE = 2;
  public static final long USER = 1 << 6;
  public static final long READ_ONLY = 1 << 7;
  public static final long ACCESSED = 1 << 10;
  public static final long NOT_GLOBAL = 1 << 11;
  public static final long CONTIGUOUS = 1L << 52;
  public static final long KERNEL_NO_EXECUTE = 1L << 53;
  public static final long USER_NO_EXECUTE = 1L << 54;

  private final int granuleBits;
  private final int virtualBits;
  private final boolean largeAddresses;
  private final long root;
  private long next;
  private final TreeMap<Long, byte[]> tables = new TreeMap<>(Long::compareUnsigned);

  /**
   * @param granuleBits 12, 14 or 16
   * @param virtualBits the size of the half of the address space
   * @param largeAddresses whether descriptors of small granules hold 52 bits
   * @param root the physical address of the root table; further tables follow it
   */
  public Aarch64PageTableWriter(
      int granuleBits, int virtualBits, boolean largeAddresses, long root) {
    this.granuleBits = granuleBits;
    this.virtualBits = virtualBits;
    this.largeAddresses = largeAddresses;
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
   * Maps one page or block.
   *
   * @param bytes the size of a page or of a block of some level
   * @param attributes the descriptor's bits besides the type and the address
   */
  public Aarch64PageTableWriter map(long virtual, long physical, long bytes, long attributes) {
    int above = 0;
    while (1L << (granuleBits + above * (granuleBits - 3)) < bytes) {
      above++;
    }
    if (1L << (granuleBits + above * (granuleBits - 3)) != bytes) {
      throw new IllegalArgumentException("no page has " + bytes + " bytes");
    }
    return entry(
        virtual, above, descriptor(physical) | attributes | (above == 0 ? VALID | TABLE : VALID));
  }

  /**
   * Writes a whole descriptor.
   *
   * @param above how many levels above the last one the table is
   */
  public Aarch64PageTableWriter entry(long virtual, int above, long descriptor) {
    int top = 0;
    while (granuleBits + (top + 1) * (granuleBits - 3) < virtualBits) {
      top++;
    }
    long table = root;
    for (int level = top; level > above; level--) {
      var bytes = ByteBuffer.wrap(tables.get(table)).order(ByteOrder.LITTLE_ENDIAN);
      int at = index(virtual, level, top) * Long.BYTES;
      if (bytes.getLong(at) == 0) {
        long made = newTable();
        bytes.putLong(at, descriptor(made) | VALID | TABLE);
        table = made;
      } else {
        table = physical(bytes.getLong(at));
      }
    }
    ByteBuffer.wrap(tables.get(table))
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(index(virtual, above, top) * Long.BYTES, descriptor);
    return this;
  }

  /** An address as a descriptor holds it: the bits above 47 are elsewhere. */
  public long descriptor(long physical) {
    long low = physical & ((1L << 48) - 1);
    long high = physical >>> 48 & 0xf;
    if (granuleBits == 16) {
      return low | high << 12;
    }
    return largeAddresses ? low | (high & 3) << 48 | (high >>> 2) << 8 : low;
  }

  private long physical(long descriptor) {
    for (long table : tables.keySet()) {
      if ((descriptor(table) | VALID | TABLE) == descriptor) {
        return table;
      }
    }
    throw new IllegalArgumentException("0x" + Long.toHexString(descriptor) + " is no table");
  }

  private long newTable() {
    long address = next;
    tables.put(address, new byte[1 << granuleBits]);
    next += 1L << granuleBits;
    return address;
  }

  private int index(long virtual, int above, int top) {
    int low = granuleBits + above * (granuleBits - 3);
    int bits = above == top ? virtualBits - low : granuleBits - 3;
    return (int) (virtual >>> low) & ((1 << bits) - 1);
  }
}
