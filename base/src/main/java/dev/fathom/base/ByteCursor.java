// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads numbers and strings one after the other from a {@link ByteSource}. Every read past the end
 * is a {@link BadDataException} that names source and offset.
 */
public final class ByteCursor {
  // Layouts keep how they are read: those that are made for each read are slow.
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ByteSource source;
  private final ByteOrder order;
  private final boolean little;
  private final MemorySegment bytes;
  private long offset;

  public ByteCursor(ByteSource source, ByteOrder order, long offset) {
    this.source = source;
    this.order = order;
    this.little = order == ByteOrder.LITTLE_ENDIAN;
    this.bytes = source.slice(0, source.size());
    seek(offset);
  }

  /** Where the next read starts, in bytes from the start of the source. */
  public long offset() {
    return offset;
  }

  /** The order in which numbers are read. */
  public ByteOrder order() {
    return order;
  }

  public long remaining() {
    return bytes.byteSize() - offset;
  }

  public ByteCursor seek(long newOffset) {
    if (newOffset < 0 || newOffset > bytes.byteSize()) {
      throw new BadDataException(
          source.name(),
          newOffset,
          "past the end of the source at 0x" + Long.toHexString(bytes.byteSize()));
    }
    offset = newOffset;
    return this;
  }

  public ByteCursor skip(long count) {
    need(count);
    offset += count;
    return this;
  }

  /**
   * Moves to the next multiple of {@code alignment}, a power of two, counted from the source's
   * start.
   */
  public ByteCursor align(long alignment) {
    return seek((offset + alignment - 1) & -alignment);
  }

  public int u8() {
    return bytes.get(ValueLayout.JAVA_BYTE, take(1)) & 0xff;
  }

  public int u16() {
    short read = bytes.get(SHORT, take(2));
    return (little ? read : Short.reverseBytes(read)) & 0xffff;
  }

  public int i32() {
    int read = bytes.get(INT, take(4));
    return little ? read : Integer.reverseBytes(read);
  }

  public long u32() {
    return Integer.toUnsignedLong(i32());
  }

  /** Eight bytes; unsigned 64-bit values keep their bits in the {@code long}. */
  public long u64() {
    long read = bytes.get(LONG, take(8));
    return little ? read : Long.reverseBytes(read);
  }

  /** An unsigned LEB128 number of at most 64 bits (DWARF 5, section 7.6). */
  public long uleb() {
    long start = offset;
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      int b = u8();
      if (shift > 63 || (shift == 63 && (b & 0x7e) != 0)) {
        throw bad(start, "LEB128 number is longer than 64 bits");
      }
      value |= (long) (b & 0x7f) << shift;
      if ((b & 0x80) == 0) {
        return value;
      }
    }
  }

  /** A signed LEB128 number of at most 64 bits (DWARF 5, section 7.6). */
  public long sleb() {
    long start = offset;
    long value = 0;
    int shift = 0;
    int b;
    do {
      b = u8();
      if (shift > 63) {
        throw bad(start, "LEB128 number is longer than 64 bits");
      }
      value |= (long) (b & 0x7f) << shift;
      shift += 7;
    } while ((b & 0x80) != 0);
    return shift < 64 && (b & 0x40) != 0 ? value | -1L << shift : value;
  }

  public byte[] bytes(int count) {
    var copy = new byte[count];
    MemorySegment.copy(bytes, take(count), MemorySegment.ofArray(copy), 0, count);
    return copy;
  }

  /** A view of the next {@code count} bytes, not copied. */
  public MemorySegment view(long count) {
    return bytes.asSlice(take(count), count);
  }

  /** The bytes up to a NUL, which is consumed, as UTF-8; at most {@code limit} bytes. */
  public String cString(int limit) {
    long end = endOfString(limit);
    var text = new String(bytes((int) (end - offset)), StandardCharsets.UTF_8);
    offset++;
    return text;
  }

  /** Moves behind the NUL that ends a string, which has at most {@code limit} bytes before it. */
  public ByteCursor skipCString(int limit) {
    offset = endOfString(limit) + 1;
    return this;
  }

  private long endOfString(int limit) {
    long end = offset;
    long last = Math.min(bytes.byteSize(), offset + limit);
    while (end < last && bytes.get(ValueLayout.JAVA_BYTE, end) != 0) {
      end++;
    }
    if (end == last) {
      throw bad(offset, "string without a terminating NUL within " + (last - offset) + " bytes");
    }
    return end;
  }

  /** An error about the value at {@code at} in this cursor's source. */
  public BadDataException bad(long at, String what) {
    return new BadDataException(source.name(), at, what);
  }

  private long take(long count) {
    need(count);
    long at = offset;
    offset += count;
    return at;
  }

  private void need(long count) {
    if (count < 0 || count > remaining()) {
      throw bad(offset, "needs " + count + " bytes, but only " + remaining() + " are left");
    }
  }
}
