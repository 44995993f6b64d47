// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

/**
 * A structure, union or enum that is declared but not defined, or a type that the debug information
 * cannot describe.
 */
public record OpaqueType(String text) implements CType {
  @Override
  public long bytes() {
    return 0;
  }
}
