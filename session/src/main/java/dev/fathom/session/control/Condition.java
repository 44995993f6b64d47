// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

/** What must hold for a breakpoint to count. */
public interface Condition {
  /** As the user typed it. */
  String text();

  /**
   * Whether it holds at a hit.
   *
   * @throws dev.fathom.base.FathomException when it cannot be told: the target then stays stopped
   */
  boolean holds(Hit hit);
}
