// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Datum;
import dev.fathom.model.Value;

/** What a command produces. */
public sealed interface Item {
  /**
   * A value that flows on through the pipe. At the end of the pipe it is shown: a place in memory
   * as its address, an immediate value as its number.
   */
  record Val(Value value) implements Item {}

  /**
   * Something to show. In front of a pipe, the numbers of a {@link Datum.Scalar} or {@link
   * Datum.Formatted}, the first address of a {@link Datum.Row} and the expressions in a {@link
   * Datum.Text} flow on as untyped values, notes go to the user, and other data is an error.
   */
  record Out(Datum datum) implements Item {}

  static Item value(Value value) {
    return new Val(value);
  }

  static Item show(Datum datum) {
    return new Out(datum);
  }
}
