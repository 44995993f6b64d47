// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.model.arch.x86_64.PageTables;
import java.util.Optional;

/**
 * The kernel image as page tables map it: from {@code _text}, rounded down to the 2 MiB that KASLR
 * aligns it to, up to the end of its bss, at one distance from physical memory. The kernel unmaps
 * what lies outside after boot ({@code cleanup_highmap}), and parts inside that it has freed.
 *
 * @param start the first virtual address
 * @param end the address behind the last page
 * @param physical the physical address of {@code start}
 */
record ImageMapping(long start, long end, long physical) {
  private static final long SPACE = 1L << 30;

  /** Less than any kernel: text alone takes this. */
  private static final long LEAST = 4L << 20;

  /** Holes within an image are freed pieces; a larger one ends it. */
  private static final long HOLE_LIMIT = 32L << 20;

  /** The tables below one entry of level 3: 512 page tables and the directory, and those above. */
  static final long TABLE_LIMIT = 520;

  /** The longest run of pages in the image's gigabyte at one distance from physical memory. */
  static Optional<ImageMapping> find(PageTables tables) {
    var search = new Search();
    tables.sweep(
        KernelFinder.START_KERNEL_MAP,
        KernelFinder.START_KERNEL_MAP + SPACE - 1,
        TABLE_LIMIT,
        search::take);
    return search.best == null || search.best.length() < LEAST
        ? Optional.empty()
        : Optional.of(search.best);
  }

  private static final class Search {
    private ImageMapping run;
    private ImageMapping best;

    boolean take(PageTables.Mapping mapping) {
      long at = mapping.virtual();
      long end = at + mapping.bytes();
      if (run != null
          && at - run.start() == mapping.physical() - run.physical()
          && at - run.end() <= HOLE_LIMIT) {
        run = new ImageMapping(run.start(), end, run.physical());
      } else if (run == null || at - run.end() > HOLE_LIMIT || run.length() < LEAST) {
        run = new ImageMapping(at, end, mapping.physical());
      }
      if (best == null || run.length() > best.length()) {
        best = run;
      }
      return true;
    }
  }

  long length() {
    return end - start;
  }
}
