// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

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
  private final PageTables tables;

  /**
   * @param physical memory by physical address, where {@code tables} lead to
   */
  public PagedMemory(String name, Memory physical, PageTables tables) {
    this.name = name;
    this.physical = physical;
    this.tables = tables;
  }

  public PageTables tables() {
    return tables;
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
    while (done < size && tables.find(address + done)) {
      long want = Math.min(tables.room(), size - done);
      var part = want == size ? into : into.asSlice(done, want);
      int got = physical.read(tables.found(), part);
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
    if (!tables.find(address)) {
      return tables.translate(address).readability();
    }
    var reason = physical.at(tables.found());
    return reason == Readability.UNMAPPED ? Readability.NOT_DUMPED : reason;
  }

  @Override
  public OptionalLong physical(long virtual) {
    return tables.physical(virtual);
  }
}
