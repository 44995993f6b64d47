// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.util.Map;
import java.util.OptionalInt;

/**
 * Signals have numbers of their own in the remote protocol (gdb's {@code include/gdb/signals.def}),
 * whatever the system's are; here those of Linux (uapi/asm-generic/signal.h).
 */
final class SignalNumbers {
  /** What the protocol calls an interrupt, also one that a debugger asked for. */
  static final int INTERRUPT = 2;

  /** By Linux's number. */
  private static final Map<Integer, Integer> OTHERS =
      Map.ofEntries(
          Map.entry(7, 10), // SIGBUS
          Map.entry(10, 30), // SIGUSR1
          Map.entry(12, 31), // SIGUSR2
          Map.entry(17, 20), // SIGCHLD
          Map.entry(18, 19), // SIGCONT
          Map.entry(19, 17), // SIGSTOP
          Map.entry(20, 18), // SIGTSTP
          Map.entry(21, 21), // SIGTTIN
          Map.entry(22, 22), // SIGTTOU
          Map.entry(23, 16), // SIGURG
          Map.entry(24, 24), // SIGXCPU
          Map.entry(25, 25), // SIGXFSZ
          Map.entry(26, 26), // SIGVTALRM
          Map.entry(27, 27), // SIGPROF
          Map.entry(28, 28), // SIGWINCH
          Map.entry(29, 23), // SIGIO
          Map.entry(30, 32), // SIGPWR
          Map.entry(31, 12), // SIGSYS
          Map.entry(32, 77), // the real-time ones, of which the first and the last were added later
          Map.entry(64, 78));

  private SignalNumbers() {}

  /** The protocol's number of a signal of Linux's; empty where it has none. */
  static OptionalInt ofLinux(int number) {
    var other = OTHERS.get(number);
    if (other != null) {
      return OptionalInt.of(other);
    }
    if (number >= 33 && number <= 63) {
      return OptionalInt.of(number + 12);
    }
    boolean same = number >= 1 && number <= 15 && number != 7 && number != 10 && number != 12;
    return same ? OptionalInt.of(number) : OptionalInt.empty();
  }

  /** Linux's number of a signal of the protocol's; empty where it has none. */
  static OptionalInt toLinux(int number) {
    for (int own = 1; own <= 64; own++) {
      if (ofLinux(own).equals(OptionalInt.of(number))) {
        return OptionalInt.of(own);
      }
    }
    return OptionalInt.empty();
  }
}
