// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

/** What becomes of a CPU, and of the target, when the clauses at a place have run. */
sealed interface Sequel {
  Sequel GOES_ON = new GoesOn();

  /** This and then another: what ends tracing stands. */
  default Sequel then(Sequel later) {
    return switch (this) {
      case GoesOn _, Returns _ -> later;
      case Panics _, Stays _ -> this;
    };
  }

  record GoesOn() implements Sequel {}

  /** The function at whose entry it is returns at once. */
  record Returns(long value) implements Sequel {}

  /** The kernel panics, and tracing is over. */
  record Panics() implements Sequel {}

  /** The target stays stopped, for a debugger, and tracing is over. */
  record Stays() implements Sequel {}
}
