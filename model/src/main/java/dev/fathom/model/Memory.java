// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Memory of the target, virtual or physical. Addresses are unsigned 64-bit numbers in a {@code
 * long}. Used by one thread.
 */
public interface Memory {
  /** The name for messages: {@code physical}, {@code kernel}, {@code user}. */
  String name();

  Layout layout();

  /**
   * Copies bytes from {@code address} on into {@code into} until it is full or the next byte cannot
   * be read.
   *
   * @return the number of bytes copied, which all lie before the first byte that cannot be read
   */
  int read(long address, MemorySegment into);

  /** Whether the byte at {@code address} can be read, and if not why not. */
  Readability at(long address);

  /**
   * Fills {@code into}.
   *
   * @throws FaultException naming the first address that cannot be read
   */
  default void readFully(long address, MemorySegment into) {
    int count = read(address, into);
    if (count < into.byteSize()) {
      throw fault(address + count);
    }
  }

  /** The {@code count} bytes at {@code address}, all or a {@link FaultException}. */
  default byte[] bytes(long address, int count) {
    var copy = new byte[count];
    readFully(address, MemorySegment.ofArray(copy));
    return copy;
  }

  /** The error for {@code address}, which a read has found unreadable. */
  default FaultException fault(long address) {
    var reason = at(address);
    return new FaultException(
        name(), address, reason == Readability.READABLE ? Readability.ERROR : reason);
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes in this memory's byte order. */
  default long unsigned(long address, int size) {
    byte[] b = bytes(address, size);
    long value = 0;
    boolean little = layout().order() == ByteOrder.LITTLE_ENDIAN;
    for (int i = 0; i < size; i++) {
      value = value << 8 | (b[little ? size - 1 - i : i] & 0xff);
    }
    return value;
  }

  default int u8(long address) {
    return (int) unsigned(address, 1);
  }

  default int u16(long address) {
    return (int) unsigned(address, 2);
  }

  default long u32(long address) {
    return unsigned(address, 4);
  }

  default int i32(long address) {
    return (int) unsigned(address, 4);
  }

  default long u64(long address) {
    return unsigned(address, 8);
  }

  /** A pointer of this memory's word size. */
  default long pointer(long address) {
    return unsigned(address, layout().wordBytes());
  }

  /**
   * The string at {@code address} up to its NUL or {@code limit} bytes, as UTF-8; a string that
   * runs into unreadable memory before its NUL is a fault.
   */
  default String cString(long address, int limit) {
    var buffer = new byte[Math.min(limit, 256)];
    var text = new java.io.ByteArrayOutputStream();
    while (text.size() < limit) {
      int want = Math.min(buffer.length, limit - text.size());
      int got = read(address + text.size(), MemorySegment.ofArray(buffer).asSlice(0, want));
      for (int i = 0; i < got; i++) {
        if (buffer[i] == 0) {
          text.write(buffer, 0, i);
          return text.toString(StandardCharsets.UTF_8);
        }
      }
      text.write(buffer, 0, got);
      if (got < want) {
        throw fault(address + text.size());
      }
    }
    return text.toString(StandardCharsets.UTF_8);
  }
}
