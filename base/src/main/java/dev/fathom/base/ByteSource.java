// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/**
 * Read-only bytes with a name and a size: a mapped file, a part of one, or memory. Implementations
 * may be read by several threads at once.
 */
public interface ByteSource {
  /** The name for messages, usually the file's path as the user gave it. */
  String name();

  /** The size in bytes. */
  long size();

  /**
   * The bytes {@code [offset, offset + length)}, not copied, read-only.
   *
   * @throws BadDataException when the range does not lie inside this source
   */
  MemorySegment slice(long offset, long length);

  /**
   * A copy of the bytes {@code [offset, offset + length)} on the heap, where start-up code reads
   * them fastest.
   */
  default byte[] bytes(long offset, int length) {
    var copy = new byte[length];
    MemorySegment.copy(slice(offset, length), 0, MemorySegment.ofArray(copy), 0, length);
    return copy;
  }

  /** A cursor at {@code offset}, reading numbers in {@code order}. */
  default ByteCursor cursor(long offset, ByteOrder order) {
    return new ByteCursor(this, order, offset);
  }

  /** A source over memory that is already there; the segment's bytes are not copied. */
  static ByteSource of(String name, MemorySegment segment) {
    return new SegmentSource(name, segment.asReadOnly());
  }

  static ByteSource of(String name, byte[] bytes) {
    return of(name, MemorySegment.ofArray(bytes));
  }
}
