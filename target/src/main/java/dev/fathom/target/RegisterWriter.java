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
   * @throws dev.fathom.base.UnsupportedException when the target does not let this register be
   *     written; nothing was done then
   * @throws dev.fathom.base.TargetException when the target is gone or there is no such CPU
   */
  void write(int cpu, Register register, long value);

  /**
   * Brings all that was written to the target now. What {@link Target#cpu} tells afterwards is what
   * the target itself answers.
   *
   * @throws dev.fathom.base.TargetException when it refuses
   */
  void settle();
}
