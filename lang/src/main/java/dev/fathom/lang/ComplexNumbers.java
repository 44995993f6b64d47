// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.TypedefType;
import java.util.List;
import java.util.Optional;

/**
 * Complex numbers (C11 section 6.2.5), and gcc's of whole numbers. Their parts are computed as the
 * numbers that they are.
 */
final class ComplexNumbers {
  /** More than a part has bytes. */
  private static final int PART_LIMIT = 16;

  private final Arithmetic arithmetic;
  private final Numbers numbers;
  private final Program program;

  ComplexNumbers(Arithmetic arithmetic, Numbers numbers, Program program) {
    this.arithmetic = arithmetic;
    this.numbers = numbers;
    this.program = program;
  }

  static boolean is(Value value) {
    return is(value.type());
  }

  static boolean is(CType type) {
    return type.resolved() instanceof CompositeType c && c.isComplex();
  }

  /** The type of complex numbers with such parts; empty for what is no number. */
  static Optional<CType> type(CType part) {
    return part instanceof FloatType || part instanceof IntType
        ? Optional.of(new TypedefType("complex " + part.text(), () -> CompositeType.complex(part)))
        : Optional.empty();
  }

  /** The real part; of any other number itself. */
  static Value real(Value number) {
    return is(number) ? number.member("real") : number;
  }

  /** The imaginary part; that of any other number is 0. */
  private Value imaginary(Value number) {
    return is(number) ? number.member("imag") : numbers.imm(CTypes.INT, 0);
  }

  /** {@code 2i}. */
  Value constant(Expr e, Value imaginary) {
    return of(e, numbers.imm(CTypes.INT, 0), imaginary);
  }

  /** gdb's {@code $_creal(number)} and {@code $_cimag(number)}. */
  static Optional<String> part(Expr function) {
    return function instanceof Expr.Dollar d
        ? switch (d.name()) {
          case "_creal" -> Optional.of("real");
          case "_cimag" -> Optional.of("imag");
          default -> Optional.empty();
        }
        : Optional.empty();
  }

  /** The part of the number that a call of {@link #part} has as its argument. */
  static Value part(Expr.Call call, String part, List<Value> arguments) {
    if (arguments.size() != 1 || !is(arguments.getFirst())) {
      throw Cursor.wrong(call.span(), "expected a complex number");
    }
    return arguments.getFirst().member(part);
  }

  boolean isTrue(Value number) {
    return isNotZero(real(number)) || isNotZero(imaginary(number));
  }

  private static boolean isNotZero(Value part) {
    return !part.asReal().isZero();
  }

  /** {@code +}, {@code -}, and {@code ~} for the conjugate, as gcc and gdb have it. */
  Value unary(Expr.Unary u, Value number) {
    var re = real(number);
    var im = imaginary(number);
    return switch (u.operator()) {
      case MINUS -> of(u, negated(u, re), negated(u, im));
      case COMPLEMENT -> of(u, re, negated(u, im));
      case PLUS, NOT, DEREFERENCE, ADDRESS -> number;
    };
  }

  private Value negated(Expr e, Value part) {
    return part.type().resolved() instanceof FloatType f
        ? numbers.real(f, part.asReal().negate())
        : apply(e, Expr.BinaryOperator.SUBTRACT, numbers.imm(CTypes.INT, 0), part);
  }

  /** An operator of which one operand at least is a complex number. */
  Value operands(Expr e, Expr.BinaryOperator operator, Value left, Value right) {
    var a = real(left);
    var b = imaginary(left);
    var c = real(right);
    var d = imaginary(right);
    return switch (operator) {
      case ADD, SUBTRACT -> of(e, apply(e, operator, a, c), apply(e, operator, b, d));
      case MULTIPLY ->
          of(e, minus(e, times(e, a, c), times(e, b, d)), plus(e, times(e, a, d), times(e, b, c)));
      case DIVIDE -> {
        var square = plus(e, times(e, c, c), times(e, d, d));
        var re = plus(e, times(e, a, c), times(e, b, d));
        var im = minus(e, times(e, b, c), times(e, a, d));
        yield of(e, apply(e, operator, re, square), apply(e, operator, im, square));
      }
      case EQUAL -> numbers.flag(isEqual(e, a, c) && isEqual(e, b, d));
      case NOT_EQUAL -> numbers.flag(!isEqual(e, a, c) || !isEqual(e, b, d));
      default ->
          throw Cursor.wrong(e.span(), "'" + operator.text() + "' is not for complex numbers");
    };
  }

  private boolean isEqual(Expr e, Value one, Value other) {
    return apply(e, Expr.BinaryOperator.EQUAL, one, other).asLong() != 0;
  }

  private Value plus(Expr e, Value one, Value other) {
    return apply(e, Expr.BinaryOperator.ADD, one, other);
  }

  private Value minus(Expr e, Value one, Value other) {
    return apply(e, Expr.BinaryOperator.SUBTRACT, one, other);
  }

  private Value times(Expr e, Value one, Value other) {
    return apply(e, Expr.BinaryOperator.MULTIPLY, one, other);
  }

  private Value apply(Expr e, Expr.BinaryOperator operator, Value one, Value other) {
    return arithmetic.operands(e, operator, e, one, e, other);
  }

  /** A number of two parts, which get the type that both have in common. */
  private Value of(Expr e, Value re, Value im) {
    var part = plus(e, re, im).type();
    return of(type(part).orElseThrow(), part, re, im);
  }

  private Value of(CType type, CType part, Value re, Value im) {
    var bytes = new byte[(int) (2 * part.bytes())];
    var first = as(part, re).bytes(PART_LIMIT);
    var second = as(part, im).bytes(PART_LIMIT);
    System.arraycopy(first, 0, bytes, 0, first.length);
    System.arraycopy(second, 0, bytes, first.length, second.length);
    return Value.held(program, type, bytes);
  }

  private Value as(CType part, Value number) {
    boolean fraction = number.type().resolved() instanceof FloatType;
    return switch (part.resolved()) {
      case FloatType f -> numbers.real(f, number.asReal());
      case IntType i ->
          numbers.whole(i, fraction ? number.asReal().toInteger() : number.asInteger());
      default -> number;
    };
  }

  /** A number as a complex one of another type (C11 section 6.3.1.6 and 6.3.1.7). */
  Value converted(CType type, Value number) {
    var part = ((CompositeType) type.resolved()).members().getFirst().type();
    return of(type, part, real(number), imaginary(number));
  }
}
