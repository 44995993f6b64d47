// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/**
 * The target stopped.
 *
 * @param cpu the CPU that stopped it, a {@link Cpu#id}; the others stopped with it
 * @param reason why, as the target told it
 */
public record Stop(int cpu, Reason reason) {
  /** Why a target stopped. */
  public sealed interface Reason {}

  /** A trap: a breakpoint or the end of a step; most targets do not tell which. */
  public record Trap() implements Reason {}

  /**
   * A watchpoint.
   *
   * @param kind how the memory was accessed, as far as the target tells
   * @param address the data's virtual address
   */
  public record Watch(Breakpoints.Kind kind, long address) implements Reason {}

  /**
   * Somebody asked for it, or a signal came.
   *
   * @param number the signal, 2 where we asked; 0 where none is told
   */
  public record Signal(int number) implements Reason {}

  /** A process became another program: its memory and all but one of its threads are gone. */
  public record Replaced() implements Reason {}

  /**
   * A thread of a process is at a system call that is watched ({@link SystemCalls}).
   *
   * @param number as the process's own architecture numbers it
   * @param entry whether it begins; else it returns, and its result is in its register
   */
  public record SystemCall(long number, boolean entry) implements Reason {}

  /** The target ended: it was powered off, killed or the process ended. */
  public record Ended(int status) implements Reason {}
}
