// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Readability;
import dev.fathom.model.Layout;
import dev.fathom.target.VirtualMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Virtual memory as PT_LOAD segments describe it: the kernel's text and direct map in kdump's
 * vmcores, everything that the CPUs' page tables map in QEMU's with paging.
 */
final class ElfVirtualMemory implements VirtualMemory {
  private final SegmentMemory memory;
  private final List<Segment> segments;

  ElfVirtualMemory(ByteSource source, Extents stored, Extents described, List<Segment> segments) {
    this.memory = new SegmentMemory(source, stored, described);
    this.segments = List.copyOf(segments);
  }

  @Override
  public String name() {
    return "virtual";
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  @Override
  public List<Segment> segments() {
    return segments;
  }

  @Override
  public int read(long address, MemorySegment into) {
    return memory.read(address, into);
  }

  @Override
  public Readability at(long address) {
    return memory.at(address);
  }
}
