// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Readability;
import java.lang.foreign.MemorySegment;

/** Memory whose bytes stand uncompressed in a file. */
final class SegmentMemory {
  private final ByteSource source;
  private final long size;
  private final Extents stored;
  private final Extents described;

  /**
   * @param stored what has bytes in the file (or would have, had it not been cut off)
   * @param described all memory that the file speaks of
   */
  SegmentMemory(ByteSource source, Extents stored, Extents described) {
    this.source = source;
    this.size = source.size();
    this.stored = stored;
    this.described = described;
  }

  Extents described() {
    return described;
  }

  int read(long address, MemorySegment into) {
    long wanted = Math.min(into.byteSize(), Integer.MAX_VALUE);
    long done = 0;
    while (done < wanted) {
      long at = address + done;
      int i = stored.find(at);
      if (i < 0) {
        break;
      }
      long offset = stored.offset(i, at);
      long count = Math.min(stored.length(i, at, wanted - done), size - offset);
      if (count <= 0) {
        break;
      }
      if (!copy(offset, count, into, done)) {
        break;
      }
      done += count;
    }
    return (int) done;
  }

  Readability at(long address) {
    int i = stored.find(address);
    if (i >= 0) {
      return stored.offset(i, address) < size && readable(stored.offset(i, address))
          ? Readability.READABLE
          : Readability.ERROR;
    }
    return described.find(address) >= 0 ? Readability.NOT_DUMPED : Readability.UNMAPPED;
  }

  private boolean readable(long offset) {
    return copy(offset, 1, MemorySegment.ofArray(new byte[1]), 0);
  }

  /** False when the file became shorter or its disk failed. */
  private boolean copy(long offset, long count, MemorySegment into, long at) {
    try {
      source.copy(offset, count, into, at);
      return true;
    } catch (BadDataException _) {
      return false;
    }
  }
}
