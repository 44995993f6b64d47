// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.recording;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Reads the format's numbers from a block that was copied to the heap. */
final class Unpacker {
  private final ByteSource source;
  private byte[] bytes = {};
  private long start;
  private int at;
  private int end;

  Unpacker(ByteSource source) {
    this.source = source;
  }

  /** Begins the payload at this offset of the source. */
  void load(long offset, int length) {
    if (bytes.length < length) {
      bytes = new byte[length];
    }
    source.copy(offset, length, MemorySegment.ofArray(bytes), 0);
    start = offset;
    at = 0;
    end = length;
  }

  boolean more() {
    return at < end;
  }

  int at() {
    return at;
  }

  byte[] array() {
    return bytes;
  }

  BadDataException bad(String what) {
    return new BadDataException(source.name(), start + at, what);
  }

  private void need(long count) {
    if (count < 0 || count > end - at) {
      throw bad("needs " + count + " bytes, only " + (end - at) + " are left of the block");
    }
  }

  int u8() {
    need(1);
    return bytes[at++] & 0xff;
  }

  long u32() {
    need(4);
    long value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | (bytes[at + i] & 0xff);
    }
    at += 4;
    return value;
  }

  long u64() {
    return u32() | u32() << 32;
  }

  long varint() {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at >= end) {
        need(1);
      }
      byte b = bytes[at++];
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw bad("number of more than 64 bits");
  }

  long signed() {
    long value = varint();
    return value >>> 1 ^ -(value & 1);
  }

  /** A number below this one. */
  int index(int count, String what) {
    long value = varint();
    if (value < 0 || value >= count) {
      throw bad(what + " " + Long.toUnsignedString(value) + ", but there are " + count);
    }
    return (int) value;
  }

  /** A length of which the bytes are there, and are skipped. */
  int skip() {
    long length = varint();
    need(length);
    at += (int) length;
    return (int) length;
  }

  String string() {
    int length = skip();
    return new String(bytes, at - length, length, StandardCharsets.UTF_8);
  }

  void seek(int position) {
    at = position;
  }
}
