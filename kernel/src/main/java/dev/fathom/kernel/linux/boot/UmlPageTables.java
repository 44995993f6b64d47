// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.Mmu;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The page tables of a 64-bit User Mode Linux (arch/um/include/asm/pgtable-3level.h and pgtable.h):
 * three levels of 512 entries, each an address of physical memory and flags of UML's own. The
 * kernel itself sees physical memory at a fixed distance and everything else in its process where
 * it is; its tables describe what it has mapped besides, such as modules. A process has nothing but
 * its tables.
 */
public final class UmlPageTables implements Mmu {
  private static final int[] SHIFTS = {30, 21, 12};
  private static final int ENTRIES = 512;
  private static final long PAGE = 4096;
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  /** {@code _PAGE_PRESENT}, the same since 2.6. */
  private static final long PRESENT = 1;

  private final Memory physical;
  private final UmlMemory memory;
  private final OptionalLong root;
  private final boolean kernel;
  private final Map<Long, Long> kept = new HashMap<>();
  private long found;
  private long room;

  private UmlPageTables(UmlMemory memory, Memory physical, OptionalLong root, boolean kernel) {
    this.memory = memory;
    this.physical = physical;
    this.root = root;
    this.kernel = kernel;
  }

  /**
   * The kernel's own view.
   *
   * @param root the physical address of {@code swapper_pg_dir}, where known
   */
  static UmlPageTables ofKernel(UmlMemory memory, OptionalLong root) {
    return new UmlPageTables(memory, memory, root, true);
  }

  /** The kernel's and its process's memory. */
  public UmlMemory memory() {
    return memory;
  }

  @Override
  public boolean find(long virtual) {
    if (kernel) {
      long direct = virtual - memory.base();
      if (Long.compareUnsigned(direct, memory.size()) < 0) {
        found = direct;
        room = memory.size() - direct;
        return true;
      }
    }
    if (walk(virtual)) {
      return true;
    }
    if (kernel && virtual >= 0) {
      found = UmlMemory.HOST + virtual;
      room = PAGE - (virtual & (PAGE - 1));
      return true;
    }
    return false;
  }

  private boolean walk(long virtual) {
    if (root.isEmpty() || virtual < 0 || virtual >>> (SHIFTS[0] + 9) != 0) {
      return false;
    }
    long table = root.getAsLong();
    for (int shift : SHIFTS) {
      long entry = entry(table + 8 * ((virtual >>> shift) & (ENTRIES - 1)));
      if ((entry & PRESENT) == 0) {
        return false;
      }
      table = entry & ADDRESS;
    }
    found = table + (virtual & (PAGE - 1));
    room = PAGE - (virtual & (PAGE - 1));
    return true;
  }

  /** An entry; 0, which is not present, where it cannot be read. */
  private long entry(long address) {
    return kept.computeIfAbsent(
        address,
        at -> {
          var word = new byte[8];
          int got = physical.read(at, java.lang.foreign.MemorySegment.ofArray(word));
          return got < word.length
              ? 0
              : java.nio.ByteBuffer.wrap(word).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
        });
  }

  @Override
  public long found() {
    return found;
  }

  @Override
  public long room() {
    return room;
  }

  /** {@inheritDoc} What is only the process's has none. */
  @Override
  public OptionalLong physical(long virtual) {
    return find(virtual) && Long.compareUnsigned(found, UmlMemory.HOST) < 0
        ? OptionalLong.of(found)
        : OptionalLong.empty();
  }

  @Override
  public Readability readability(long virtual) {
    return find(virtual) ? Readability.READABLE : Readability.UNMAPPED;
  }

  @Override
  public void forget() {
    kept.clear();
  }

  @Override
  public Mmu user(Memory of, long table) {
    return new UmlPageTables(memory, of, OptionalLong.of(table), false);
  }
}
