// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.kernel.Task;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.session.Session;
import dev.fathom.target.Live;
import java.util.List;

/** The frames of a task's stack as the source has them, and the one that is selected. */
public final class Frames {
  /** How often the stack of a thread of a running target is walked before it is given up. */
  private static final int ATTEMPTS = 4;

  private Frames() {}

  /**
   * A task's stack. Where it changed under the walk, because the target runs, it is walked anew.
   */
  public static Backtrace walk(Session session, Task task) {
    var trace = session.kernel().stack(task);
    for (int i = 1; i < ATTEMPTS && trace.isCut() && runs(session); i++) {
      session.kernel().ran();
      trace = session.kernel().stack(task);
    }
    return trace;
  }

  private static boolean runs(Session session) {
    var live = session.target().find(Live.class);
    return live.isPresent() && live.get().state() == Live.State.RUNNING;
  }

  /** A task's stack, walked with the help of debug information where there is some. */
  public static Backtrace stack(Invocation call, Task task) {
    call.session().sources();
    return walk(call.session(), task);
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
