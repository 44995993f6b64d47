// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.recording;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing array that the format's numbers are written to. */
final class Packer {
  private byte[] bytes = new byte[1 << 12];
  private int size;

  int size() {
    return size;
  }

  byte[] array() {
    return bytes;
  }

  void clear() {
    size = 0;
  }

  private void room(int count) {
    if (bytes.length - size < count) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + count));
    }
  }

  void u8(int value) {
    room(1);
    bytes[size++] = (byte) value;
  }

  void u32(int value) {
    for (int i = 0; i < 4; i++) {
      u8(value >>> (8 * i));
    }
  }

  void u64(long value) {
    u32((int) value);
    u32((int) (value >>> 32));
  }

  void varint(long value) {
    room(10);
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[size++] = (byte) rest;
  }

  void signed(long value) {
    varint(value << 1 ^ value >> 63);
  }

  void string(String text) {
    blob(text.getBytes(StandardCharsets.UTF_8));
  }

  void blob(byte[] more) {
    varint(more.length);
    raw(more, more.length);
  }

  void raw(byte[] more, int count) {
    room(count);
    System.arraycopy(more, 0, bytes, size, count);
    size += count;
  }
}
