// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.Layout;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Physical memory that PT_LOAD segments describe. */
final class ElfPhysicalMemory implements PhysicalMemory {
  private final SegmentMemory memory;

  ElfPhysicalMemory(ByteSource source, Extents stored, Extents described) {
    this.memory = new SegmentMemory(source, stored, described);
  }

  @Override
  public String name() {
    return "physical";
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  @Override
  public List<Range> ranges() {
    return memory.described().ranges();
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
