// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

/**
 * The letters that {@code ps} shows, from the numbers in {@code task_struct} (include/linux/sched.h
 * TASK_*, {@code task_state_index()}; fs/proc/array.c {@code task_state_array}). The numbers below
 * are the same since 4.14.
 */
final class TaskState {
  private static final int UNINTERRUPTIBLE = 0x2;
  private static final int NOLOAD = 0x400;

  /** Since 5.16, on kernels with PREEMPT_RT: waits for a sleeping lock, shown as D. */
  private static final int RTLOCK_WAIT = 0x1000;

  /** Since 6.1; shown as D. */
  private static final int FROZEN = 0x8000;

  /** TASK_REPORT: the states that have a letter, up to parked. */
  private static final int REPORT = 0x7f;

  /** By the number of the highest bit that is set, plus one. */
  private static final String LETTERS = "RSDTtXZP";

  private TaskState() {}

  /**
   * @param state {@code __state} (since 5.14) or {@code state}
   * @param exitState {@code exit_state}
   */
  static char letter(long state, long exitState) {
    int bits = (int) (state | exitState);
    if ((bits & (UNINTERRUPTIBLE | NOLOAD)) == (UNINTERRUPTIBLE | NOLOAD)) {
      return 'I';
    }
    if ((bits & (RTLOCK_WAIT | FROZEN)) != 0) {
      bits |= UNINTERRUPTIBLE;
    }
    return LETTERS.charAt(32 - Integer.numberOfLeadingZeros(bits & REPORT));
  }
}
