// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.model.Registers;
import java.util.List;
import java.util.Optional;

/**
 * The frames of one thread, innermost first, and why there are no more.
 *
 * @param why a few words for people: {@code entry from user mode}, {@code page not in the dump}
 * @param entry the registers of the code outside that was interrupted or called in, when the walk
 *     ended there: for a kernel those of user mode
 */
public record Backtrace(List<Frame> frames, End end, String why, Optional<Registers> entry) {
  /** How a walk ended. */
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
    /** There is no stack to walk: the CPU is in user mode, or nobody knows its registers. */
    NONE
  }

  public Backtrace {
    frames = List.copyOf(frames);
  }

  /** No frames, because what leads to them cannot be read. */
  public static Backtrace unreadable(String why) {
    return new Backtrace(List.of(), End.BROKEN, why, Optional.empty());
  }

  /** Whether there are more frames than these. */
  public boolean isCut() {
    return end == End.BROKEN || end == End.TOO_DEEP;
  }

  /** No frames, because {@code why}. */
  public static Backtrace none(String why) {
    return new Backtrace(List.of(), End.NONE, why, Optional.empty());
  }
}
