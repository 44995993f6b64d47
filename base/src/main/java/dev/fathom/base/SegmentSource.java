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
    if (offset < 0 || length < 0 || offset > size() - length) {
      throw new BadDataException(
          name,
          offset,
          "needs " + length + " bytes, but the source ends at 0x" + Long.toHexString(size()));
    }
    return segment.asSlice(offset, length);
  }
}
