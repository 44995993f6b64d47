// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/** Places in the target's virtual memory that stop it. */
public non-sealed interface Breakpoints extends Capability {
  /** What stops it. */
  enum Kind {
    /** Execution, by an instruction put into the code. */
    SOFTWARE,
    /** Execution, by the CPU's debug registers. */
    HARDWARE,
    WRITE,
    READ,
    ACCESS
  }

  /**
   * Puts a breakpoint into the stopped target.
   *
   * @param address virtual
   * @param length bytes watched; for execution the architecture's kind of breakpoint, 1 on x86
   * @return false when the target does not have this kind, or no more of them
   * @throws dev.fathom.base.TargetException when it refuses this address, or is gone
   */
  boolean insert(Kind kind, long address, int length);

  /**
   * Refuses a kind that would never stop the target, before one is wanted.
   *
   * @throws dev.fathom.base.UnsupportedException where that is known
   */
  default void require(Kind kind) {}

  /** Takes a breakpoint out of the stopped target; must be given what {@link #insert} was given. */
  void remove(Kind kind, long address, int length);
}
