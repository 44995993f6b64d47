// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.model.Register;

/** Writes registers of stopped CPUs; raises {@link Live#epoch}. */
public non-sealed interface RegisterWriter extends Capability {
  /**
   * Sets one register. What is written is seen by {@link Target#cpus} at once; the target may learn
   * of it with the next step or resume.
   *
   * @param cpu a {@link Cpu#id}
   * @throws dev.fathom.base.TargetException when the target cannot write this register
   */
  void write(int cpu, Register register, long value);
}
