// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.FloatFormat;
import dev.fathom.model.Program;
import dev.fathom.model.Real;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import java.math.BigInteger;

/**
 * Operators on two values: pointers, numbers with a fraction, whole numbers (C11 sections 6.5.5 to
 * 6.5.12); where C leaves something open, as gdb does.
 */
final class Arithmetic {
  private final Numbers numbers;
  private final Program program;
  private final CTypes types;
  private final ComplexNumbers complexes;

  Arithmetic(Numbers numbers, Program program, CTypes types) {
    this.numbers = numbers;
    this.program = program;
    this.types = types;
    this.complexes = new ComplexNumbers(this, numbers, program);
  }

  /**
   * The value of an operator other than {@code ,}, {@code &&} and {@code ||}.
   *
   * @param whole for messages, as are the texts of the operands
   */
  Value operands(
      Expr whole,
      Expr.BinaryOperator operator,
      Expr leftText,
      Value left,
      Expr rightText,
      Value right) {
    if (ComplexNumbers.is(left) || ComplexNumbers.is(right)) {
      requireNumber(left, leftText);
      requireNumber(right, rightText);
      return complexes.operands(whole, operator, left, right);
    }
    var two = new Two(whole, operator, leftText, left, rightText, right);
    if (Numbers.isPointer(left) || Numbers.isPointer(right)) {
      return pointers(two);
    }
    boolean fractions =
        left.type().resolved() instanceof FloatType || right.type().resolved() instanceof FloatType;
    return fractions ? reals(two) : integers(two);
  }

  private void requireNumber(Value operand, Expr text) {
    if (!ComplexNumbers.is(operand) && !(operand.type().resolved() instanceof FloatType)) {
      types.promote(operand.type(), text);
    }
  }

  ComplexNumbers complexes() {
    return complexes;
  }

  /** An operator with the values of its operands, and what they were written as. */
  private record Two(
      Expr whole,
      Expr.BinaryOperator operator,
      Expr leftText,
      Value left,
      Expr rightText,
      Value right) {
    Two with(Value newLeft, Value newRight) {
      return new Two(whole, operator, leftText, newLeft, rightText, newRight);
    }
  }

  private Value pointers(Two b) {
    var left = b.left();
    var right = b.right();
    if (left.type().resolved() instanceof FloatType
        || right.type().resolved() instanceof FloatType) {
      throw Cursor.wrong(b.whole().span(), "a pointer and a number with a fraction do not mix");
    }
    if (!Numbers.isPointer(left)) {
      types.promote(left.type(), b.leftText());
    }
    if (!Numbers.isPointer(right)) {
      types.promote(right.type(), b.rightText());
    }
    long l = left.asLong();
    long r = right.asLong();
    return switch (b.operator()) {
      case ADD -> Numbers.isPointer(left) ? moved(b, left, r, right) : moved(b, right, l, left);
      case SUBTRACT -> {
        if (!Numbers.isPointer(right)) {
          yield moved(b, left, -r, right);
        }
        if (!Numbers.isPointer(left)) {
          throw Cursor.wrong(b.whole().span(), "cannot subtract a pointer from a number");
        }
        yield numbers.imm(types.longType(), (l - r) / stride(left));
      }
      case EQUAL -> numbers.flag(l == r);
      case NOT_EQUAL -> numbers.flag(l != r);
      case LESS -> numbers.flag(Long.compareUnsigned(l, r) < 0);
      case GREATER -> numbers.flag(Long.compareUnsigned(l, r) > 0);
      case LESS_EQUAL -> numbers.flag(Long.compareUnsigned(l, r) <= 0);
      case GREATER_EQUAL -> numbers.flag(Long.compareUnsigned(l, r) >= 0);
      default ->
          // As gdb: a pointer is a number for the other operators.
          integers(b.with(number(left), number(right)));
    };
  }

  private Value number(Value pointer) {
    return Numbers.isPointer(pointer) ? numbers.word(pointer.asLong()) : pointer;
  }

