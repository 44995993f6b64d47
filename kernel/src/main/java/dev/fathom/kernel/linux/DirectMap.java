// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.model.SymbolTable;

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

  static DirectMap of(KernelPlace place, SymbolTable symbols) {
    boolean five = X86Machine.paging(place).levels() == LEVELS_5;
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
      return usual; // Not in the dump: without KASLR this is right.
    }
  }
}
