// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The physical memory of a User Mode Linux, which is a part of its process's memory: physical
 * address 0 is where the kernel's image begins ({@code uml_physmem}, arch/um/kernel/um_arch.c), and
 * the rest of the image and all memory follow ({@code __pa} of arch/um/include/asm/page.h is a
 * subtraction).
 *
 * <p>What else is in the process, the C library that the kernel is linked with, stands at its
 * process's address plus {@link #HOST}, which is no physical address.
 */
public final class UmlMemory implements PhysicalMemory {
  /** Added to addresses of the process that are outside of the kernel's physical memory. */
  public static final long HOST = 1L << 62;

  private final Memory process;
  private final long base;
  private final long size;
  private final List<Range> ranges;

  /**
   * @param process the process's memory by its own addresses
   * @param base where physical address 0 is in the process
   * @param ranges physical addresses that there is memory for, ascending
   */
  UmlMemory(Memory process, long base, List<Range> ranges) {
    this.process = process;
    this.base = base;
    this.ranges = List.copyOf(ranges);
    this.size = ranges.getLast().end();
  }

  /** Where physical address 0 is in the process. */
  public long base() {
    return base;
  }

  /** The end of physical memory. */
  public long size() {
    return size;
  }

  /** The process's address of a physical one. */
  private long inProcess(long address) {
    return Long.compareUnsigned(address, HOST) >= 0 ? address - HOST : base + address;
  }

  private boolean isNone(long address) {
    return Long.compareUnsigned(address, size) >= 0 && Long.compareUnsigned(address, HOST) < 0;
  }

  @Override
  public String name() {
    return "physical";
  }

  @Override
  public Layout layout() {
    return process.layout();
  }

  @Override
  public int read(long address, MemorySegment into) {
    if (isNone(address)) {
      return 0;
    }
    long room = address < size ? size - address : into.byteSize();
    return process.read(inProcess(address), into.byteSize() <= room ? into : into.asSlice(0, room));
  }

  @Override
  public Readability at(long address) {
    return isNone(address) ? Readability.UNMAPPED : process.at(inProcess(address));
  }

  @Override
  public List<Range> ranges() {
    return ranges;
  }
}
