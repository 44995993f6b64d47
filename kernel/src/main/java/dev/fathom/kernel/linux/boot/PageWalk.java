// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * x86-64 page tables of four or five levels (Intel SDM volume 3, section 4.5), walked entry by
 * entry. Tables that were read are kept, up to a bound.
 */
final class PageWalk {
  /** Bits 51 to 12 of an entry: the physical address. */
  static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  static final long PRESENT = 1;
  static final long LARGE = 1 << 7;

  /** Tables kept, 4 KiB each. */
  private static final int CACHE_LIMIT = 2048;

  private final Memory physical;
  private final long root;
  private final int levels;
  private final long addressMask;
  private final Map<Long, byte[]> tables = new HashMap<>();

  /**
   * @param root the physical address of the top table
   * @param levels 4 or 5
   * @param smeMask the encryption bit of AMD's SME, which is no part of an address; 0 when unused
   */
  PageWalk(Memory physical, long root, int levels, long smeMask) {
    this.physical = physical;
    this.root = root & ADDRESS & ~smeMask;
    this.levels = levels;
    this.addressMask = ADDRESS & ~smeMask;
  }

  /**
   * What a walk came to.
   *
   * @param readability READABLE when a translation was found (its page may still be missing)
   * @param physical the physical address of the first byte of the page
   * @param shift log2 of the size of the page, or of the range that has no translation
   * @param entry the last entry read
   */
  record Step(Readability readability, long physical, int shift, long entry) {}

  /** Whether {@code address} has copies of its top used bit above it. */
  static boolean canonical(long address, int levels) {
    int unused = 64 - (12 + 9 * levels);
    return address << unused >> unused == address;
  }

  int levels() {
    return levels;
  }

  Step walk(long address) {
    if (!canonical(address, levels)) {
      return new Step(Readability.UNMAPPED, 0, 12, 0);
    }
    long table = root;
    for (int level = levels; ; level--) {
      int shift = 12 + 9 * (level - 1);
      byte[] entries = table(table);
      if (entries == null) {
        return new Step(tableReadability(table), 0, shift + 9, 0);
      }
      long entry = entry(entries, (int) (address >>> shift) & 511);
      if ((entry & PRESENT) == 0) {
        return new Step(
            entry == 0 ? Readability.UNMAPPED : Readability.NOT_PRESENT, 0, shift, entry);
      }
      if (level == 1 || ((entry & LARGE) != 0 && level <= 3)) {
        long page = entry & addressMask & -(1L << shift);
        return new Step(Readability.READABLE, page, shift, entry);
      }
      table = entry & addressMask;
    }
  }

  private Readability tableReadability(long table) {
    var why = physical.at(table);
    return why == Readability.READABLE ? Readability.ERROR : why;
  }

  /** The table at a physical address, or null when it cannot be read. */
  byte[] table(long at) {
    var known = tables.get(at);
    if (known == null) {
      known = new byte[4096];
      if (physical.read(at, MemorySegment.ofArray(known)) < known.length) {
        return null;
      }
      if (tables.size() >= CACHE_LIMIT) {
        tables.clear();
      }
      tables.put(at, known);
    }
    return known;
  }

  static long entry(byte[] table, int index) {
    long value = 0;
    for (int i = 7; i >= 0; i--) {
      value = value << 8 | (table[index * 8 + i] & 0xff);
    }
    return value;
  }
}
