// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.model.Program;
import dev.fathom.model.Value;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Steps through a collection of the target. The stream is lazy, bounded, guarded against cycles,
 * and says through {@code notes} why it ended early.
 */
public interface Walker {
  String name();

  /** One line for {@code ::walkers}. */
  String description();

  /** Whether {@code ADDR::walk name} needs, allows or refuses a start address. */
  Start start();

  enum Start {
    NONE,
    OPTIONAL,
    REQUIRED
  }

  /**
   * The C type of the elements, as text: {@code struct task_struct}; {@code void} when it depends
   * on the start.
   */
  String yields();

  Stream<Value> walk(Program program, Optional<Value> start, Notes notes);

  /** Takes what a walk has to say besides its elements. */
  interface Notes {
    /** Says what the walk does not give: why it ended early, what it had to leave out. */
    void note(String text);

    /**
     * Asked in every loop that a walk goes through, so that the user can stop it.
     *
     * @throws dev.fathom.base.EvalException when the user asked to stop
     */
    default void checkInterrupt() {}
  }
}
