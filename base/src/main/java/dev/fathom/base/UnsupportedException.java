// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/** A request that this target, kernel or file cannot serve, and why. */
public final class UnsupportedException extends FathomException {
  private static final long serialVersionUID = 1L;

  public UnsupportedException(String message) {
    super(message);
  }
}
