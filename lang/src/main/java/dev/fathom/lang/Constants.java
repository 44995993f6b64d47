// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.LookupException;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.TypeSystem;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** Values of constant expressions (C11 section 6.6), without a program to read from. */
final class Constants {
  private final ToLongFunction<CType> alignment;
  private final TypeSystem types;
  private final Function<String, OptionalLong> names;

  Constants(ToLongFunction<CType> alignment, TypeSystem types) {
    this(alignment, types, name -> OptionalLong.empty());
  }

  /**
   * @param names enumerators and the like, asked before those of {@code types}
   */
  Constants(
      ToLongFunction<CType> alignment, TypeSystem types, Function<String, OptionalLong> names) {
    this.alignment = alignment;
    this.types = types;
    this.names = names;
  }

  long value(Expr e) {
    return switch (e) {
      case Expr.Number n -> n.value();
      case Expr.Quoted q -> Literals.packed(q.text());
      case Expr.Name n -> name(n);
      case Expr.Unary u -> unary(u);
      case Expr.Binary b -> binary(b);
      case Expr.Conditional c -> value(c.test()) != 0 ? value(c.then()) : value(c.otherwise());
      case Expr.Cast c -> cast(c);
      case Expr.SizeOfType s -> s.type().bytes();
      case Expr.AlignOfType a -> alignment.applyAsLong(a.type());
      case Expr.OffsetOf o ->
          types
              .member(o.type(), o.path())
              .orElseThrow(
                  () -> new LookupException("member of " + o.type().text(), o.path()).at(o.span()))
              .byteOffset();
      default -> throw notConstant(e);
    };
  }

  private static RuntimeException notConstant(Expr e) {
    return Cursor.wrong(e.span(), "not a constant expression");
  }

  private long name(Expr.Name n) {
    var own = names.apply(n.name());
    if (own.isPresent()) {
      return own.getAsLong();
    }
    Optional<EnumType> found = types.enumerationOf(n.name());
    return found
        .flatMap(e -> e.named(n.name()))
        .map(EnumType.Enumerator::value)
        .orElseThrow(() -> new LookupException("constant", n.name()).at(n.span()));
  }

  private long unary(Expr.Unary u) {
    long operand = value(u.operand());
    return switch (u.operator()) {
      case PLUS -> operand;
      case MINUS -> -operand;
      case COMPLEMENT -> ~operand;
      case NOT -> operand == 0 ? 1 : 0;
      case DEREFERENCE, ADDRESS -> throw notConstant(u);
    };
  }

  private long binary(Expr.Binary b) {
    long left = value(b.left());
    switch (b.operator()) {
      case AND:
        return left != 0 && value(b.right()) != 0 ? 1 : 0;
      case OR:
        return left != 0 || value(b.right()) != 0 ? 1 : 0;
      default:
        break;
    }
    long right = value(b.right());
    return switch (b.operator()) {
      case ADD -> left + right;
      case SUBTRACT -> left - right;
      case MULTIPLY -> left * right;
      case DIVIDE -> left / nonZero(b, right);
      case REMAINDER -> left % nonZero(b, right);
      case SHIFT_LEFT -> Math.abs(right) < 64 ? left << right : 0;
      case SHIFT_RIGHT -> Math.abs(right) < 64 ? left >> right : 0;
      case BIT_AND -> left & right;
      case BIT_OR -> left | right;
      case BIT_XOR -> left ^ right;
      case EQUAL -> left == right ? 1 : 0;
      case NOT_EQUAL -> left != right ? 1 : 0;
      case LESS -> left < right ? 1 : 0;
      case GREATER -> left > right ? 1 : 0;
      case LESS_EQUAL -> left <= right ? 1 : 0;
      case GREATER_EQUAL -> left >= right ? 1 : 0;
      case COMMA, AND, OR, SLICE, POINTED, POINTED_BEHIND -> throw notConstant(b);
    };
  }

  private static long nonZero(Expr.Binary b, long divisor) {
    if (divisor == 0) {
      throw Cursor.wrong(b.span(), "division by zero");
    }
    return divisor;
  }

  private long cast(Expr.Cast c) {
    long bits = value(c.operand());
    return switch (c.type().resolved()) {
      case IntType i -> CTypes.fit(bits, i);
      case EnumType e -> CTypes.fit(bits, e.bytes(), e.signed());
      case BoolType _ -> bits == 0 ? 0 : 1;
      default -> throw notConstant(c);
    };
  }
}