  private Value moved(Two b, Value pointer, long count, Value by) {
    if (Numbers.isPointer(by)) {
      throw Cursor.wrong(b.whole().span(), "cannot add two pointers");
    }
    if (pointer.type().resolved() instanceof PointerType p) {
      requireSize(b.whole(), p.target());
    }
    return numbers.pointer(pointer.type(), pointer.asLong() + count * stride(pointer));
  }

  /** Of arrays it must be known before one finds the next; what else has no size is a byte. */
  static void requireSize(Expr e, CType element) {
    if (element.resolved() instanceof ArrayType a && !a.isSized()) {
      throw Cursor.wrong(e.span(), "the size of '" + element.text() + "' is not known");
    }
  }

  /**
   * The size of what a pointer leads to; 1 for void and functions, as gdb and the kernel's compiler
   * have it.
   */
  private static long stride(Value pointer) {
    return pointer.type().resolved() instanceof PointerType p ? Math.max(1, p.target().bytes()) : 1;
  }

  private Value reals(Two b) {
    if (!(b.left().type().resolved() instanceof FloatType)) {
      types.promote(b.left().type(), b.leftText());
    }
    if (!(b.right().type().resolved() instanceof FloatType)) {
      types.promote(b.right().type(), b.rightText());
    }
    var type = CTypes.common(b.left().type(), b.right().type());
    var format = FloatFormat.of(type, program);
    var left = format.round(b.left().asReal());
    var right = format.round(b.right().asReal());
    boolean ordered = !left.isNan() && !right.isNan();
    int order = ordered ? compare(left, right) : 0;
    return switch (b.operator()) {
      case ADD -> numbers.real(type, left.add(right));
      case SUBTRACT -> numbers.real(type, left.subtract(right));
      case MULTIPLY -> numbers.real(type, left.multiply(right));
      case DIVIDE -> numbers.real(type, left.divide(right));
      case EQUAL -> numbers.flag(ordered && order == 0);
      case NOT_EQUAL -> numbers.flag(!ordered || order != 0);
      case LESS -> numbers.flag(ordered && order < 0);
      case GREATER -> numbers.flag(ordered && order > 0);
      case LESS_EQUAL -> numbers.flag(ordered && order <= 0);
      case GREATER_EQUAL -> numbers.flag(ordered && order >= 0);
      case REMAINDER, SHIFT_LEFT, SHIFT_RIGHT, BIT_AND, BIT_OR, BIT_XOR ->
          throw Cursor.wrong(
              b.whole().span(), "'" + b.operator().text() + "' is for whole numbers only");
      case COMMA, AND, OR, SLICE, POINTED, POINTED_BEHIND ->
          throw new IllegalStateException("operator " + b.operator() + " is handled before");
    };
  }

  private static int compare(Real left, Real right) {
    return left.isZero() && right.isZero() ? 0 : left.compareTo(right);
  }

  private Value integers(Two b) {
    var leftType = types.promote(b.left().type(), b.leftText());
    var rightType = types.promote(b.right().type(), b.rightText());
    boolean shift =
        b.operator() == Expr.BinaryOperator.SHIFT_LEFT
            || b.operator() == Expr.BinaryOperator.SHIFT_RIGHT;
    var type = shift ? leftType : types.common(leftType, rightType);
    if (type.bytes() > 8 || rightType.bytes() > 8) {
      return wide(b, type, b.left().asInteger(), b.right().asInteger());
    }
    long l = b.left().asLong();
    long r = b.right().asLong();
    if (shift) {
      return shift(b, leftType, l, r);
    }
    l = CTypes.fit(l, type);
    r = CTypes.fit(r, type);
    int order = type.signed() ? Long.compare(l, r) : Long.compareUnsigned(l, r);
    return switch (b.operator()) {
      case ADD -> numbers.imm(type, l + r);
      case SUBTRACT -> numbers.imm(type, l - r);
      case MULTIPLY -> numbers.imm(type, l * r);
      case DIVIDE ->
          numbers.imm(
              type, type.signed() ? l / nonZero(b, r) : Long.divideUnsigned(l, nonZero(b, r)));
      case REMAINDER ->
          numbers.imm(
              type, type.signed() ? l % nonZero(b, r) : Long.remainderUnsigned(l, nonZero(b, r)));
      case BIT_AND -> numbers.imm(type, l & r);
      case BIT_OR -> numbers.imm(type, l | r);
      case BIT_XOR -> numbers.imm(type, l ^ r);
      case EQUAL -> numbers.flag(l == r);
      case NOT_EQUAL -> numbers.flag(l != r);
      case LESS -> numbers.flag(order < 0);
      case GREATER -> numbers.flag(order > 0);
      case LESS_EQUAL -> numbers.flag(order <= 0);
      case GREATER_EQUAL -> numbers.flag(order >= 0);
      case COMMA, AND, OR, SLICE, POINTED, POINTED_BEHIND, SHIFT_LEFT, SHIFT_RIGHT ->
          throw new IllegalStateException("operator " + b.operator() + " is handled before");
    };
  }

