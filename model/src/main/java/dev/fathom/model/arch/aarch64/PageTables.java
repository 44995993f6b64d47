// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.aarch64;

import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.Mmu;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Predicate;

/**
 * Stage 1 page tables of VMSAv8-64 in physical memory (Arm Architecture Reference Manual, section
 * D8.3, "Translation table descriptor formats").
 *
 * <pre>
 *   entry = table    bit 0 valid, bit 1 set, level below 3
 *         | block    bit 0 valid, bit 1 clear, level below 3: a large page
 *         | page     bit 0 valid, bit 1 set, level 3
 *   address          bits 47 to the granule's; and 15 to 12 as 51 to 48 with granules of 64 KiB;
 *                    49 to the granule's and 9 to 8 as 51 to 50 with large addresses
 * </pre>
 *
 * <p>An entry that is not valid but still holds a page that Linux only hides from the processor
 * counts as mapped: a page without access rights keeps bit 1 beside a clear bit 0 ({@code
 * PTE_PROT_NONE}, since 6.11 {@code PTE_PRESENT_INVALID}; arch/arm64/include/asm/pgtable-prot.h),
 * which entries for swapped pages do not have; a hidden block has {@code PMD_PRESENT_INVALID} or
 * {@code PTE_PROT_NONE} (until 6.10). What else is not zero stands for a page that is elsewhere.
 *
 * <p>Tables are kept once read, and so are recent translations: {@link #forget} them when the
 * target has run. Used by one thread.
 */
public final class PageTables implements Mmu {
  private static final long VALID = 1;
  private static final long TABLE = 1 << 1;
  private static final long USER = 1 << 6;
  private static final long READ_ONLY = 1 << 7;
  private static final long NOT_GLOBAL = 1 << 11;
  private static final long CONTIGUOUS = 1L << 52;
  private static final long PRIVILEGED_NO_EXECUTE = 1L << 53;
  private static final long USER_NO_EXECUTE = 1L << 54;
  private static final long PROT_NONE = 1L << 58;
  private static final long BLOCK_PRESENT_INVALID = 1L << 59;

  private static final int LAST_LEVEL = 3;

  /** Slots of the caches, powers of two. */
  private static final int TABLE_SLOTS = 128;

  private static final int PAGE_SLOTS = 512;

  private static final long[] NOTHING = {};

  private final Memory physical;
  private final Paging paging;
  private final long root;

  /** Tables by their physical address; entries that could not be read are beyond the length. */
  private final long[] tableAddresses = new long[TABLE_SLOTS];

  private final int[] tableCounts = new int[TABLE_SLOTS];
  private final long[][] tables = new long[TABLE_SLOTS][];
  private final byte[] buffer;

  /** Recent stretches of a granule: virtual number plus 1 (0 is empty) and physical address. */
  private final long[] numbers = new long[PAGE_SLOTS];

  private final long[] frames = new long[PAGE_SLOTS];

  /** The same of stretches as long as a block of level 2. */
  private final long[] largeNumbers = new long[PAGE_SLOTS];

  private final long[] largeFrames = new long[PAGE_SLOTS];

  private long found;
  private long room;

  /** What {@link #walk} found: the size of the page, or why there is none. */
  private long pageBytes;

  private Readability missing = Readability.UNMAPPED;

  /**
   * @param physical memory by physical address
   * @param root the physical address of the root table
   */
  public PageTables(Memory physical, long root, Paging paging) {
    this.physical = physical;
    this.root = root;
    this.paging = paging;
    this.buffer = new byte[1 << paging.granuleBits()];
  }

  public Paging paging() {
    return paging;
  }

  /** The physical address of the root table. */
  public long root() {
    return root;
  }

  @Override
  public Mmu user(Memory memory, long userRoot) {
    return new PageTables(memory, userRoot, paging.lower());
  }

  @Override
  public void forget() {
    Arrays.fill(tables, null);
    Arrays.fill(numbers, 0);
    Arrays.fill(largeNumbers, 0);
  }

