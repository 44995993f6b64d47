// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Readability;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/** Physical memory where a value's place is asked for. */
record PhysicalSpace(Memory physical) implements AddressSpace {
  @Override
  public String name() {
    return physical.name();
  }

  @Override
  public Layout layout() {
    return physical.layout();
  }

  @Override
  public int read(long address, MemorySegment into) {
    return physical.read(address, into);
  }

  @Override
  public Readability at(long address) {
    return physical.at(address);
  }

  @Override
  public OptionalLong physical(long virtual) {
    return OptionalLong.of(virtual);
  }
}
