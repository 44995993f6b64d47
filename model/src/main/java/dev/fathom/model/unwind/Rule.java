// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import java.util.OptionalLong;

/** How the value of a register in the caller, or the canonical frame address (CFA), is found. */
public sealed interface Rule {
  /** The word in memory at CFA + {@code offset}. */
  record AtCfa(long offset) implements Rule {}

  /** CFA + {@code offset} itself. */
  record CfaPlus(long offset) implements Rule {}

  /** The word in memory at {@code base} + {@code offset}, plus {@code add}. */
  record AtReg(Register base, long offset, long add) implements Rule {}

  /** {@code base} + {@code offset} itself. */
  record RegPlus(Register base, long offset) implements Rule {}

  /**
   * What a computation says: a number, or the word in memory at the address that it yields.
   *
   * @param load whether it yields the address of a word
   */
  record Computed(Computation computation, boolean load) implements Rule {}

  /** Computes a number from the state of a frame; always ends. */
  interface Computation {
    /**
     * The number.
     *
     * @param cfa the frame's canonical address; empty when it is what is computed
     * @throws dev.fathom.base.FathomException saying what it lacks, when it cannot be told: a
     *     register, memory
     */
    long value(Registers frame, OptionalLong cfa, Memory memory);
  }

  /** A known number. */
  record Constant(long value) implements Rule {}

  /** The register keeps the value that it has in this frame. */
  record Same() implements Rule {}

  /** The register's value is lost. */
  record Undefined() implements Rule {}
}
