// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.model.type.CType;

/** Makes expressions of the intermediate form, folding what is constant. */
final class Codes {
  private Codes() {}

  /** {@code code} narrowed to what {@code type} holds. */
  static Expr narrow(Expr code, CType type) {
    return extend(code, (int) (type.resolved().bytes() * 8), DTypes.isSigned(type));
  }

  static Expr extend(Expr code, int bits, boolean signed) {
    if (bits >= 64 || bits <= 0) {
      return code;
    }
    if (code instanceof Expr.Int i) {
      return new Expr.Int(extend(i.value(), bits, signed));
    }
    return holds(code, bits, signed) ? code : new Expr.Extend(bits, signed, code);
  }

  static long extend(long value, int bits, boolean signed) {
    int unused = 64 - bits;
    return signed ? value << unused >> unused : value << unused >>> unused;
  }

  /** Whether the value surely fits already. */
  private static boolean holds(Expr code, int bits, boolean signed) {
    return switch (code) {
      case Expr.Extend e ->
          e.signed() == signed ? e.bits() <= bits : !e.signed() && e.bits() < bits;
      case Expr.Load l ->
          l.signed() == signed ? l.bytes() * 8 <= bits : !l.signed() && l.bytes() * 8 < bits;
      case Expr.Part p ->
          p.signed() == signed ? p.bytes() * 8 <= bits : !p.signed() && p.bytes() * 8 < bits;
      case Expr.CompareStrings _, Expr.And _, Expr.Or _ -> bits > 1;
      case Expr.Unary u -> u.op() == Expr.UnaryOp.NOT && bits > 1;
      case Expr.Binary b -> comparison(b.op()) && bits > 1;
      case Expr.Conditional c ->
          holdsConstantly(c.yes(), bits, signed) && holdsConstantly(c.no(), bits, signed);
      case Expr.Int _ -> holdsConstantly(code, bits, signed);
      case Expr.Text _,
          Expr.Variable _,
          Expr.Argument _,
          Expr.Register _,
          Expr.Get _,
          Expr.Set _,
          Expr.Local _,
          Expr.Let _,
          Expr.Sequence _,
          Expr.LoadBlob _,
          Expr.LoadBytes _,
          Expr.LoadString _,
          Expr.Store _,
          Expr.Slice _,
          Expr.PartString _,
          Expr.WithPart _,
          Expr.WithSlice _,
          Expr.ZeroBlob _,
          Expr.Call _,
          Expr.KernelStack _,
          Expr.UserStack _,
          Expr.UserAddress _ ->
          false;
    };
  }

  private static boolean holdsConstantly(Expr code, int bits, boolean signed) {
    return code instanceof Expr.Int i
        ? extend(i.value(), bits, signed) == i.value()
        : holds(code, bits, signed);
  }

  static boolean comparison(BinaryOp op) {
    return switch (op) {
      case EQUAL, NOT_EQUAL, LESS, LESS_UNSIGNED, LESS_EQUAL, LESS_EQUAL_UNSIGNED -> true;
      case ADD,
          SUBTRACT,
          MULTIPLY,
          DIVIDE,
          DIVIDE_UNSIGNED,
          REMAINDER,
          REMAINDER_UNSIGNED,
          AND,
          OR,
          XOR,
          SHIFT_LEFT,
          SHIFT_RIGHT,
          SHIFT_RIGHT_UNSIGNED ->
          false;
    };
  }

  static Expr binary(BinaryOp op, Expr left, Expr right) {
    if (left instanceof Expr.Int a && right instanceof Expr.Int b) {
      if (!byZero(op, b.value())) {
        return new Expr.Int(compute(op, a.value(), b.value()));
      }
    }
    if (right instanceof Expr.Int zero
        && zero.value() == 0
        && (op == BinaryOp.ADD || op == BinaryOp.SUBTRACT)) {
      return left;
    }
    return new Expr.Binary(op, left, right);
  }

  /** Whether {@code op} by {@code right} has no result. */
  static boolean byZero(BinaryOp op, long right) {
    return right == 0
        && (op == BinaryOp.DIVIDE
            || op == BinaryOp.DIVIDE_UNSIGNED
            || op == BinaryOp.REMAINDER
            || op == BinaryOp.REMAINDER_UNSIGNED);
  }

  /** What {@code op} makes of two numbers; by zero, Java's exception. */
  static long compute(BinaryOp op, long a, long b) {
    return switch (op) {
      case ADD -> a + b;
      case SUBTRACT -> a - b;
      case MULTIPLY -> a * b;
      case DIVIDE -> a / b;
      case DIVIDE_UNSIGNED -> Long.divideUnsigned(a, b);
      case REMAINDER -> a % b;
      case REMAINDER_UNSIGNED -> Long.remainderUnsigned(a, b);
      case AND -> a & b;
      case OR -> a | b;
      case XOR -> a ^ b;
      case SHIFT_LEFT -> a << b;
      case SHIFT_RIGHT -> a >> b;
      case SHIFT_RIGHT_UNSIGNED -> a >>> b;
      case EQUAL -> a == b ? 1 : 0;
      case NOT_EQUAL -> a != b ? 1 : 0;
      case LESS -> a < b ? 1 : 0;
      case LESS_UNSIGNED -> Long.compareUnsigned(a, b) < 0 ? 1 : 0;
      case LESS_EQUAL -> a <= b ? 1 : 0;
      case LESS_EQUAL_UNSIGNED -> Long.compareUnsigned(a, b) <= 0 ? 1 : 0;
    };
  }

  static Expr unary(Expr.UnaryOp op, Expr operand) {
    if (operand instanceof Expr.Int i) {
      return new Expr.Int(compute(op, i.value()));
    }
    return new Expr.Unary(op, operand);
  }

  static long compute(Expr.UnaryOp op, long value) {
    return switch (op) {
      case NEGATE -> -value;
      case COMPLEMENT -> ~value;
      case NOT -> value == 0 ? 1 : 0;
    };
  }
}