  @Override
  public boolean find(long virtual) {
    int largeBits = paging.shift(2);
    return cached(virtual, largeBits, largeNumbers, largeFrames)
        || cached(virtual, paging.granuleBits(), numbers, frames)
        || fill(virtual, largeBits);
  }

  @Override
  public long found() {
    return found;
  }

  /** {@inheritDoc} At most a block of level 2. */
  @Override
  public long room() {
    return room;
  }

  @Override
  public Readability readability(long virtual) {
    return walk(virtual) ? Readability.READABLE : missing;
  }

  private boolean cached(long virtual, int bits, long[] known, long[] where) {
    long number = virtual >>> bits;
    int slot = (int) number & (PAGE_SLOTS - 1);
    if (known[slot] != number + 1) {
      return false;
    }
    long offset = virtual & ((1L << bits) - 1);
    found = where[slot] + offset;
    room = (1L << bits) - offset;
    return true;
  }

  private boolean fill(long virtual, int largeBits) {
    if (!walk(virtual)) {
      return false;
    }
    boolean large = pageBytes >= 1L << largeBits;
    int bits = large ? largeBits : paging.granuleBits();
    long number = virtual >>> bits;
    int slot = (int) number & (PAGE_SLOTS - 1);
    (large ? largeNumbers : numbers)[slot] = number + 1;
    (large ? largeFrames : frames)[slot] = found & -(1L << bits);
    room = (1L << bits) - (virtual & ((1L << bits) - 1));
    return true;
  }

  /** Follows the tables; sets {@link #found} and {@link #pageBytes}, or {@link #missing}. */
  private boolean walk(long virtual) {
    if (!paging.contains(virtual)) {
      missing = Readability.UNMAPPED;
      return false;
    }
    long table = root;
    for (int level = paging.startLevel(); ; level++) {
      int index = (int) (virtual >>> paging.shift(level)) & (paging.entries(level) - 1);
      long[] entries = table(table, paging.entries(level));
      if (index >= entries.length) {
        var reason = physical.at(table + (long) index * Long.BYTES);
        // A table where no memory is: the tables are corrupt, and nothing is known of the page
        boolean told = reason == Readability.NOT_DUMPED || reason == Readability.NOT_PRESENT;
        missing = told ? reason : Readability.ERROR;
        return false;
      }
      long entry = entries[index];
      if (isPage(entry, level)) {
        pageBytes = 1L << paging.shift(level);
        found = (address(entry) & -pageBytes) | (virtual & (pageBytes - 1));
        return true;
      }
      if (!isTable(entry, level)) {
        boolean elsewhere = (entry & VALID) == 0 && entry != 0;
        missing = elsewhere ? Readability.NOT_PRESENT : Readability.UNMAPPED;
        return false;
      }
      table = address(entry);
    }
  }

  private static boolean isTable(long entry, int level) {
    return level < LAST_LEVEL && (entry & (VALID | TABLE)) == (VALID | TABLE);
  }

  private boolean isPage(long entry, int level) {
    if (level == LAST_LEVEL) {
      return (entry & TABLE) != 0;
    }
    return level >= firstBlockLevel()
        && (entry & TABLE) == 0
        && ((entry & VALID) != 0
            || (level == 2 && (entry & (PROT_NONE | BLOCK_PRESENT_INVALID)) != 0));
  }

  /** The first level at which blocks can be (section D8.3.1). */
  private int firstBlockLevel() {
    return switch (paging.granuleBits()) {
      case 12 -> paging.largeAddresses() ? 0 : 1;
      case 14 -> paging.largeAddresses() ? 1 : 2;
      default -> 1;
    };
  }

  private long address(long entry) {
    int granule = paging.granuleBits();
    if (granule == 16) {
      return (entry & 0x0000_ffff_ffff_0000L) | ((entry & 0xf000) << 36);
    }
    return paging.largeAddresses()
        ? (entry & 0x0003_ffff_ffff_ffffL & -(1L << granule)) | ((entry & 0x300) << 42)
        : entry & 0x0000_ffff_ffff_ffffL & -(1L << granule);
  }

