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
    try {
      MemorySegment.copy(segment, offset, into, at, length);
    } catch (InternalError _) {
      // The JVM's word for a page of a mapped file that the system could not bring in.
      throw new BadDataException(
          name, offset, "cannot be read: the disk failed or the file became shorter");
    }
  }
}
