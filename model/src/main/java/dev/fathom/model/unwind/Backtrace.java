// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import java.util.List;

/** The frames of one thread, innermost first, and a sentence that says why there are no more. */
public record Backtrace(List<Frame> frames, End end, String why) {
  public enum End {
    /**
     * The outermost frame was reached: entry from user mode, the start of a kernel thread, boot
     * code.
     */
    COMPLETE,
    /** Something was missing or corrupt. */
    BROKEN,
    /** The bound on frames was reached. */
    TOO_DEEP,
    /** There is no stack to walk: the task runs and the target has no registers for it. */
    NONE
  }

  public Backtrace {
    frames = List.copyOf(frames);
  }
}
