// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

/** What makes a probe fire. Addresses are virtual, the kernel's or the traced process's. */
sealed interface Place {
  /** Code that is come to. */
  sealed interface Code extends Place {
    /** Where the function begins, from which offsets count. */
    long function();
  }

  /** The first instruction of a function. */
  record Entry(long function) implements Code {}

  /**
   * The instructions at which a function returns; found when the probe is enabled.
   *
   * @param size of the function in bytes
   */
  record Return(long function, long size) implements Code {}

  /** One instruction. */
  record At(long function, long address) implements Code {}

  /** The entry of a system call: its arguments are in the registers of user mode. */
  record SystemCall(long function) implements Code {}

  /** The return of a system call. */
  record SystemReturn(long function, long size) implements Code {}

  /**
   * Time that passes.
   *
   * @param nanos from one firing to the next
   * @param everyCpu whether it fires on every CPU, with what runs there
   */
  record Timer(long nanos, boolean everyCpu) implements Place {}
}
