// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/** C's {@code void}. */
public enum VoidType implements CType {
  VOID;

  @Override
  public long bytes() {
    return 0;
  }
}
