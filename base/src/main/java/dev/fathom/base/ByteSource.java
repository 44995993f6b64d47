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
   * Copies the bytes {@code [offset, offset + length)} to {@code into} from {@code at} on.
   *
   * @throws BadDataException when the range does not lie inside this source
   */
  default void copy(long offset, long length, MemorySegment into, long at) {
    MemorySegment.copy(slice(offset, length), 0, into, at, length);
  }

  /**
   * Checks that {@code [offset, offset + length)} lies inside this source.
   *
   * @throws BadDataException when it does not
   */
  default void check(long offset, long length) {
    if (offset < 0 || length < 0 || offset > size() - length) {
      throw new BadDataException(
          name(),
          offset,
          "needs " + length + " bytes, but the source ends at 0x" + Long.toHexString(size()));
    }
  }

  /**
   * A copy of the bytes {@code [offset, offset + length)} on the heap, where start-up code reads
   * them fastest.
   */
  default byte[] bytes(long offset, int length) {
    check(offset, length);
    var copy = new byte[length];
    copy(offset, length, MemorySegment.ofArray(copy), 0);
    return copy;
  }

  /**
   * The bytes {@code [offset, offset + length)} as a source of the same name, not copied; offsets
   * in it and in its errors count from {@code offset}.
   *
   * @throws BadDataException when the range does not lie inside this source
   */
  default ByteSource part(long offset, long length) {
    check(offset, length);
    return new PartSource(this, offset, length);
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
