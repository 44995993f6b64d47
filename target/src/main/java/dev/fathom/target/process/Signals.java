// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import java.util.Set;

/** Numbers of signals on x86-64 and 64-bit Arm (Linux include/uapi/asm-generic/signal.h). */
final class Signals {
  static final int SIGILL = 4;
  static final int SIGTRAP = 5;
  static final int SIGBUS = 7;
  static final int SIGFPE = 8;
  static final int SIGKILL = 9;
  static final int SIGSEGV = 11;
  static final int SIGSTOP = 19;

  /** The last real-time signal. */
  static final int LAST = 64;

  /** {@code si_code}: sent by the kernel, which x86 says of its breakpoint instruction. */
  static final int SI_KERNEL = 0x80;

  static final int TRAP_BRKPT = 1;
  static final int TRAP_TRACE = 2;
  static final int TRAP_HWBKPT = 4;

  /**
   * Those that programs live with and nobody wants to see: SIGALRM, SIGCHLD, SIGURG, SIGVTALRM,
   * SIGPROF, SIGWINCH, SIGIO, and the two that the C library keeps for itself (32, 33).
   */
  static final Set<Integer> QUIET = Set.of(14, 17, 23, 26, 27, 28, 29, 32, 33);

  private Signals() {}

  /** Whether an instruction raises it, so that it comes again when it is not delivered. */
  static boolean isFault(int signal) {
    return signal == SIGTRAP
        || signal == SIGSEGV
        || signal == SIGBUS
        || signal == SIGILL
        || signal == SIGFPE;
  }
}
