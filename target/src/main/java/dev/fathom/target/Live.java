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
}
