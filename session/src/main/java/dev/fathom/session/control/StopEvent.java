// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.kernel.Task;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The target stopped and the user should know.
 *
 * @param cpu the CPU that stopped it, as the target numbers it; empty when the target is gone
 * @param thread the thread on that CPU, where the kernel can tell
 * @param pc where that CPU stands
 */
public record StopEvent(Cause cause, OptionalInt cpu, Optional<Task> thread, OptionalLong pc) {
  /** Why it stopped. */
  public sealed interface Cause {}

  /** Breakpoints in code whose conditions hold. */
  public record AtBreakpoint(List<Breakpoint> breakpoints) implements Cause {}

  /**
   * A watched piece of memory was accessed.
   *
   * @param address the data's address, as far as the target tells
   * @param before its bytes when it was looked at last; empty when they could not be read
   */
  public record AtData(
      Breakpoint breakpoint, long address, Optional<byte[]> before, Optional<byte[]> after)
      implements Cause {}

  /** A condition that cannot be evaluated. */
  public record BadCondition(Breakpoint breakpoint, String why) implements Cause {}

  /** A step, or a run to some place, is done. */
  public record Stepped() implements Cause {}

  /** The user asked for it. */
  public record Interrupted() implements Cause {}

  /** It did not come to where it was to come in the time given. */
  public record TimedOut() implements Cause {}

  /** A signal that we did not send: another client, or the machine's own monitor. */
  public record Signalled(int number) implements Cause {}

  /** A trap that no breakpoint of ours explains. */
  public record Trapped() implements Cause {}

  /** The process became another program (execve). */
  public record Replaced() implements Cause {}

  /** The target ended. */
  public record Gone(int status) implements Cause {}
}
