// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.Optional;

/**
 * The family of every error that Fathom reports to its user. Each kind carries its facts as fields,
 * so that a caller can decide and a renderer can show them; the message is the one clear line for
 * people.
 */
public abstract sealed class FathomException extends RuntimeException
    permits BadDataException,
        EvalException,
        FaultException,
        LookupException,
        ProgramException,
        TargetException,
        UnsupportedException,
        UsageException {
  private static final long serialVersionUID = 1L;

  protected FathomException(String message) {
    super(message);
  }

  protected FathomException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The piece of the user's text that is at fault, where it is known. */
  public Optional<Span> span() {
    return Optional.empty();
  }
}
