// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.kernel.Progress;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.Paging;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Searches memory for the kernel's top page table by its shape (arch/x86/kernel/head_64.S):
 *
 * <pre>
 *   swapper_pg_dir       nothing in the user half; the last entry leads to level3_kernel_pgt,
 *                        with five levels to level4_kernel_pgt, whose last entry leads there
 *   level3_kernel_pgt    entries 510 (kernel image) and 511 (fixmap) only
 * </pre>
 *
 * and what it maps as kernel image must hold the table itself.
 */
final class RootScan {
  /** Bits 51 to 12 of an entry: the physical address. */
  static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  private static final long LARGE = 1 << 7;

  private static final int PAGE = 4096;
  private static final int STEP = 1 << 14;

  /** Present, writable, accessed: what _KERNPG_TABLE has always set; dirty differs by version. */
  private static final long TABLE_FLAGS = 0x23;

  /** The entries of the top table that the direct map, vmalloc and vmemmap can be in. */
  private static final int FIRST_KERNEL = 256;

  private static final int LAST_MAPS = 500;

  /**
   * @param root physical address of the table
   * @param levels 4 or 5
   * @param smeMask the bit that is set in its entries beyond any address; 0 when there is none
   */
  record Found(long root, int levels, long smeMask) {}

  private final PhysicalMemory physical;
  private final Progress progress;
  private final long end;

  RootScan(PhysicalMemory physical, Progress progress) {
    this.physical = physical;
    this.progress = progress;
    var ranges = physical.ranges();
    this.end = ranges.isEmpty() ? 0 : ranges.getLast().end();
  }

  Optional<Found> find() {
    var last = new byte[8];
    var segment = MemorySegment.ofArray(last);
    long total = VmcoreinfoScan.pages(physical.ranges());
    long done = 0;
    for (var range : physical.ranges()) {
      long missing = 0;
      for (long page = VmcoreinfoScan.alignUp(range.start());
          range.contains(page) && missing < VmcoreinfoScan.MISSING_LIMIT;
          page += PAGE) {
        if (++done % STEP == 0) {
          progress.step("searching memory for page tables", done, total);
        }
        missing++;
        if (physical.read(page + PAGE - 8, segment) == 8) {
          missing = 0;
          long entry = entry(last, 0);
          if (isTable(entry)) {
            var found = check(page, entry);
            if (found.isPresent()) {
              return found;
            }
          }
        }
      }
    }
    return Optional.empty();
  }

  /** Whether an entry has what leads to a table of the kernel's. */
  static boolean isTable(long entry) {
    return (entry & TABLE_FLAGS) == TABLE_FLAGS
        && (entry & LARGE) == 0
        && entry >= 0
        && (entry & ADDRESS) != 0;
  }

  private Optional<Found> check(long root, long lastEntry) {
    long smeMask = smeMask(lastEntry, end);
    byte[] top = table(root);
    if (top == null || !isRoot(top)) {
      return Optional.empty();
    }
    byte[] below = table(lastEntry & ADDRESS & ~smeMask);
    if (below == null) {
      return Optional.empty();
    }
    int levels = 0;
    if (isLevel3(below)) {
      levels = 4;
    } else if (isTable(entry(below, 511))) {
      byte[] third = table(entry(below, 511) & ADDRESS & ~smeMask);
      levels = third != null && isLevel3(third) ? 5 : 0;
    }
    if (levels == 0) {
      return Optional.empty();
    }
    var paging = new Paging(levels, smeMask, Paging.NotPresent.HARDWARE);
    var image = ImageMapping.find(new PageTables(physical, root, paging));
    boolean holdsRoot =
        image.isPresent()
            && Long.compareUnsigned(root - image.get().physical(), image.get().length()) < 0;
    return holdsRoot ? Optional.of(new Found(root, levels, smeMask)) : Optional.empty();
  }

  /** The page at a physical address, or null when it cannot be read. */
  private byte[] table(long at) {
    var page = new byte[PAGE];
    return physical.read(at, MemorySegment.ofArray(page)) == PAGE ? page : null;
  }

  private static long entry(byte[] table, int index) {
    long value = 0;
    for (int i = 7; i >= 0; i--) {
      value = value << 8 | (table[index * 8 + i] & 0xff);
    }
    return value;
  }

  /** Whether a page looks like {@code swapper_pg_dir} but for its last entry. */
  static boolean isRoot(byte[] page) {
    return userHalfEmpty(page) && hasMaps(page);
  }

  private static boolean userHalfEmpty(byte[] table) {
    for (int i = 0; i < FIRST_KERNEL * 8; i++) {
      if (table[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean hasMaps(byte[] table) {
    for (int i = FIRST_KERNEL; i < LAST_MAPS; i++) {
      if (isTable(entry(table, i))) {
        return true;
      }
    }
    return false;
  }

  /** Whether a page looks like {@code level3_kernel_pgt}. */
  static boolean isLevel3(byte[] table) {
    for (int i = 0; i < 510; i++) {
      if (entry(table, i) != 0) {
        return false;
      }
    }
    return isTable(entry(table, 510)) && isTable(entry(table, 511));
  }

  /**
   * AMD's encryption bit in a page table entry or CR3: the one bit among those it may be (CPUID
   * 8000001Fh, EBX bits 5 to 0: 47 or 51 so far) that lifts the address above all memory.
   */
  static long smeMask(long entry, long memoryEnd) {
    long address = entry & ADDRESS;
    if (Long.compareUnsigned(address, memoryEnd) < 0) {
      return 0;
    }
    for (int bit = 51; bit >= 43; bit--) {
      long mask = 1L << bit;
      if ((address & mask) != 0 && Long.compareUnsigned(address & ~mask, memoryEnd) < 0) {
        return mask;
      }
    }
    return 0;
  }
}
