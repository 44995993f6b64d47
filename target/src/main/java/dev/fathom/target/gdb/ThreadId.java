// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A stub's thread: {@code 1f}, or {@code p1.2} with its process.
 *
 * @param text as the stub wrote it, for requests
 * @param process 0 where the stub has no processes
 */
record ThreadId(String text, long process, long thread) {
  private static final long KGDB_CPU_0 = 0xffff_fffeL;

  /** More CPUs than Linux can have (NR_CPUS). */
  private static final long KGDB_CPUS = 1 << 14;

  /**
   * Reads an id.
   *
   * @return the id with thread 0 ("any") where the text is none
   */
  static ThreadId parse(String text) {
    if (text.startsWith("p")) {
      int dot = text.indexOf('.');
      OptionalLong process = number(text.substring(1, dot < 0 ? text.length() : dot));
      OptionalLong thread = dot < 0 ? OptionalLong.of(0) : number(text.substring(dot + 1));
      if (process.isPresent() && thread.isPresent()) {
        return new ThreadId(text, process.getAsLong(), thread.getAsLong());
      }
    } else {
      OptionalLong thread = number(text);
      if (thread.isPresent()) {
        return new ThreadId(text, 0, thread.getAsLong());
      }
    }
    return new ThreadId("0", 0, 0);
  }

  /**
   * The kernel's number of the CPU that this is, if it is one of KGDB's: its stub names its tasks
   * by their ids, and CPUs by -2 less their numbers in 32 bits (kernel/debug/gdbstub.c, {@code
   * shadow_pid}).
   */
  OptionalInt kgdbCpu() {
    boolean is = process == 0 && thread <= KGDB_CPU_0 && thread > KGDB_CPU_0 - KGDB_CPUS;
    return is ? OptionalInt.of((int) (KGDB_CPU_0 - thread)) : OptionalInt.empty();
  }

  boolean same(ThreadId other) {
    return thread == other.thread && process == other.process;
  }

  private static OptionalLong number(String digits) {
    boolean negative = digits.startsWith("-");
    String magnitude = negative ? digits.substring(1) : digits;
    if (magnitude.isEmpty() || magnitude.length() > 15) {
      return OptionalLong.empty();
    }
    long value = 0;
    for (int i = 0; i < magnitude.length(); i++) {
      int digit = Hex.value(magnitude.charAt(i));
      if (digit < 0) {
        return OptionalLong.empty();
      }
      value = value << 4 | digit;
    }
    return OptionalLong.of(negative ? -value : value);
  }
}
