// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

/** Expressions and statements as closures. */
final class Code {
  private Code() {}

  /** Computes a number. */
  interface Number {
    long get(Machine m);
  }

  /**
   * Computes anything else: a {@code String} of bytes, a {@code byte[]} that is not changed, or a
   * {@link dev.fathom.dtrace.record.DValue} for stacks and user addresses.
   */
  interface Thing {
    Object get(Machine m);
  }

  interface Action {
    void run(Machine m);
  }
}
