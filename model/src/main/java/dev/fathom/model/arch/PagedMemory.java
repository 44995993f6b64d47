// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import dev.fathom.base.Readability;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/** Virtual memory as page tables and physical memory make it. */
public final class PagedMemory implements AddressSpace {
  private final String name;
  private final Memory physical;
  private final Mmu mmu;

  /**
   * @param physical memory by physical address, where {@code mmu} leads to
   */
  public PagedMemory(String name, Memory physical, Mmu mmu) {
    this.name = name;
    this.physical = physical;
    this.mmu = mmu;
  }

  public Mmu mmu() {
    return mmu;
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
  public int read(long address, MemorySegment into) {
    long size = into.byteSize();
    long done = 0;
    while (done < size && mmu.find(address + done)) {
      long want = Math.min(mmu.room(), size - done);
      var part = want == size ? into : into.asSlice(done, want);
      int got = physical.read(mmu.found(), part);
      done += got;
      if (got < want || address + done == 0) {
        break;
      }
    }
    return (int) done;
  }

  /**
   * {@inheritDoc} A page that the tables map where the target offers no memory (a device, or left
   * out of a dump) is {@link Readability#NOT_DUMPED}.
   */
  @Override
  public Readability at(long address) {
    if (!mmu.find(address)) {
      return mmu.readability(address);
    }
    var reason = physical.at(mmu.found());
    return reason == Readability.UNMAPPED ? Readability.NOT_DUMPED : reason;
  }

  @Override
  public OptionalLong physical(long virtual) {
    return mmu.physical(virtual);
  }
}
