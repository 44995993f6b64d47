// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.math.BigInteger;
import java.util.Optional;
import java.util.OptionalLong;

/** Casts, and the conversions of C11 section 6.3 that assignments and calls make. */
final class Casts {
  private static final BigInteger WORD = BigInteger.ONE.shiftLeft(64);

  private final Evaluator evaluator;
  private final ComplexNumbers complexes;
  private final Numbers numbers;
  private final CTypes types;
  private final Program program;

  Casts(
      Evaluator evaluator,
      ComplexNumbers complexes,
      Numbers numbers,
      CTypes types,
      Program program) {
    this.evaluator = evaluator;
    this.complexes = complexes;
    this.numbers = numbers;
    this.types = types;
    this.program = program;
  }

  Value cast(Expr.Cast c) {
    var operand =
        c.operand() instanceof Expr.Call call
            ? evaluator.call(call, Optional.of(c.type())).referred()
            : evaluator.operand(c.operand());
    var target = c.type().resolved();
    if (target instanceof PointerType p && (p.isReference() || c.form() == Expr.CastForm.DYNAMIC)) {
      return Evaluator.within(c.span(), () -> pointed(c, p, operand));
    }
    if (!ComplexNumbers.is(target)
        && (target instanceof CompositeType || target instanceof ArrayType)) {
      if (operand instanceof Value.Ref && (operand.isPlace() || isWhole(operand.type()))) {
        return Evaluator.within(
            c.span(), () -> ClassCasts.moved(operand, ofObject(c.type(), operand)));
      }
      throw Cursor.wrong(
          c.span(), "cannot make a '" + c.type().text() + "' of a '" + operand.type().text() + "'");
    }
    if (c.form() == Expr.CastForm.REINTERPRET && target instanceof PointerType) {
      return numbers.pointer(c.type(), bits(evaluator.decay(operand)));
    }
    return converted(c, c.type(), evaluator.decay(operand));
  }

  /** A cast to a reference, or one that asks what the object is. */
  private Value pointed(Expr.Cast c, PointerType type, Value operand) {
    boolean dynamic = c.form() == Expr.CastForm.DYNAMIC;
    var object = operand;
    if (!type.isReference()) {
      var pointer = evaluator.decay(operand);
      if (!(pointer.type().resolved() instanceof PointerType)) {
        throw Cursor.wrong(c.span(), "'" + pointer.type().text() + "' is not a pointer");
      }
      if (pointer.asLong() == 0) {
        return numbers.pointer(c.type(), 0);
      }
      object = pointer.deref();
    } else if (!(operand instanceof Value.Ref ref) || !operand.isPlace() || ref.bitSize() != 0) {
      throw Cursor.wrong(c.operand().span(), "only what stands in memory can be referred to");
    }
    var found =
        dynamic
            ? ClassCasts.dynamic(object, type.target())
            : Optional.of(
                c.form() == Expr.CastForm.REINTERPRET
                    ? object
                    : ClassCasts.moved(object, type.target()));
    if (found.isEmpty() && type.isReference()) {
      throw Cursor.wrong(c.span(), "the object has no part '" + type.target().text() + "'");
    }
    return numbers.pointer(c.type(), found.map(Value::address).orElse(0L));
  }

  private static boolean isWhole(CType type) {
    return type.resolved() instanceof CompositeType || type.resolved() instanceof ArrayType;
  }

  /** An array without a length has, in a cast, as many elements as the object holds. */
  private static CType ofObject(CType type, Value object) {
    return type instanceof ArrayType a && a.count().isEmpty() && a.element().bytes() > 0
        ? new ArrayType(a::element, OptionalLong.of(object.type().bytes() / a.element().bytes()))
        : type;
  }

  /** A scalar converted to a scalar type (C11 section 6.3.1). */
  Value converted(Expr e, CType type, Value number) {
    if (ComplexNumbers.is(type)) {
      requireNumber(e, ComplexNumbers.real(number));
      return complexes.converted(type, number);
    }
    var operand = ComplexNumbers.real(number);
    requireNumber(e, operand);
    boolean fraction = operand.type().resolved() instanceof FloatType;
    return switch (type.resolved()) {
      case IntType i -> {
        if (i.bytes() > 8 || fraction) {
          var value = fraction ? operand.asReal().toInteger() : operand.asInteger();
          yield retyped(numbers.whole(i, value), type);
        }
        yield new Value.Imm(program, type, CTypes.fit(operand.asLong(), i));
      }
      case EnumType t ->
          new Value.Imm(program, type, CTypes.fit(bits(operand), t.bytes(), t.signed()));
      case BoolType _ -> new Value.Imm(program, type, evaluator.truth(number) ? 1 : 0);
      case PointerType p when p.isReference() && operand instanceof Value.Ref ref -> ref;
      case PointerType p when !fraction ->
          numbers.pointer(
              type, Numbers.isPointer(operand) ? ClassCasts.moved(operand, p) : bits(operand));
      case FloatType f when !Numbers.isPointer(operand) ->
          retyped(numbers.real(f, operand.asReal()), type);
      case VoidType _ -> new Value.Imm(program, type, 0);
      default -> throw Cursor.wrong(e.span(), "cannot cast to '" + type.text() + "'");
    };
  }

  void requireNumber(Expr e, Value operand) {
    if (!Numbers.isPointer(operand) && !(operand.type().resolved() instanceof FloatType)) {
      types.promote(operand.type(), e instanceof Expr.Cast c ? c.operand() : e);
    }
  }

  private static long bits(Value v) {
    return v.type().resolved() instanceof FloatType
        ? v.asReal().toInteger().mod(WORD).longValue()
        : v.type().bytes() > 8 ? v.asInteger().longValue() : v.asLong();
  }

  private static Value retyped(Value v, CType type) {
    return type instanceof TypedefType ? v.as(type) : v;
  }
}
