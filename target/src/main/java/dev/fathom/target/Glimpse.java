// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Short looks at a target that runs, for samples: it stands still for as long as one takes. */
public non-sealed interface Glimpse extends Capability {
  /**
   * Stops the target, has somebody look at its CPUs, and lets it go on, also when that throws.
   * Registers that only debuggers ask for, such as those of descriptor tables, may be missing.
   *
   * @return what {@code look} returns; empty when the target did not run, or stopped by itself
   * @throws dev.fathom.base.TargetException when the target does not stop in time, or is gone
   */
  <T> Optional<T> glimpse(Function<List<Cpu>, T> look);
}
