// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * A growing array of bytes, numbers in little-endian order: what the writers of this package write
 * to.
 */
public final class LittleEndian {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  public LittleEndian u8(int value) {
    bytes.write(value);
    return this;
  }

  public LittleEndian u16(int value) {
    return u8(value).u8(value >>> 8);
  }

  public LittleEndian u32(long value) {
    return u16((int) value).u16((int) (value >>> 16));
  }

  public LittleEndian u64(long value) {
    return u32(value).u32(value >>> 32);
  }

  public LittleEndian bytes(byte[] more) {
    bytes.writeBytes(more);
    return this;
  }

  /** The text as UTF-8, and a NUL. */
  public LittleEndian cString(String text) {
    return bytes(text.getBytes(StandardCharsets.UTF_8)).u8(0);
  }

  /** Zeros up to a multiple of {@code alignment} bytes from the start. */
  public LittleEndian align(int alignment) {
    while (size() % alignment != 0) {
      u8(0);
    }
    return this;
  }

  public int size() {
    return bytes.size();
  }

  public byte[] toByteArray() {
    return bytes.toByteArray();
  }
}
