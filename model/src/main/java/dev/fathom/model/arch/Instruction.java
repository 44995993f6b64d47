// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import java.util.OptionalLong;

/**
 * One disassembled instruction.
 *
 * @param address the virtual address of its first byte
 * @param length bytes
 * @param mnemonic the operation with its prefixes, as the disassembler spells it
 * @param operands the operands' text, empty when there are none
 * @param target the virtual address that a direct call, jump or branch goes to
 * @param memory the virtual address of a memory operand that the instruction alone determines, as
 *     in {@link Flow}
 * @param perCpu the offset of a memory operand in the per-CPU area, as in {@link Flow}
 */
public record Instruction(
    long address,
    int length,
    String mnemonic,
    String operands,
    OptionalLong target,
    OptionalLong memory,
    OptionalLong perCpu) {
  /** Without a per-CPU operand. */
  public Instruction(
      long address,
      int length,
      String mnemonic,
      String operands,
      OptionalLong target,
      OptionalLong memory) {
    this(address, length, mnemonic, operands, target, memory, OptionalLong.empty());
  }
}
