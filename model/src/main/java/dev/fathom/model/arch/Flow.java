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
 */
public record Flow(int length, FlowKind kind, OptionalLong target, OptionalLong memory) {}
