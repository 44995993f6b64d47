// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/** A command that was called with arguments that it does not take. */
public final class UsageException extends FathomException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }
}
