// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Invocation;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.IntType;

/** Numbers as values and back. */
final class Values {
  private static final CType ADDRESS = new IntType("uintptr_t", 8, false, false);

  private Values() {}

  /** The number that stands for a value: where it is, or what it is. */
  static long dot(Value value) {
    return switch (value) {
      case Value.Ref ref -> ref.address();
      case Value.Imm imm -> imm.bits();
    };
  }

  static Value address(Invocation call, long bits) {
    return new Value.Imm(call.program(), ADDRESS, bits);
  }
}
