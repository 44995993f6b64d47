// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.Optional;

/** How a command line ended: well, or with an error for the user. */
public record Outcome(Optional<String> error) {
  public static final Outcome OK = new Outcome(Optional.empty());

  public static Outcome failed(String error) {
    return new Outcome(Optional.of(error));
  }

  public boolean ok() {
    return error.isEmpty();
  }
}
