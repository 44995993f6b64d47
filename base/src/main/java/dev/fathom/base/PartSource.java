// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.lang.foreign.MemorySegment;

/** A range of another source. */
record PartSource(ByteSource whole, long start, long size) implements ByteSource {
  @Override
  public String name() {
    return whole.name();
  }

  @Override
  public MemorySegment slice(long offset, long length) {
    check(offset, length);
    return whole.slice(start + offset, length);
  }

  @Override
  public void copy(long offset, long length, MemorySegment into, long at) {
    check(offset, length);
    whole.copy(start + offset, length, into, at);
  }
}
