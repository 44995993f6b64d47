// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.Mmu;
import dev.fathom.model.arch.x86_64.Translation.Access;
import dev.fathom.model.arch.x86_64.Translation.Elsewhere;
import dev.fathom.model.arch.x86_64.Translation.Level;
import dev.fathom.model.arch.x86_64.Translation.Mapped;
import dev.fathom.model.arch.x86_64.Translation.NotCanonical;
import dev.fathom.model.arch.x86_64.Translation.NotMapped;
import dev.fathom.model.arch.x86_64.Translation.Result;
import dev.fathom.model.arch.x86_64.Translation.TableUnreadable;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * Page tables of 64-bit mode in physical memory (Intel SDM volume 3, section 5.5 "4-level paging
 * and 5-level paging").
 *
 * <pre>
 * root -> [PML5 ->] PML4 -> page-directory-pointer table -> page directory -> page table -> 4 KiB page
 *                           (entry with bit 7: 1 GiB page)  (bit 7: 2 MiB)
 * </pre>
 *
 * <p>Tables are kept once read, and so are recent translations: {@link #forget} them when the
 * target has run. Used by one thread.
 */
public final class PageTables implements Mmu {
  private static final int ENTRIES = 512;
  private static final int TABLE_BYTES = ENTRIES * Long.BYTES;

  private static final long PRESENT = 1;
  private static final long WRITABLE = 1 << 1;
  private static final long USER = 1 << 2;
  private static final long PAGE_SIZE = 1 << 7;
  private static final long GLOBAL = 1 << 8;
  private static final long NO_EXECUTE = 1L << 63;

  /** Bits 51 to 12: the architecture's limit of physical addresses. */
  private static final long FRAME = 0x000f_ffff_ffff_f000L;

  private static final long SMALL_BYTES = 1 << 12;
  private static final long LARGE_BYTES = 1 << 21;

  /** Slots of the caches, powers of two. */
  private static final int TABLE_SLOTS = 128;

  private static final int PAGE_SLOTS = 512;

  private final Memory physical;
  private final Paging paging;
  private final long root;

  /**
   * Tables by their physical address; a slot's entries that could not be read are beyond its
   * length.
   */
  private final long[] tableAddresses = new long[TABLE_SLOTS];

  private final long[][] tables = new long[TABLE_SLOTS][];
  private final byte[] buffer = new byte[TABLE_BYTES];

  /**
   * Recent 4 KiB pages and 2 MiB stretches: virtual number plus 1 (0 is empty) and physical
   * address.
   */
  private final long[] smallNumbers = new long[PAGE_SLOTS];

  private final long[] smallFrames = new long[PAGE_SLOTS];
  private final long[] largeNumbers = new long[PAGE_SLOTS];
  private final long[] largeFrames = new long[PAGE_SLOTS];

  private long found;
  private long room;

  /**
   * @param physical memory by physical address
   * @param root the value of CR3 or the physical address of the root table; bits that are not part
   *     of the address (PCID, encryption) are left out
   */
  public PageTables(Memory physical, long root, Paging paging) {
    this.physical = physical;
    this.paging = paging;
    this.root = frame(root);
  }

  public Paging paging() {
    return paging;
  }

  /** The physical address of the root table. */
  public long root() {
    return root;
  }

  @Override
  public Readability readability(long virtual) {
    return translate(virtual).readability();
  }

  @Override
  public Mmu user(Memory memory, long userRoot) {
    return new PageTables(memory, userRoot, paging);
  }

  @Override
  public void forget() {
    Arrays.fill(tables, null);
    Arrays.fill(smallNumbers, 0);
    Arrays.fill(largeNumbers, 0);
  }

  /** Follows the tables for {@code virtual} and tells every entry on the way. */
  public Translation translate(long virtual) {
    var levels = new ArrayList<Level>(5);
    var result = walk(virtual, levels);
    return new Translation(virtual, List.copyOf(levels), result);
  }

  @Override
  public boolean find(long virtual) {
    return findLarge(virtual) || findSmall(virtual) || fill(virtual);
  }

  @Override
  public long found() {
    return found;
  }

  /** {@inheritDoc} At most 2 MiB. */
  @Override
  public long room() {
    return room;
  }

  private boolean findLarge(long virtual) {
    long number = virtual >>> 21;
    int slot = (int) number & (PAGE_SLOTS - 1);
    return largeNumbers[slot] == number + 1 && hit(largeFrames[slot], virtual, LARGE_BYTES);
  }

  private boolean findSmall(long virtual) {
    long number = virtual >>> 12;
    int slot = (int) number & (PAGE_SLOTS - 1);
    return smallNumbers[slot] == number + 1 && hit(smallFrames[slot], virtual, SMALL_BYTES);
  }

  private boolean hit(long frame, long virtual, long bytes) {
    long offset = virtual & (bytes - 1);
    found = frame + offset;
    room = bytes - offset;
    return true;
  }

  private boolean fill(long virtual) {
    if (!(walk(virtual, null) instanceof Mapped(long address, long pageBytes, Access _))) {
      return false;
    }
    if (pageBytes == SMALL_BYTES) {
      int slot = (int) (virtual >>> 12) & (PAGE_SLOTS - 1);
      smallNumbers[slot] = (virtual >>> 12) + 1;
      smallFrames[slot] = address & -SMALL_BYTES;
      return findSmall(virtual);
    }
    int slot = (int) (virtual >>> 21) & (PAGE_SLOTS - 1);
    largeNumbers[slot] = (virtual >>> 21) + 1;
    largeFrames[slot] = address & -LARGE_BYTES;
    return findLarge(virtual);
  }

  /**
   * @param levels takes the entries on the way; null when nobody wants them
   */
  private Result walk(long virtual, List<Level> levels) {
    if (!paging.canonical(virtual)) {
      return new NotCanonical();
    }
    long table = root;
    long granted = WRITABLE | USER;
    for (int level = paging.levels(); ; level--) {
      int index = (int) (virtual >>> shift(level)) & (ENTRIES - 1);
      long entryAddress = table + (long) index * Long.BYTES;
      long[] entries = table(table);
      boolean readable = index < entries.length;
      if (levels != null) {
        var entry = readable ? OptionalLong.of(entries[index]) : OptionalLong.empty();
        levels.add(new Level(level, entryAddress, entry));
      }
      if (!readable) {
        return new TableUnreadable(physical.at(entryAddress));
      }
      long raw = entries[index];
      long entry = effective(raw, level);
      if ((entry & PRESENT) == 0) {
        boolean elsewhere = raw != 0 && paging.notPresent() == Paging.NotPresent.LINUX;
        return elsewhere ? new Elsewhere(raw) : new NotMapped();
      }
      granted = grant(granted, entry);
      if (isPage(entry, level)) {
        long pageBytes = 1L << shift(level);
        long address = (frame(entry) & -pageBytes) | (virtual & (pageBytes - 1));
        return new Mapped(address, pageBytes, access(granted, raw));
      }
      table = frame(entry);
    }
  }

  /**
   * One stretch of pages of one size and with the same rights, contiguous in both address spaces.
   */
  public record Mapping(long virtual, long physical, long bytes, long pageBytes, Access access) {}

  /**
   * What {@link #sweep} went through.
   *
   * @param tables tables looked at, counted again where tables are shared
   * @param unreadable tables of which at least a part could not be read
   * @param complete false when the limit was reached or the visitor had enough
   */
  public record Sweep(long tables, long unreadable, boolean complete) {}

  /**
   * Lists what the tables map, in the order of unsigned addresses.
   *
   * @param first the first virtual address of interest
   * @param last the last virtual address of interest, inclusive, not below {@code first} as an
   *     unsigned number
   * @param maxTables how many tables to look at before giving up; corrupt tables can refer to each
   *     other without end
   * @param visitor takes each mapping, and returns false when it wants no more; pages that lie only
   *     partly in the range are given whole
   */
  public Sweep sweep(long first, long last, long maxTables, Predicate<Mapping> visitor) {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException("empty range");
    }
    return new Sweeper(first, last, maxTables, visitor).run();
  }

  private final class Sweeper {
    private final long first;
    private final long last;
    private final long maxTables;
    private final Predicate<Mapping> visitor;
    private final int unusedBits = 64 - paging.virtualBits();

    /** The bits of an entry that {@link #access} looks at. */
    private final long marksMask = PRESENT | GLOBAL | paging.encryptionMask();

    private long tablesSeen;
    private long unreadable;

    /** The stretch that grows, with bytes 0 while there is none. */
    private long virtual;

    private long physicalStart;
    private long bytes;
    private long pageBytes;

    /** Its pages' rights: what grant() gives, and the bits of the entries that count. */
    private long rights;

    private long marks;

    Sweeper(long first, long last, long maxTables, Predicate<Mapping> visitor) {
      this.first = first;
      this.last = last;
      this.maxTables = maxTables;
      this.visitor = visitor;
    }

    Sweep run() {
      boolean complete = table(root, paging.levels(), 0, WRITABLE | USER) && flush();
      return new Sweep(tablesSeen, unreadable, complete);
    }

    /** False when the sweep is to end. */
    private boolean table(long address, int level, long base, long granted) {
      if (tablesSeen == maxTables) {
        flush();
        return false;
      }
      tablesSeen++;
      // Deeper visits may drop the cached table, but not the array.
      long[] entries = PageTables.this.table(address);
      if (entries.length < ENTRIES) {
        unreadable++;
      }
      long each = 1L << shift(level);
      for (int index = 0; index < entries.length; index++) {
        long entry = effective(entries[index], level);
        if ((entry & PRESENT) == 0) {
          continue;
        }
        long at = canonical(base + index * each);
        boolean before = Long.compareUnsigned(at + (each - 1), first) < 0;
        if (before || Long.compareUnsigned(at, last) > 0) {
          continue;
        }
        long inner = grant(granted, entry);
        boolean goOn =
            isPage(entry, level)
                ? page(at, frame(entry) & -each, each, inner, entries[index] & marksMask)
                : table(frame(entry), level - 1, base + index * each, inner);
        if (!goOn) {
          return false;
        }
      }
      return true;
    }

    private long canonical(long address) {
      return address << unusedBits >> unusedBits;
    }

    private boolean page(long at, long frame, long each, long granted, long marked) {
      if (bytes != 0
          && virtual + bytes == at
          && physicalStart + bytes == frame
          && pageBytes == each
          && rights == granted
          && marks == marked) {
        bytes += each;
        return true;
      }
      boolean goOn = flush();
      virtual = at;
      physicalStart = frame;
      bytes = goOn ? each : 0;
      pageBytes = each;
      rights = granted;
      marks = marked;
      return goOn;
    }

    private boolean flush() {
      long length = bytes;
      bytes = 0;
      return length == 0
          || visitor.test(
              new Mapping(virtual, physicalStart, length, pageBytes, access(rights, marks)));
    }
  }

  /** The entries of the table at {@code address} up to the first that cannot be read. */
  private long[] table(long address) {
    int slot = (int) (address >>> 12) & (TABLE_SLOTS - 1);
    if (tables[slot] != null && tableAddresses[slot] == address) {
      return tables[slot];
    }
    int count = physical.read(address, MemorySegment.ofArray(buffer)) / Long.BYTES;
    var entries = new long[count];
    ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(entries);
    tableAddresses[slot] = address;
    tables[slot] = entries;
    return entries;
  }

  /**
   * The entry as the processor would see it if the operating system had not hidden the page from
   * it.
   */
  private long effective(long raw, int level) {
    if ((raw & PRESENT) != 0 || paging.notPresent() == Paging.NotPresent.HARDWARE) {
      return raw;
    }
    boolean hidden =
        switch (level) {
          case 1 -> (raw & GLOBAL) != 0;
          case 2 -> (raw & PAGE_SIZE) != 0;
          default -> false;
        };
    return hidden ? (raw ^ FRAME) | PRESENT : raw;
  }

  private static boolean isPage(long entry, int level) {
    return level == 1 || (level <= 3 && (entry & PAGE_SIZE) != 0);
  }

  /** Rights shrink from level to level; {@link #NO_EXECUTE} adds up. */
  private static long grant(long granted, long entry) {
    return (granted & entry & (WRITABLE | USER)) | ((granted | entry) & NO_EXECUTE);
  }

  private Access access(long granted, long raw) {
    boolean hidden = (raw & PRESENT) == 0;
    return new Access(
        (granted & WRITABLE) != 0,
        (granted & USER) != 0,
        (granted & NO_EXECUTE) == 0,
        !hidden && (raw & GLOBAL) != 0,
        (raw & paging.encryptionMask()) != 0,
        hidden);
  }

  private long frame(long entry) {
    return entry & FRAME & ~paging.encryptionMask();
  }

  /** The number of low bits of a virtual address that an entry of this level does not translate. */
  private static int shift(int level) {
    return 3 + 9 * level;
  }
}
