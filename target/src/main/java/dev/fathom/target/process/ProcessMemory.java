// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.base.Readability;
import dev.fathom.model.Layout;
import dev.fathom.target.VirtualMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The process's memory by its own addresses, as its own code would see it without breakpoints. */
final class ProcessMemory implements VirtualMemory {
  private final ProcessTarget target;

  ProcessMemory(ProcessTarget target) {
    this.target = target;
  }

  @Override
  public String name() {
    return "process " + target.process();
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  @Override
  public int read(long address, MemorySegment into) {
    int got = target.bytes().read(address, into);
    target.traced().ifPresent(traced -> traced.hideBreakpoints(address, into, got));
    return got;
  }

  @Override
  public Readability at(long address) {
    var one = new byte[1];
    return read(address, MemorySegment.ofArray(one)) == 1
        ? Readability.READABLE
        : Readability.UNMAPPED;
  }

  @Override
  public List<Segment> segments() {
    return List.of();
  }
}
