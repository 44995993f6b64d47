// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.util.List;

/** The names of Linux's signals on x86-64 and 64-bit Arm (include/uapi/asm-generic/signal.h). */
public final class SignalNames {
  /** By number, from 1. */
  private static final List<String> NAMES =
      List.of(
          "SIGHUP",
          "SIGINT",
          "SIGQUIT",
          "SIGILL",
          "SIGTRAP",
          "SIGABRT",
          "SIGBUS",
          "SIGFPE",
          "SIGKILL",
          "SIGUSR1",
          "SIGSEGV",
          "SIGUSR2",
          "SIGPIPE",
          "SIGALRM",
          "SIGTERM",
          "SIGSTKFLT",
          "SIGCHLD",
          "SIGCONT",
          "SIGSTOP",
          "SIGTSTP",
          "SIGTTIN",
          "SIGTTOU",
          "SIGURG",
          "SIGXCPU",
          "SIGXFSZ",
          "SIGVTALRM",
          "SIGPROF",
          "SIGWINCH",
          "SIGIO",
          "SIGPWR",
          "SIGSYS");

  private static final int LAST = 64;

  private SignalNames() {}

  /** The name, else {@code SIG} and the number, as real-time signals are called. */
  public static String of(int number) {
    return number >= 1 && number <= NAMES.size() ? NAMES.get(number - 1) : "SIG" + number;
  }

  /**
   * Whether a signal comes of what the thread itself does: a fault, {@code abort}, a write into a
   * closed pipe.
   */
  public static boolean isOwn(int number) {
    return switch (of(number)) {
      case "SIGILL",
          "SIGTRAP",
          "SIGABRT",
          "SIGBUS",
          "SIGFPE",
          "SIGSEGV",
          "SIGPIPE",
          "SIGSTKFLT",
          "SIGSYS" ->
          true;
      default -> false;
    };
  }

  /** Number and, where there is one, name: {@code 11 (SIGSEGV)}. */
  public static String text(int number) {
    return number >= 1 && number <= NAMES.size()
        ? number + " (" + NAMES.get(number - 1) + ")"
        : Integer.toString(number);
  }

  /**
   * The number of a signal given as {@code SIGSEGV}, {@code segv} or {@code 11}; 0 for none such.
   */
  public static int number(String text) {
    String upper = text.toUpperCase(java.util.Locale.ROOT);
    String full = upper.startsWith("SIG") ? upper : "SIG" + upper;
    int index = NAMES.indexOf(full);
    if (index >= 0) {
      return index + 1;
    }
    try {
      int number = Integer.parseInt(full.substring(3));
      return number >= 1 && number <= LAST ? number : 0;
    } catch (NumberFormatException _) {
      return 0;
    }
  }
}
