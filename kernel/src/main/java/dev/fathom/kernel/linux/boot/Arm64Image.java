// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.model.arch.aarch64.PageTables;
import java.util.Optional;

/**
 * The image of a 64-bit Arm kernel as page tables map it: from {@code _stext} (the head before it
 * is not mapped) up to the end of its bss, at one distance from physical memory, with holes where
 * parts were freed.
 *
 * @param start the first virtual address
 * @param end the address behind the last page
 * @param physical the physical address of {@code start}
 */
record Arm64Image(long start, long end, long physical) {
  /** Less than any kernel. */
  private static final long LEAST = 4L << 20;

  /** No kernel is larger; more than that around an address need not be looked at. */
  private static final long SPACE = 256L << 20;

  /** Holes within an image are freed pieces; a larger one ends it. */
  private static final long HOLE_LIMIT = 32L << 20;

  private static final long TABLE_LIMIT = 2048;

  /** In the whole upper part of the address space, where only kernel, modules and vmalloc are. */
  private static final long SEARCH_LIMIT = 1 << 14;

  /** The image that holds a virtual address. */
  static Optional<Arm64Image> at(PageTables tables, long address) {
    var physical = tables.physical(address);
    if (physical.isEmpty()) {
      return Optional.empty();
    }
    long distance = address - physical.getAsLong();
    long lowest = -1L << tables.paging().virtualBits();
    long from = address - lowest < SPACE ? lowest : address - SPACE;
    long to = -1 - address < SPACE ? -1 : address + SPACE;
    var run = new Run(distance, address);
    tables.sweep(from, to, TABLE_LIMIT, run::take);
    return run.end - run.start < LEAST
        ? Optional.empty()
        : Optional.of(new Arm64Image(run.start, run.end, run.start - distance));
  }

  /**
   * The image that holds the root of the tables that map it: what makes them {@code
   * swapper_pg_dir}. The direct map, in the other half of the kernel's addresses (in the same half
   * until 5.3), maps it too, but its start.
   *
   * @param root the physical address of {@code swapper_pg_dir}
   */
  static Optional<Arm64Image> around(PageTables tables, long root) {
    var best = new Arm64Image[1];
    tables.sweep(
        -1L << tables.paging().virtualBits(),
        -1,
        SEARCH_LIMIT,
        mapping -> {
          if (mapping.access().kernelExecutable()
              && Math.abs(mapping.physical() - root) < SPACE
              && best[0] == null) {
            long distance = mapping.virtual() - mapping.physical();
            var back = tables.physical(root + distance);
            if (back.isPresent() && back.getAsLong() == root) {
              best[0] = at(tables, mapping.virtual()).orElse(null);
            }
          }
          return best[0] == null;
        });
    return Optional.ofNullable(best[0]);
  }

  /** The pages around an address at one distance from physical memory. */
  private static final class Run {
    private final long distance;
    private final long address;
    private long start;
    private long end;

    Run(long distance, long address) {
      this.distance = distance;
      this.address = address;
    }

    boolean take(PageTables.Mapping mapping) {
      if (mapping.virtual() - mapping.physical() != distance) {
        return true;
      }
      long at = mapping.virtual();
      if (end == 0 || at - end > HOLE_LIMIT) {
        if (end != 0 && address < end) {
          return false;
        }
        start = at;
      }
      end = at + mapping.bytes();
      return true;
    }
  }
}
