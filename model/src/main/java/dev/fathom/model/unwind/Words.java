// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/**
 * Reads single words of a memory that does not change meanwhile, a page at a time, because words of
 * a stack are read one after the other. A word that cannot be read is absent.
 */
public final class Words {
  private static final int PAGE = 4096;

  private final Memory memory;
  private final int size;
  private final boolean little;
  private final byte[] page = new byte[PAGE];
  private long pageAddress;
  private int pageBytes = -1;

  public Words(Memory memory) {
    this.memory = memory;
    size = memory.layout().wordBytes();
    little = memory.layout().order() == ByteOrder.LITTLE_ENDIAN;
  }

  /** The word at {@code address}, absent when it cannot be read. */
  public OptionalLong at(long address) {
    if ((address & -PAGE) != pageAddress || pageBytes < 0) {
      pageAddress = address & -PAGE;
      pageBytes = memory.read(pageAddress, MemorySegment.ofArray(page));
    }
    int offset = (int) (address - pageAddress);
    if (offset + size <= pageBytes) {
      return OptionalLong.of(decode(page, offset));
    }
    var alone = new byte[size];
    return memory.read(address, MemorySegment.ofArray(alone)) == size
        ? OptionalLong.of(decode(alone, 0))
        : OptionalLong.empty();
  }

  private long decode(byte[] bytes, int offset) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value = value << 8 | (bytes[offset + (little ? size - 1 - i : i)] & 0xff);
    }
    return value;
  }
}
