// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

/** What an instruction does to the flow of control. */
public enum FlowKind {
  /** Goes on with the next instruction. */
  NEXT,
  /** Calls an address that stands in the instruction. */
  CALL,
  /** Calls through a register or memory. */
  INDIRECT_CALL,
  /** Jumps, always, to an address that stands in the instruction. */
  JUMP,
  /** Jumps, always, through a register or memory. */
  INDIRECT_JUMP,
  /** Jumps to an address that stands in the instruction, or goes on with the next one. */
  BRANCH,
  /** Returns from a function. */
  RETURN,
  /**
   * Returns from an exception, an interrupt or a system call: {@code iret}, {@code sysret}, {@code
   * eret}.
   */
  EXCEPTION_RETURN,
  /**
   * Enters a more privileged level and comes back after it: {@code syscall}, {@code int $n}, {@code
   * svc}, {@code hvc}.
   */
  SYSTEM_CALL,
  /**
   * Raises an exception and has no next instruction of its own: {@code int3}, {@code ud2}, {@code
   * brk}, {@code udf}.
   */
  TRAP;

  /**
   * Whether the instruction that follows in memory can run next, after a call or trap handler has
   * returned.
   */
  public boolean fallsThrough() {
    return switch (this) {
      case NEXT, CALL, INDIRECT_CALL, BRANCH, SYSTEM_CALL -> true;
      case JUMP, INDIRECT_JUMP, RETURN, EXCEPTION_RETURN, TRAP -> false;
    };
  }

  /** Whether the instruction leaves a return address behind. */
  public boolean isCall() {
    return this == CALL || this == INDIRECT_CALL;
  }
}