  /** The entries of the table at {@code at} up to the first that cannot be read. */
  private long[] table(long at, int count) {
    int slot = (int) (at >>> paging.granuleBits()) & (TABLE_SLOTS - 1);
    if (tables[slot] != null && tableAddresses[slot] == at && tableCounts[slot] >= count) {
      return tables[slot];
    }
    var segment = MemorySegment.ofArray(buffer).asSlice(0, (long) count * Long.BYTES);
    int got = physical.read(at, segment) / Long.BYTES;
    var entries = got == 0 ? NOTHING : new long[got];
    ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(entries);
    tableAddresses[slot] = at;
    tableCounts[slot] = count;
    tables[slot] = entries;
    return entries;
  }

  /**
   * What may be done to a page, as its own entry says; with permission indirection (FEAT_S1PIE)
   * only an approximation.
   *
   * @param kernelExecutable whether the kernel may run it
   * @param contiguous whether neighbours of it are mapped alike, so that one TLB entry may do
   * @param hidden Linux keeps the page but lets nobody use it
   */
  public record Access(
      boolean writable,
      boolean user,
      boolean userExecutable,
      boolean kernelExecutable,
      boolean global,
      boolean contiguous,
      boolean hidden) {
    private static Access of(long entry) {
      return new Access(
          (entry & READ_ONLY) == 0,
          (entry & USER) != 0,
          (entry & USER_NO_EXECUTE) == 0,
          (entry & PRIVILEGED_NO_EXECUTE) == 0,
          (entry & NOT_GLOBAL) == 0,
          (entry & CONTIGUOUS) != 0,
          (entry & VALID) == 0);
    }
  }

  /**
   * One page or block.
   *
   * @param bytes its size
   */
  public record Mapping(long virtual, long physical, long bytes, Access access) {}

  /**
   * Lists what the tables map, in the order of unsigned addresses.
   *
   * @param first the first virtual address of interest
   * @param last the last virtual address of interest, inclusive
   * @param maxTables how many tables to look at before giving up; corrupt tables can refer to each
   *     other without end
   * @param visitor takes each mapping, and returns false when it wants no more; pages that lie only
   *     partly in the range are given whole
   * @return false when the limit was reached or the visitor had enough
   */
  public boolean sweep(long first, long last, long maxTables, Predicate<Mapping> visitor) {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException("empty range");
    }
    return new Sweeper(first, last, maxTables, visitor)
        .table(root, paging.startLevel(), paging.upper() ? -1L << paging.virtualBits() : 0);
  }

  private final class Sweeper {
    private final long first;
    private final long last;
    private final Predicate<Mapping> visitor;
    private long tablesLeft;

    Sweeper(long first, long last, long maxTables, Predicate<Mapping> visitor) {
      this.first = first;
      this.last = last;
      this.tablesLeft = maxTables;
      this.visitor = visitor;
    }

    /** False when the sweep is to end. */
    boolean table(long at, int level, long base) {
      if (tablesLeft-- <= 0) {
        return false;
      }
      // Deeper visits may drop the cached table, but not the array.
      long[] entries = PageTables.this.table(at, paging.entries(level));
      long bytes = 1L << paging.shift(level);
      for (int index = 0; index < entries.length; index++) {
        long virtual = base + index * bytes;
        if (Long.compareUnsigned(virtual + (bytes - 1), first) < 0
            || Long.compareUnsigned(virtual, last) > 0) {
          continue;
        }
        long entry = entries[index];
        boolean goOn = true;
        if (isPage(entry, level)) {
          goOn =
              visitor.test(new Mapping(virtual, address(entry) & -bytes, bytes, Access.of(entry)));
        } else if (isTable(entry, level)) {
          goOn = table(address(entry), level + 1, virtual);
        }
        if (!goOn) {
          return false;
        }
      }
      return true;
    }
  }
}
