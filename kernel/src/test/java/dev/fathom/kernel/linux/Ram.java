// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.Layout;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Physical memory from address 0 on, with pages that can be taken out. */
final class Ram implements PhysicalMemory {
  private static final int PAGE = 4096;

  private final byte[] bytes;
  private final Set<Long> missing = new HashSet<>();

  Ram(int size) {
    this.bytes = new byte[size];
  }

  byte[] bytes() {
    return bytes;
  }

  void put(long address, byte[] data) {
    System.arraycopy(data, 0, bytes, (int) address, data.length);
  }

  /** Leaves the page that holds {@code address} out of the dump. */
  void drop(long address) {
    missing.add(address / PAGE);
  }

  @Override
  public List<Range> ranges() {
    return List.of(Range.of(0, bytes.length));
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
  public int read(long address, MemorySegment into) {
    int done = 0;
    while (done < into.byteSize() && at(address + done) == Readability.READABLE) {
      long at = address + done;
      int count = (int) Math.min(PAGE - at % PAGE, into.byteSize() - done);
      MemorySegment.copy(MemorySegment.ofArray(bytes), at, into, done, count);
      done += count;
    }
    return done;
  }

  @Override
  public Readability at(long address) {
    if (address < 0 || address >= bytes.length) {
      return Readability.UNMAPPED;
    }
    return missing.contains(address / PAGE) ? Readability.NOT_DUMPED : Readability.READABLE;
  }
}
