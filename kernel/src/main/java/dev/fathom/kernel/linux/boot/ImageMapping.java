// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Readability;
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

  /** The longest run of pages in the image's gigabyte at one distance from physical memory. */
  static Optional<ImageMapping> find(PageWalk walk) {
    long at = KernelPlace.START_KERNEL_MAP;
    long limit = at + SPACE;
    ImageMapping best = null;
    ImageMapping run = null;
    while (at < limit) {
      var step = walk.walk(at);
      long size = 1L << step.shift();
      long next = (at & -size) + size;
      if (step.readability() == Readability.READABLE) {
        long physical = step.physical() | (at & (size - 1));
        if (run != null
            && at - run.start() == physical - run.physical()
            && at - run.end() <= HOLE_LIMIT) {
          run = new ImageMapping(run.start(), next, run.physical());
        } else if (run == null || at - run.end() > HOLE_LIMIT || run.length() < LEAST) {
          run = new ImageMapping(at, next, physical);
        }
        if (best == null || run.length() > best.length()) {
          best = run;
        }
      }
      at = next;
    }
    return best == null || best.length() < LEAST ? Optional.empty() : Optional.of(best);
  }

  long length() {
    return end - start;
  }
}
