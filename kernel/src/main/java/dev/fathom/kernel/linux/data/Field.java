// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.EvalException;
import dev.fathom.model.Memory;

/**
 * A member of a structure in this kernel, resolved once.
 *
 * @param name {@code task_struct.pid}, for messages
 * @param offset bytes from the start of the structure
 * @param bytes the size of its type
 * @param signed whether it is a signed number
 * @param bitShift for a bit-field the bits to skip from {@code offset}, else 0
 * @param bitSize for a bit-field its width in bits, else 0
 */
public record Field(String name, int offset, int bytes, boolean signed, int bitShift, int bitSize) {

  /** The number in a structure that starts {@code base} bytes into {@code block}. */
  public long in(Block block, int base) {
    if (bitSize != 0) {
      long raw = 0;
      int count = (bitShift + bitSize + 7) / 8;
      for (int i = 0; i < Math.min(count, 8); i++) {
        raw |= (long) block.u8(base + offset + i) << (8 * i);
      }
      return extend(raw >>> bitShift, bitSize);
    }
    requireNumber();
    return extend(block.unsigned(base + offset, bytes), bytes * 8);
  }

  /** The number in a structure at the start of {@code block}. */
  public long in(Block block) {
    return in(block, 0);
  }

  /** The number in the structure at {@code address}. */
  public long at(Memory memory, long address) {
    if (bitSize != 0) {
      return in(Block.read(memory, address + offset, 8), -offset);
    }
    requireNumber();
    return extend(memory.unsigned(address + offset, bytes), bytes * 8);
  }

  /** What the kernel's types call a structure or an array is none, even if it should be. */
  private void requireNumber() {
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
      throw new EvalException(name + " has " + bytes + " bytes and is no number");
    }
  }

  private long extend(long raw, int bits) {
    int unused = 64 - bits;
    return signed ? raw << unused >> unused : raw << unused >>> unused;
  }
}
