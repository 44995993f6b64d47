// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A run of little-endian memory read at once. Pages that cannot be read stay out, and only whoever
 * asks for a byte in one of them gets a {@link FaultException}.
 */
public final class Block {
  private static final int PAGE = 4096;

  private final Memory memory;
  private final long address;
  private final byte[] bytes;

  /** For each page touched by the block, whether it was read; null when all were. */
  private final boolean[] readable;

  private Block(Memory memory, long address, byte[] bytes, boolean[] readable) {
    this.memory = memory;
    this.address = address;
    this.bytes = bytes;
    this.readable = readable;
  }

  /** Reads {@code length} bytes at {@code address}; never fails, see the class comment. */
  public static Block read(Memory memory, long address, int length) {
    var bytes = new byte[length];
    var all = MemorySegment.ofArray(bytes);
    if (memory.read(address, all) == length) {
      return new Block(memory, address, bytes, null);
    }
    int lead = (int) (address & (PAGE - 1));
    var readable = new boolean[(lead + length + PAGE - 1) / PAGE];
    for (int page = 0; page < readable.length; page++) {
      int from = Math.max(0, page * PAGE - lead);
      int to = Math.min(length, (page + 1) * PAGE - lead);
      readable[page] = memory.read(address + from, all.asSlice(from, to - from)) == to - from;
    }
    return new Block(memory, address, bytes, readable);
  }

  public long address() {
    return address;
  }

  public int length() {
    return bytes.length;
  }

  /** Whether the {@code size} bytes at {@code offset} were read. */
  public boolean has(int offset, int size) {
    if (offset < 0 || offset > bytes.length - size) {
      return false;
    }
    if (readable == null) {
      return true;
    }
    int lead = (int) (address & (PAGE - 1));
    return readable[(lead + offset) / PAGE] && readable[(lead + offset + size - 1) / PAGE];
  }

  public int u8(int offset) {
    need(offset, 1);
    return bytes[offset] & 0xff;
  }

  public int u16(int offset) {
    need(offset, 2);
    return (bytes[offset] & 0xff) | (bytes[offset + 1] & 0xff) << 8;
  }

  public int i32(int offset) {
    need(offset, 4);
    return (bytes[offset] & 0xff)
        | (bytes[offset + 1] & 0xff) << 8
        | (bytes[offset + 2] & 0xff) << 16
        | (bytes[offset + 3] & 0xff) << 24;
  }

  public long u32(int offset) {
    return Integer.toUnsignedLong(i32(offset));
  }

  public long u64(int offset) {
    need(offset, 8);
    return Integer.toUnsignedLong(i32(offset)) | (long) i32(offset + 4) << 32;
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. */
  public long unsigned(int offset, int size) {
    return switch (size) {
      case 1 -> u8(offset);
      case 2 -> u16(offset);
      case 4 -> u32(offset);
      case 8 -> u64(offset);
      default -> throw new IllegalArgumentException("number of " + size + " bytes");
    };
  }

  /** The text at {@code offset} up to its NUL or {@code limit} bytes, as UTF-8. */
  public String string(int offset, int limit) {
    int end = offset;
    while (end < bytes.length && end - offset < limit) {
      need(end, 1);
      if (bytes[end] == 0) {
        break;
      }
      end++;
    }
    return new String(bytes, offset, end - offset, StandardCharsets.UTF_8);
  }

  private void need(int offset, int size) {
    if (!has(offset, size)) {
      long at = address + offset;
      var why = memory.at(at);
      if (why == Readability.READABLE) {
        at += size - 1;
        why = memory.at(at);
      }
      throw new FaultException(
          memory.name(), at, why == Readability.READABLE ? Readability.ERROR : why);
    }
  }
}
