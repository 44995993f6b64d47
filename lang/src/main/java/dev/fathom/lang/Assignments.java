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
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;

/** Assignments, {@code +=} and its kin, {@code ++} and {@code --} (C11 section 6.5.16). */
final class Assignments {
  private final Scope scope;
  private final Evaluator evaluator;
  private final Arithmetic arithmetic;
  private final ClassOperators classOperators;
  private final Numbers numbers;
  private final Program program;

  Assignments(
      Scope scope,
      Evaluator evaluator,
      Arithmetic arithmetic,
      ClassOperators classOperators,
      Numbers numbers) {
    this.scope = scope;
    this.evaluator = evaluator;
    this.arithmetic = arithmetic;
    this.classOperators = classOperators;
    this.numbers = numbers;
    this.program = scope.program();
  }

  Value step(Expr.Step s) {
    var target = evaluator.operand(s.operand());
    if (ClassOperators.isObject(target)) {
      return classOperators.step(s, target);
    }
    var before = contents(s.operand(), target);
    var one = numbers.imm(CTypes.INT, s.by());
    var after =
        arithmetic.operands(s, Expr.BinaryOperator.ADD, s.operand(), before, s.operand(), one);
    var stored = store(s, s.operand(), target, after);
    return s.before() ? before : stored;
  }

  Value assign(Expr.Assign a) {
    var right = evaluator.operand(a.value());
    if (a.target() instanceof Expr.Dollar d && a.operator().isEmpty()) {
      return store(d, right);
    }
    var target = evaluator.operand(a.target());
    if (a.operator().isPresent() && ClassOperators.isObject(target)) {
      var name = "operator" + a.operator().get().text() + "=";
      var given =
          a.value() instanceof Expr.Text ? a.value() : new Expr.Known(a.value().span(), right);
      return classOperators.operator(a, name, a.target(), target, given);
    }
    if (a.operator().isPresent()) {
      var old = evaluator.decay(contents(a.target(), target));
      right =
          arithmetic.operands(
              a, a.operator().get(), a.target(), old, a.value(), evaluator.decay(right));
    }
    return store(a, a.target(), target, right);
  }

  /** The value as it is now, so that a write behind it does not change it. */
  private Value contents(Expr e, Value v) {
    return switch (v.type().resolved()) {
      case IntType _, EnumType _, BoolType _, PointerType _, FloatType _ -> loaded(v);
      case CompositeType c when c.isComplex() -> v.copied(Evaluator.VALUE_LIMIT);
      default -> throw CTypes.notNumber(v.type(), e);
    };
  }

  private Value loaded(Value v) {
    return switch (v.type().resolved()) {
      case FloatType f -> numbers.real(f, v.asReal());
      case IntType i when i.bytes() > 8 -> numbers.whole(i, v.asInteger());
      default -> new Value.Imm(program, v.type(), v.asLong());
    };
  }

  private Value store(Expr.Dollar d, Value value) {
    var now =
        value.type().resolved() instanceof CompositeType
                || value.type().resolved() instanceof ArrayType
            ? value.copied(Evaluator.VALUE_LIMIT)
            : value.type().resolved() instanceof FunctionType
                ? evaluator.decay(value)
                : loaded(value);
    scope.assign(d.name(), now);
    return now;
  }

  /**
   * @param at what the target is, which is evaluated once
   */
  private Value store(Expr e, Expr target, Value at, Value value) {
    if (target instanceof Expr.Dollar d) {
      return store(d, value);
    }
    if (!(at instanceof Value.Ref place) || !place.isPlace()) {
      throw Cursor.wrong(target.span(), "only what stands in memory can be assigned to");
    }
    var type = place.type().resolved();
    var nothing = MemberPointers.nothing(place.type(), value);
    if (nothing.isPresent()) {
      scope.write(place, nothing.get().bytes(Evaluator.VALUE_LIMIT));
      return nothing.get();
    }
    if (ComplexNumbers.is(type)) {
      var number = evaluator.converted(e, place.type(), evaluator.decay(value));
      scope.write(place, number.bytes(Evaluator.VALUE_LIMIT));
      return number;
    }
    if (type instanceof CompositeType || type instanceof ArrayType) {
      var bytes = value.bytes(Evaluator.VALUE_LIMIT);
      if (bytes.length != type.bytes()) {
        throw Cursor.wrong(
            e.span(),
            "'"
                + value.type().text()
                + "' cannot be assigned to '"
                + place.type().text()
                + "'"
                + notMade(type));
      }
      scope.write(place, bytes);
      return place;
    }
    var converted = evaluator.converted(e, place.type(), evaluator.decay(value));
    if (place.bitSize() == 0) {
      scope.write(place, converted.bytes(Evaluator.VALUE_LIMIT));
    } else {
      scope.write(place, bitField(place, converted.asLong()));
    }
    return place.bitSize() == 0 ? converted : cut(place, converted.asLong());
  }

  /** Why a value of another type is refused where a class might make one of its own of it. */
  static String notMade(CType type) {
    return type instanceof CompositeType c && c.isCxx()
        ? ": constructors and operators of classes are not called to convert"
        : "";
  }

  /** The bytes around a bit-field with its bits replaced. */
  private static byte[] bitField(Value.Ref place, long bits) {
    int size = (place.bitOffset() + place.bitSize() + 7) / 8;
    var bytes = place.space().bytes(place.address(), size);
    for (int i = 0; i < place.bitSize(); i++) {
      int at = place.bitOffset() + i;
      int mask = 1 << (at % 8);
      bytes[at / 8] = (byte) ((bits >>> i & 1) != 0 ? bytes[at / 8] | mask : bytes[at / 8] & ~mask);
    }
    return bytes;
  }

  private Value cut(Value.Ref place, long bits) {
    int unused = 64 - place.bitSize();
    boolean signed =
        switch (place.type().resolved()) {
          case IntType i -> i.signed();
          case EnumType e -> e.signed();
          default -> false;
        };
    long kept = signed ? bits << unused >> unused : bits << unused >>> unused;
    return new Value.Imm(program, place.type(), kept);
  }
}
