// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.model.SymbolTable;
import dev.fathom.target.PhysicalMemory;

/**
 * The bases of the regions of the kernel's address space (Documentation/arch/x86/x86_64/mm.rst).
 * KASLR moves three of them (CONFIG_RANDOMIZE_MEMORY); the kernel then keeps them in variables.
 *
 * @param pageOffset where physical address 0 is mapped: {@code page_offset_base}
 * @param vmalloc {@code vmalloc_base}
 * @param vmemmap where the array of {@code struct page} begins: {@code vmemmap_base}
 */
record DirectMap(long pageOffset, long vmalloc, long vmemmap) {
  private static final int LEVELS_5 = 5;

  /** How many places of the map are compared with the page tables before it is used unseen. */
  private static final int SAMPLES = 16;

  static DirectMap of(KernelPlace place, SymbolTable symbols) {
    boolean five = place.levels() == LEVELS_5;
    return new DirectMap(
        variable(
            place, symbols, "page_offset_base", five ? 0xff11000000000000L : 0xffff888000000000L),
        variable(place, symbols, "vmalloc_base", five ? 0xffa0000000000000L : 0xffffc90000000000L),
        variable(place, symbols, "vmemmap_base", five ? 0xffd4000000000000L : 0xffffea0000000000L));
  }

  private static long variable(KernelPlace place, SymbolTable symbols, String name, long usual) {
    var symbol = symbols.first(name);
    if (symbol.isEmpty()) {
      return usual;
    }
    try {
      return place.space().u64(symbol.get().address());
    } catch (FaultException _) {
      return usual; // Not in the dump: the samples tell whether the usual base is right.
    }
  }

  /**
   * Lets the space translate direct map addresses by arithmetic, if a sample of them agrees with
   * the page tables.
   */
  static void use(KernelPlace place, SymbolTable symbols, PhysicalMemory physical) {
    long base = of(place, symbols).pageOffset();
    if (base >= 0 || (base & 0x3fff_ffffL) != 0) {
      return;
    }
    long end = 0;
    int agree = 0;
    for (var range : physical.ranges()) {
      if (range.end() == 0) {
        return;
      }
      end = Math.max(end, range.end());
      long step = Math.max(4096, range.length() / SAMPLES & -4096L);
      for (long at = range.start(); range.contains(at); at += step) {
        var translated = place.space().physical(base + at);
        if (translated.isPresent()) {
          if (translated.getAsLong() != at) {
            return;
          }
          agree++;
        }
      }
    }
    if (agree > 0 && end <= 1L << 46) {
      place.space().linear(base, end, 0);
    }
  }
}
