// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.Range;
import dev.fathom.base.RangeMap;
import dev.fathom.base.Readability;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/** An address space made of byte arrays, mapped one to one: for snapshots and tests. */
public final class HeapMemory implements AddressSpace {
  private final String name;
  private final Layout layout;
  private final RangeMap.Builder<byte[]> builder = new RangeMap.Builder<>();
  private RangeMap<byte[]> map = builder.build();

  public HeapMemory(String name, Layout layout) {
    this.name = name;
    this.layout = layout;
  }

  /** Adds {@code bytes} at {@code address}; the array is not copied. Bytes already there stay. */
  public HeapMemory put(long address, byte[] bytes) {
    builder.put(Range.of(address, bytes.length), bytes);
    map = builder.build();
    return this;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Layout layout() {
    return layout;
  }

  @Override
  public int read(long address, MemorySegment into) {
    int done = 0;
    while (done < into.byteSize()) {
      var entry = map.at(address + done);
      if (entry.isEmpty()) {
        break;
      }
      long from = address + done - entry.get().range().start();
      int count = (int) Math.min(entry.get().range().length() - from, into.byteSize() - done);
      MemorySegment.copy(MemorySegment.ofArray(entry.get().value()), from, into, done, count);
      done += count;
    }
    return done;
  }

  @Override
  public Readability at(long address) {
    return map.at(address).isPresent() ? Readability.READABLE : Readability.UNMAPPED;
  }

  @Override
  public OptionalLong physical(long virtual) {
    return map.at(virtual).isPresent() ? OptionalLong.of(virtual) : OptionalLong.empty();
  }
}
