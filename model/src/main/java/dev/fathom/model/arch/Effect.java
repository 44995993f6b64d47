// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import dev.fathom.model.Register;
import java.util.List;

/**
 * All that one instruction does to a CPU and to memory.
 *
 * @param registers what it writes, the program counter last
 */
public record Effect(List<Write> registers, List<Store> stores) {
  /** A register's new value. */
  public record Write(Register register, long value) {}

  /** Bytes that it stores at a virtual address. */
  public record Store(long address, byte[] bytes) {}

  public Effect {
    registers = List.copyOf(registers);
    stores = List.copyOf(stores);
  }
}
