// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/**
 * Takes what commands produce, in order: {@code begin}, any number of data and losses, {@code end}.
 */
public interface Sink {
  /** A command line starts; {@code command} is its text. */
  void begin(String command);

  void accept(Datum datum);

  /** Shows at once what was accepted, as somebody else is going to write to the same place. */
  default void flush() {}

  /** Something was left out of the result. */
  void lost(Loss loss);

  void end(Outcome outcome);
}
