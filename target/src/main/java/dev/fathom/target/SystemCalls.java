// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.util.Set;

/** Stops a process where its threads enter and leave system calls ({@link Stop.SystemCall}). */
public non-sealed interface SystemCalls extends Capability {
  /**
   * Says which system calls are watched from now on, by number; none at first. The process must
   * stand still.
   */
  void watch(Set<Long> numbers);
}
