// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import java.util.OptionalLong;

/**
 * One instruction as far as its length and the flow of control go, without text.
 *
 * @param length bytes
 * @param target the virtual address that a {@link FlowKind#CALL}, {@link FlowKind#JUMP} or {@link
 *     FlowKind#BRANCH} goes to; empty for every other kind
 * @param memory the virtual address of a memory operand that the instruction alone determines
 *     (relative to the program counter, or absolute); empty when registers or a segment base take
 *     part
 * @param perCpu the offset of such an operand from the base in a register that a kernel keeps for
 *     each CPU's own variables (x86-64: GS)
 */
public record Flow(
    int length, FlowKind kind, OptionalLong target, OptionalLong memory, OptionalLong perCpu) {
  /** Without a per-CPU operand. */
  public Flow(int length, FlowKind kind, OptionalLong target, OptionalLong memory) {
    this(length, kind, target, memory, OptionalLong.empty());
  }
}
