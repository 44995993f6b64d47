// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.kernel.Task;
import dev.fathom.model.Value;

/** Tasks as users name them. */
public final class Tasks {
  /** Process ids are below this (Linux: PID_MAX_LIMIT, include/linux/threads.h); addresses not. */
  private static final long LEAST_ADDRESS = 4L << 20;

  private Tasks() {}

  /** Whether a number is an address rather than a process id. */
  public static boolean isAddress(long number) {
    return Long.compareUnsigned(number, LEAST_ADDRESS) >= 0;
  }

  /** The task's structure where a number that is no address is the id of one, else the value. */
  public static Value orValue(Invocation call, Value value) {
    if (!(value instanceof Value.Imm imm) || isAddress(imm.bits())) {
      return value;
    }
    return call.kernel().taskOfId(imm.bits()).map(Task::object).orElse(value);
  }

  /** The task whose structure is at {@code number}, or whose id it is. */
  public static Task of(Invocation call, long number) {
    if (isAddress(number)) {
      return call.kernel().task(number);
    }
    return call.kernel()
        .taskOfId(number)
        .orElseThrow(() -> new EvalException("no thread has the id " + number + " (decimal)"));
  }

  /** The one in front of the command, else the {@link #selected} one. */
  public static Task current(Invocation call) {
    return call.hasAddress() ? of(call, call.address()) : selected(call);
  }

  /**
   * The task that {@code set} or {@code ::context} chose, else the one to look at first.
   *
   * @throws EvalException when there is none
   */
  public static Task selected(Invocation call) {
    return call.environment()
        .currentTask(call.kernel())
        .orElseThrow(
            () -> new EvalException("no thread is selected, and none is known to run or to panic"));
  }
}
