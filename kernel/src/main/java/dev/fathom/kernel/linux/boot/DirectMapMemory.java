// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.kernel.Progress;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Physical memory where the kernel's own direct map shows it, for targets that serve virtual memory
 * alone. Pages that the kernel has taken out of that map (guard pages, secret memory) are missing.
 */
final class DirectMapMemory implements PhysicalMemory {
  /**
   * Tables read to learn what the direct map holds: each describes 2 MiB at least, and 1 GiB where
   * pages are large.
   */
  private static final long TABLE_LIMIT = 4096;

  private static final int PIECE = 1 << 15;

  private final Memory virtual;
  private final long base;
  private final long size;
  private final Progress progress;
  private List<Range> ranges = List.of();

  /**
   * @param virtual memory as the kernel sees it
   * @param base the virtual address of physical address 0
   * @param size the bytes that the direct map has room for
   * @param progress told of large reads
   */
  DirectMapMemory(Memory virtual, long base, long size, Progress progress) {
    this.virtual = virtual;
    this.base = base;
    this.size = size;
    this.progress = progress;
  }

  /**
   * Learns from the kernel's page tables where there is memory.
   *
   * @return what the user should know of it
   */
  List<String> learnRanges(PageTables tables) {
    var found = new ArrayList<Range>();
    var swept =
        tables.sweep(
            base,
            base + size - 1,
            TABLE_LIMIT,
            mapping -> {
              // What vmalloc has mapped follows, and is not of interest.
              boolean direct = mapping.virtual() - mapping.physical() == base;
              if (direct) {
                add(found, new Range(mapping.physical(), mapping.physical() + mapping.bytes()));
              }
              return direct;
            });
    ranges = List.copyOf(found);
    return swept.tables() < TABLE_LIMIT
        ? List.of()
        : List.of(
            "the direct map has more than "
                + TABLE_LIMIT
                + " tables: where there is physical memory is known up to 0x"
                + Long.toHexString(ranges.isEmpty() ? 0 : ranges.getLast().end()));
  }

  private static void add(List<Range> ranges, Range range) {
    if (!ranges.isEmpty() && ranges.getLast().end() == range.start()) {
      ranges.set(ranges.size() - 1, new Range(ranges.getLast().start(), range.end()));
    } else {
      ranges.add(range);
    }
  }

  @Override
  public String name() {
    return "physical";
  }

  @Override
  public Layout layout() {
    return virtual.layout();
  }

  @Override
  public int read(long address, MemorySegment into) {
    if (Long.compareUnsigned(address, size) >= 0) {
      return 0;
    }
    long room = Math.min(into.byteSize(), size - address);
    int done = 0;
    while (done < room) {
      if (done > 0) {
        progress.step("reading tables of the kernel", done, room);
      }
      // Targets with virtual memory alone can be slow.
      long wanted = Math.min(room - done, PIECE);
      int got = virtual.read(base + address + done, into.asSlice(done, wanted));
      done += got;
      if (got < wanted) {
        break;
      }
    }
    return done;
  }

  @Override
  public Readability at(long address) {
    return Long.compareUnsigned(address, size) >= 0
        ? Readability.UNMAPPED
        : virtual.at(base + address);
  }

  @Override
  public List<Range> ranges() {
    return ranges;
  }
}
