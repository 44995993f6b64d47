// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Readability;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * Virtual memory behind x86-64 page tables, with a cache of translations. Ranges known to be mapped
 * one to one onto physical memory can be added and are then not looked up.
 */
public final class PagedSpace implements AddressSpace {
  private static final int SLOTS = 1024;

  private final String name;
  private final Memory physical;
  private final PageWalk walk;

  /** Virtual page numbers plus one, so that 0 means an empty slot. */
  private final long[] tags = new long[SLOTS];

  private final long[] frames = new long[SLOTS];

  private long linearStart;
  private long linearLength;
  private long linearPhysical;

  PagedSpace(String name, Memory physical, PageWalk walk) {
    this.name = name;
    this.physical = physical;
    this.walk = walk;
  }

  /**
   * Virtual memory behind the table at physical address {@code root}.
   *
   * @param levels 4 or 5
   * @param smeMask AMD's encryption bit, 0 when unused
   */
  public static PagedSpace of(String name, Memory physical, long root, int levels, long smeMask) {
    return new PagedSpace(name, physical, new PageWalk(physical, root, levels, smeMask));
  }

  /** From now on {@code [start, start + length)} is physical memory from {@code physicalStart}. */
  public void linear(long start, long length, long physicalStart) {
    linearStart = start;
    linearLength = length;
    linearPhysical = physicalStart;
  }

  /** What the page tables say of {@code address}, without any short cut. */
  PageWalk.Step walk(long address) {
    return walk.walk(address);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  @Override
  public OptionalLong physical(long virtual) {
    long page = frame(virtual);
    return page < 0 ? OptionalLong.empty() : OptionalLong.of(page | (virtual & 4095));
  }

  /** The physical address of the page that holds {@code virtual}, or -1. */
  private long frame(long virtual) {
    long distance = virtual - linearStart;
    if (Long.compareUnsigned(distance, linearLength) < 0) {
      return linearPhysical + (distance & -4096L);
    }
    long tag = (virtual >>> 12) + 1;
    int slot = (int) (tag ^ tag >>> 10) & (SLOTS - 1);
    if (tags[slot] == tag) {
      return frames[slot];
    }
    var step = walk.walk(virtual);
    if (step.readability() != Readability.READABLE) {
      return -1;
    }
    long page = step.physical() | (virtual & ((1L << step.shift()) - 1) & -4096L);
    tags[slot] = tag;
    frames[slot] = page;
    return page;
  }

  @Override
  public int read(long address, MemorySegment into) {
    long wanted = into.byteSize();
    int done = 0;
    while (done < wanted) {
      long page = frame(address + done);
      if (page < 0) {
        return done;
      }
      int inPage = (int) (address + done) & 4095;
      long run = 4096L - inPage;
      while (run < wanted - done && frame(address + done + run) == page + inPage + run) {
        run += 4096;
      }
      int count = (int) Math.min(run, wanted - done);
      int got = physical.read(page + inPage, count == wanted ? into : into.asSlice(done, count));
      done += got;
      if (got < count) {
        return done;
      }
    }
    return done;
  }

  @Override
  public Readability at(long address) {
    long page = frame(address);
    return page < 0 ? walk.walk(address).readability() : physical.at(page | (address & 4095));
  }
}
