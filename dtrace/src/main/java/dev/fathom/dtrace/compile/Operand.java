// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.model.type.CType;
import java.util.List;

/** What an expression is before it is known whether its value, its place or its type is wanted. */
sealed interface Operand {
  CType type();

  /** A value; a composite's is a blob. */
  record Value(CType type, Expr code) implements Operand {}

  /**
   * Something in memory.
   *
   * @param bitOffset of a bit-field, from {@code address}
   * @param bits the width of a bit-field, else 0
   * @param symbol a kernel symbol itself, which D may not assign to
   */
  record Place(CType type, Expr address, Space space, int bitOffset, int bits, boolean symbol)
      implements Operand {
    Place(CType type, Expr address, Space space) {
      this(type, address, space, 0, 0, false);
    }
  }

  /** A D variable, or an element of one. */
  record Variable(CType type, int id, List<Expr> keys) implements Operand {}

  /** A member or element of a D variable that is a structure, union or array. */
  record Part(CType type, Variable whole, Expr offset, int bitOffset, int bits)
      implements Operand {}

  /** A translated structure: members are computed when they are named. */
  record Translated(CType type, Lowering.TranslatorDef translator, Operand input)
      implements Operand {}

  /** An associative array without its keys, or a built-in array. */
  record Array(CType type, String name) implements Operand {}
}
