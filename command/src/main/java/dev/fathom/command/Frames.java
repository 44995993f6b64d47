// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.kernel.Task;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.unwind.Backtrace;
import java.util.List;

/** The frames of a task's stack as the source has them, and the one that is selected. */
public final class Frames {
  private Frames() {}

  /** A task's stack, walked with the help of debug information where there is some. */
  public static Backtrace stack(Invocation call, Task task) {
    call.session().sources();
    return call.kernel().stack(task);
  }

  /** The frames of {@code trace}, with those of inlined functions. */
  public static List<SourceFrame> of(Invocation call, Backtrace trace) {
    return SourceFrame.of(call.program(), call.session().sources(), trace);
  }

  /** The frames of the selected task. */
  public static List<SourceFrame> selectedStack(Invocation call) {
    return of(call, trace(call, Tasks.selected(call)));
  }

  private static Backtrace trace(Invocation call, Task task) {
    var trace = stack(call, task);
    if (trace.frames().isEmpty()) {
      throw new EvalException("no frames: " + trace.why());
    }
    return trace;
  }

  /**
   * The selected frame of the selected task.
   *
   * @throws EvalException when it has no such frame
   */
  public static SourceFrame selected(Invocation call) {
    var frames = selectedStack(call);
    int number = call.environment().selectedFrame();
    if (number >= frames.size()) {
      throw new EvalException(
          "frame " + number + " is selected, but the stack has " + frames.size());
    }
    return frames.get(number);
  }
}
