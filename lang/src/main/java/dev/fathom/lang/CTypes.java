// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;

/** C's own integer types in the LP64 model, and the conversions of C11 section 6.3.1. */
final class CTypes {
  static final IntType CHAR = new IntType("char", 1, true, true);
  static final IntType INT = new IntType("int", 4, true, false);
  static final IntType UNSIGNED_INT = new IntType("unsigned int", 4, false, false);
  static final IntType LONG = new IntType("long", 8, true, false);
  static final IntType UNSIGNED_LONG = new IntType("unsigned long", 8, false, false);

  private CTypes() {}

  /**
   * Integer promotion: what an operand of a rank below int becomes. Empty answer: not an integer.
   */
  static IntType promote(CType type, Expr expression) {
    return switch (type.resolved()) {
      case IntType i -> of(i.bytes(), i.signed());
      case EnumType e -> of(e.bytes(), e.signed());
      case BoolType _ -> INT;
      default ->
          throw new EvalException(
              expression.span(),
              "'"
                  + type.text()
                  + "' is not a number (column "
                  + (expression.span().start() + 1)
                  + ")");
    };
  }

  private static IntType of(long bytes, boolean signed) {
    if (bytes < 4) {
      return INT;
    }
    if (bytes == 4) {
      return signed ? INT : UNSIGNED_INT;
    }
    return signed ? LONG : UNSIGNED_LONG;
  }

  /** The usual arithmetic conversions of two promoted operands. */
  static IntType common(IntType a, IntType b) {
    if (a.bytes() != b.bytes()) {
      return a.bytes() > b.bytes() ? a : b;
    }
    return a.signed() ? b : a;
  }

  /** {@code bits} cut to the type's size and extended as its signedness says. */
  static long fit(long bits, long bytes, boolean signed) {
    if (bytes >= 8 || bytes <= 0) {
      return bits;
    }
    int unused = (int) (64 - bytes * 8);
    return signed ? bits << unused >> unused : bits << unused >>> unused;
  }

  static long fit(long bits, IntType type) {
    return fit(bits, type.bytes(), type.signed());
  }
}
