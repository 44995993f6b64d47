// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/**
 * Keeps what a stopped CPU has in its registers, those too that have no name here, to put it back
 * later: what runs there in between leaves no trace.
 */
public non-sealed interface RegisterKeeper extends Capability {
  /** The registers of one CPU as they were, and of a process's thread the signal that it gets. */
  interface Kept {
    /**
     * Puts them back. A signal that came to the thread meanwhile from elsewhere is delivered when
     * it goes on, if it has none that was kept; a fault of what ran meanwhile is not.
     *
     * @throws dev.fathom.base.TargetException when the CPU is not there any more, or refuses
     */
    void putBack();
  }

  /**
   * Keeps all registers of a CPU. The signal that stopped a thread is not delivered to it before
   * {@link Kept#putBack}.
   *
   * @param cpu a {@link Cpu#id}
   * @throws dev.fathom.base.TargetException when there is no such CPU, or it does not stand still
   */
  Kept keep(int cpu);
}