  /** Arithmetic on 128 bits. */
  private Value wide(Two b, IntType type, BigInteger leftNumber, BigInteger rightNumber) {
    var l = fit(type, leftNumber);
    var r = fit(type, rightNumber);
    return switch (b.operator()) {
      case ADD -> numbers.whole(type, l.add(r));
      case SUBTRACT -> numbers.whole(type, l.subtract(r));
      case MULTIPLY -> numbers.whole(type, l.multiply(r));
      case DIVIDE -> numbers.whole(type, l.divide(nonZero(b, r)));
      case REMAINDER -> numbers.whole(type, l.remainder(nonZero(b, r)));
      case BIT_AND -> numbers.whole(type, l.and(r));
      case BIT_OR -> numbers.whole(type, l.or(r));
      case BIT_XOR -> numbers.whole(type, l.xor(r));
      case SHIFT_LEFT -> numbers.whole(type, l.shiftLeft(distance(b, type, rightNumber)));
      case SHIFT_RIGHT -> numbers.whole(type, l.shiftRight(distance(b, type, rightNumber)));
      case EQUAL -> numbers.flag(l.equals(r));
      case NOT_EQUAL -> numbers.flag(!l.equals(r));
      case LESS -> numbers.flag(l.compareTo(r) < 0);
      case GREATER -> numbers.flag(l.compareTo(r) > 0);
      case LESS_EQUAL -> numbers.flag(l.compareTo(r) <= 0);
      case GREATER_EQUAL -> numbers.flag(l.compareTo(r) >= 0);
      case COMMA, AND, OR, SLICE, POINTED, POINTED_BEHIND ->
          throw new IllegalStateException("operator " + b.operator() + " is handled before");
    };
  }

  private static BigInteger fit(IntType type, BigInteger value) {
    var size = BigInteger.ONE.shiftLeft((int) type.bytes() * 8);
    var cut = value.mod(size);
    return type.signed() && cut.testBit((int) type.bytes() * 8 - 1) ? cut.subtract(size) : cut;
  }

  private static int distance(Two b, IntType type, BigInteger count) {
    if (count.signum() < 0 || count.compareTo(BigInteger.valueOf(type.bytes() * 8)) >= 0) {
      throw tooFar(b, type, count.toString());
    }
    return count.intValue();
  }

  private static EvalException tooFar(Two b, IntType type, String count) {
    return Cursor.wrong(
        b.whole().span(), "shift of a " + type.bytes() * 8 + "-bit number by " + count);
  }

  private Value shift(Two b, IntType type, long value, long count) {
    if (count < 0 || count >= type.bytes() * 8) {
      throw tooFar(b, type, Long.toString(count));
    }
    boolean left = b.operator() == Expr.BinaryOperator.SHIFT_LEFT;
    return numbers.imm(
        type, left ? value << count : type.signed() ? value >> count : value >>> count);
  }

  private static long nonZero(Two b, long divisor) {
    if (divisor == 0) {
      throw Cursor.wrong(b.whole().span(), "division by zero");
    }
    return divisor;
  }

  private static BigInteger nonZero(Two b, BigInteger divisor) {
    if (divisor.signum() == 0) {
      throw Cursor.wrong(b.whole().span(), "division by zero");
    }
    return divisor;
  }
}
