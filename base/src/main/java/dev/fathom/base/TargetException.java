// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/**
 * The target itself failed: a file that cannot be opened, a connection that broke, a kernel that
 * was not found.
 */
public final class TargetException extends FathomException {
  private static final long serialVersionUID = 1L;

  public TargetException(String message) {
    super(message);
  }

  public TargetException(String message, Throwable cause) {
    super(message, cause);
  }
}
