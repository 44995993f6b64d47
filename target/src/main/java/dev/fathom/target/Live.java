// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/** The target is alive: what was read of it can be stale a moment later. */
public non-sealed interface Live extends Capability {
  /** What the target does now. */
  enum State {
    RUNNING,
    STOPPED,
    /** It ended, or the connection to it did: nothing can be read any more. */
    GONE
  }

  State state();

  /**
   * Raised by each resume, step, write and reset: what was read under a smaller number may have
   * changed. While the target runs it changes without the number.
   */
  long epoch();

  /**
   * A command begins to look: what was read while the target ran is read again. A target that can
   * only be read while it stands still may stop for as long as the look takes. Looks do not nest.
   *
   * @throws dev.fathom.base.TargetException when the target is gone
   */
  default void look() {}

  /** Whether {@link #look} stops a target that runs. */
  default boolean stopsToLook() {
    return false;
  }

  /** The command is over: a target that stopped for {@link #look} alone goes on. */
  default void rest() {}
}
