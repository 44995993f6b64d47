// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.util.Set;

/**
 * The target is a process, and signals that arrive for it are seen first here. A signal that stops
 * the target is delivered when it goes on.
 */
public non-sealed interface SignalControl extends Capability {
  /** The signals that are delivered at once, without stopping the target. */
  Set<Integer> passed();

  /** Says whether a signal is delivered at once from now on. */
  void pass(int signal, boolean at);

  /** The signal that the thread gets when it goes on; 0 for none. */
  int pending(int cpu);

  /**
   * Replaces the signal that the stopped thread gets when it goes on.
   *
   * @param signal 0 for none
   */
  void pending(int cpu, int signal);
}
