// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.model.Registers;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Stops the target and lets it go on, all of its CPUs together. Who attached to a running target
 * leaves it running: {@link Target#close} lets it go on unless {@link #leaveStopped} was asked for.
 */
public non-sealed interface RunControl extends Capability {
  /**
   * Stops all CPUs; does nothing when they are stopped.
   *
   * @throws dev.fathom.base.TargetException when the target does not stop in time, or is gone
   */
  void stop();

  /** Lets all CPUs go on, and does not wait. */
  void resume();

  /**
   * Lets one CPU execute one instruction and does not wait; {@link #await} tells when it has.
   *
   * @param cpu a {@link Cpu#id}
   * @param others whether the other CPUs run meanwhile
   * @param interrupts whether interrupts and timers may be taken meanwhile, where the target can
   *     hold them back
   */
  void step(int cpu, boolean others, boolean interrupts);

  /**
   * Waits for the target to stop, for at most {@code timeout}.
   *
   * @return why it stopped; empty when it still runs
   * @throws dev.fathom.base.TargetException when the connection broke
   */
  Optional<Stop> await(Duration timeout);

  /**
   * The registers of a CPU that came with the news of the stop, as the CPU still has them: few, and
   * nothing is asked for them.
   *
   * @param cpu a {@link Cpu#id}
   * @return empty where none came for this CPU, or they were written since
   */
  default Optional<Registers> told(int cpu) {
    return Optional.empty();
  }

  /**
   * Does {@code work}, which turns to many stops, by the thread that is told of them: where that is
   * another than the caller's, each question takes a change of threads otherwise. The caller waits.
   *
   * @return what {@code work} returns; what it throws is thrown
   */
  default <T> T nearStops(Supplier<T> work) {
    return work.get();
  }

  /** Whether the target stays stopped when it is closed; false at first. */
  boolean leaveStopped();

  /** Says whether the target stays stopped when it is closed. */
  void leaveStopped(boolean stopped);
}
