// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.Optional;

/**
 * How a command line ended: well, or with an error, the first of those that the sink has been given
 * as {@link Datum.Note}s of severity {@link Datum.Severity#ERROR}.
 */
public record Outcome(Optional<String> error) {
  public static final Outcome OK = new Outcome(Optional.empty());

  public static Outcome failed(String error) {
    return new Outcome(Optional.of(error));
  }

  public boolean ok() {
    return error.isEmpty();
  }
}
