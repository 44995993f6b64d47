// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.process;

import dev.fathom.base.Readability;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/** A process's memory; what is behind its pages is the business of the kernel below. */
record ProcessSpace(Memory memory) implements AddressSpace {
  @Override
  public String name() {
    return memory.name();
  }

  @Override
  public Layout layout() {
    return memory.layout();
  }

  @Override
  public int read(long address, MemorySegment into) {
    return memory.read(address, into);
  }

  @Override
  public Readability at(long address) {
    return memory.at(address);
  }

  @Override
  public OptionalLong physical(long virtual) {
    return OptionalLong.empty();
  }

  /** The physical memory that a process does not see. */
  record Nothing(Layout layout) implements Memory {
    @Override
    public String name() {
      return "physical memory, which a process does not see,";
    }

    @Override
    public int read(long address, MemorySegment into) {
      return 0;
    }

    @Override
    public Readability at(long address) {
      return Readability.UNMAPPED;
    }
  }
}
