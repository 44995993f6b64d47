// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/** Memory with a range that was left out of the dump. Physical address = virtual less a base. */
record FixtureMemory(HeapMemory bytes, Range missing, long base) implements AddressSpace {
  @Override
  public String name() {
    return "kernel";
  }

  @Override
  public Layout layout() {
    return bytes.layout();
  }

  @Override
  public int read(long address, MemorySegment into) {
    return bytes.read(address, into);
  }

  @Override
  public Readability at(long address) {
    return missing.contains(address) ? Readability.NOT_DUMPED : bytes.at(address);
  }

  @Override
  public OptionalLong physical(long virtual) {
    return bytes.at(virtual) == Readability.READABLE || missing.contains(virtual)
        ? OptionalLong.of(virtual - base)
        : OptionalLong.empty();
  }
}
