// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.model.Register;

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

  /** A known number. */
  record Constant(long value) implements Rule {}

  /** The register keeps the value that it has in this frame. */
  record Same() implements Rule {}

  /** The register's value is lost. */
  record Undefined() implements Rule {}
}
