// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.util.List;

/**
 * Registers as the target itself describes them: those that the architecture's register file does
 * not keep too, such as vector registers.
 */
public non-sealed interface RawRegisters extends Capability {
  /**
   * One register.
   *
   * @param name as the target names it
   * @param bits its width
   * @param type what the target says of its form, {@code vec128}, {@code i387_ext}; may be empty
   * @param value its bytes, the least significant first
   */
  record Raw(String name, int bits, String type, byte[] value) {}

  /**
   * All registers of a CPU that are known, in the target's order.
   *
   * @param cpu a {@link Cpu#id}
   */
  List<Raw> registers(int cpu);
}
