// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

/**
 * How the page tables of one machine are to be read.
 *
 * @param levels 4, or 5 when CR4.LA57 is set
 * @param encryptionMask the physical address bit that marks encrypted memory (AMD SME and SEV: the
 *     "C-bit", volume 2, section 7.10), 0 when there is none; it is not part of an address
 * @param notPresent what entries mean whose present bit is clear
 */
public record Paging(int levels, long encryptionMask, NotPresent notPresent) {
  /** The bit of CR4 that says five levels. */
  public static final long CR4_LA57 = 1L << 12;

  public Paging {
    if (levels != 4 && levels != 5) {
      throw new IllegalArgumentException("page tables of " + levels + " levels");
    }
  }

  /** Without encryption. */
  public static Paging of(int levels, NotPresent notPresent) {
    return new Paging(levels, 0, notPresent);
  }

  /** Whether the bits above the highest one that is translated all equal it. */
  public boolean canonical(long virtual) {
    int unused = 64 - virtualBits();
    return virtual << unused >> unused == virtual;
  }

  /** Bits of a virtual address that take part: 48 or 57. */
  public int virtualBits() {
    return 12 + 9 * levels;
  }

  /** What the operating system keeps in entries that the processor ignores. */
  public enum NotPresent {
    /** Only the processor's view counts: not present is not mapped. */
    HARDWARE,
    /**
     * Linux's view. A page without access rights (PROT_NONE, or waiting for a NUMA hint fault)
     * keeps its frame: present is clear, bit 8 set, and the frame number is inverted against L1TF
     * (arch/x86/include/asm/pgtable-invert.h, since 4.19 and in the stable kernels of August 2018).
     * A huge page that is just being split has the present bit clear and the page size bit set.
     * What else is not zero is a swap or migration entry.
     */
    LINUX
  }
}
