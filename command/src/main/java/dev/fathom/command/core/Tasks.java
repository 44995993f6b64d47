// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.EvalException;
import dev.fathom.command.Invocation;
import dev.fathom.kernel.Task;
import dev.fathom.model.Value;

/** Tasks as users name them. */
final class Tasks {
  /** Process ids are below this, addresses of structures not. */
  private static final long LEAST_ADDRESS = 4L << 20;

  private Tasks() {}

  /** The task's structure where a number that is no address is the id of one, else the value. */
  static Value orValue(Invocation call, Value value) {
    if (!(value instanceof Value.Imm imm) || Long.compareUnsigned(imm.bits(), LEAST_ADDRESS) >= 0) {
      return value;
    }
    return call.kernel().taskOfId(imm.bits()).map(Task::object).orElse(value);
  }

  /** The task whose structure is at {@code number}, or whose id it is. */
  static Task of(Invocation call, long number) {
    if (Long.compareUnsigned(number, LEAST_ADDRESS) >= 0) {
      return call.kernel().task(number);
    }
    return call.kernel()
        .taskOfId(number)
        .orElseThrow(() -> new EvalException("no thread has the id 0t" + number));
  }

  /** The one in front of the command, else the selected one, else the one to look at first. */
  static Task current(Invocation call) {
    if (call.hasAddress()) {
      return of(call, call.address());
    }
    var selected = call.environment().selectedTask();
    if (selected.isPresent()) {
      return call.kernel().task(selected.getAsLong());
    }
    return call.kernel()
        .initialTask()
        .orElseThrow(() -> new EvalException("no thread is selected; put its address in front"));
  }
}
