// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Program;
import dev.fathom.model.Value;
import java.util.Optional;

/** Where the names in an expression come from. */
public interface Scope {
  Program program();

  /** A variable or function of the program, or a local of the selected frame. */
  Optional<Value> variable(String name);

  /** A register or convenience variable, named without its {@code $}. */
  Optional<Value> dollar(String name);

  /**
   * The address that a per-CPU offset has on a CPU.
   *
   * @throws dev.fathom.base.EvalException when there is no such CPU
   */
  long perCpu(long offset, int cpu);
}
