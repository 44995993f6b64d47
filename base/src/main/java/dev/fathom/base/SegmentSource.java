// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.lang.foreign.MemorySegment;

/** Bytes of one memory segment. */
record SegmentSource(String name, MemorySegment segment) implements ByteSource {
  @Override
  public long size() {
    return segment.byteSize();
  }

  @Override
  public MemorySegment slice(long offset, long length) {
    check(offset, length);
    return segment.asSlice(offset, length);
  }

  @Override
  public void copy(long offset, long length, MemorySegment into, long at) {
    check(offset, length);
    MemorySegment.copy(segment, offset, into, at, length);
  }
}
