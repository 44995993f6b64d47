// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.Span;
import dev.fathom.model.Real;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A parsed C expression. Types are already looked up, since C cannot be parsed without knowing
 * which names are types.
 */
public sealed interface Expr {
  Span span();

  /** A whole number with the type that C gives the constant. */
  record Number(Span span, long value, CType type) implements Expr {}

  /** A number with a fraction. */
  record Fraction(Span span, Real value, FloatType type) implements Expr {}

  /** gcc's {@code 2.5i}: so many times the square root of -1. */
  record Imaginary(Span span, Expr number) implements Expr {}

  /** A string without its NUL; {@code unit} is the type of its characters. */
  record Text(Span span, String value, IntType unit) implements Expr {}

  /** {@code 'abc'}: gdb's way to write a symbol with odd characters, or C's packed characters. */
  record Quoted(Span span, String text) implements Expr {}

  record Name(Span span, String name) implements Expr {}

  /**
   * {@code scope::name}: of a file or function in C, of a namespace or class in C++; the scope is
   * empty for {@code ::name}.
   */
  record Scoped(Span span, String scope, String name) implements Expr {}

  /** {@code $rip}, {@code $1}. */
  record Dollar(Span span, String name) implements Expr {}

  /** A type where a value could stand. */
  record TypeName(Span span, CType type) implements Expr {}

  record Unary(Span span, UnaryOperator operator, Expr operand) implements Expr {}

  /**
   * {@code ++x}, {@code x--}.
   *
   * @param by 1 or -1
   * @param before whether the value is the one before the step
   */
  record Step(Span span, Expr operand, int by, boolean before) implements Expr {}

  record Binary(Span span, BinaryOperator operator, Expr left, Expr right) implements Expr {}

  /** {@code target = value}, or with an operator {@code target += value}. */
  record Assign(Span span, Optional<BinaryOperator> operator, Expr target, Expr value)
      implements Expr {}

  record Conditional(Span span, Expr test, Expr then, Expr otherwise) implements Expr {}

  /** What a cast may do: C's as C++'s {@code static_cast}, and more. */
  enum CastForm {
    PLAIN,
    /** By what the object really is. */
    DYNAMIC,
    /** Leaves an address as it is. */
    REINTERPRET
  }

  record Cast(Span span, CastForm form, CType type, Expr operand) implements Expr {
    Cast(Span span, CType type, Expr operand) {
      this(span, CastForm.PLAIN, type, operand);
    }
  }

  /** gdb's {@code {type} address}: what stands at an address. */
  record At(Span span, CType type, Expr address) implements Expr {}

  record SizeOfType(Span span, CType type) implements Expr {}

  record SizeOf(Span span, Expr operand) implements Expr {}

  record AlignOfType(Span span, CType type) implements Expr {}

  record AlignOf(Span span, Expr operand) implements Expr {}

  record OffsetOf(Span span, CType type, String path) implements Expr {}

  record ContainerOf(Span span, Expr pointer, CType type, String path) implements Expr {}

  record PerCpu(Span span, Expr variable, Expr cpu) implements Expr {}

  record Member(Span span, Expr base, String name, boolean arrow) implements Expr {}

  /**
   * C++'s {@code object.*member} and {@code pointer->*member}.
   *
   * @param arrow whether it is a pointer
   */
  record Pointed(Span span, Expr base, Expr member, boolean arrow) implements Expr {}

  /** C++'s {@code typeid(type)} and {@code typeid(expression)}. */
  record TypeId(Span span, Expr operand) implements Expr {}

  record Index(Span span, Expr base, Expr index) implements Expr {}

  /** gdb's {@code first@count}: an array of {@code count} elements that starts at {@code first}. */
  record Slice(Span span, Expr first, Expr count) implements Expr {}

  /** gdb's {@code parameter@entry}: what the caller passed. */
  record AtEntry(Span span, String name) implements Expr {}

  record Call(Span span, Expr function, List<Expr> arguments) implements Expr {}

  /** An operand that was computed before. */
  record Known(Span span, Value value) implements Expr {}

  /** The expressions that it is made of, from left to right. */
  default List<Expr> parts() {
    return switch (this) {
      case Name _,
          Number _,
          Fraction _,
          Text _,
          Quoted _,
          Scoped _,
          Dollar _,
          AtEntry _,
          TypeName _,
          SizeOfType _,
          AlignOfType _,
          OffsetOf _,
          Known _ ->
          List.of();
      case Imaginary i -> List.of(i.number());
      case Unary u -> List.of(u.operand());
      case Step s -> List.of(s.operand());
      case Binary b -> List.of(b.left(), b.right());
      case Assign a -> List.of(a.target(), a.value());
      case Conditional c -> List.of(c.test(), c.then(), c.otherwise());
      case Cast c -> List.of(c.operand());
      case At a -> List.of(a.address());
      case SizeOf s -> List.of(s.operand());
      case AlignOf a -> List.of(a.operand());
      case ContainerOf c -> List.of(c.pointer());
      case PerCpu p -> List.of(p.variable(), p.cpu());
      case Member m -> List.of(m.base());
      case Pointed p -> List.of(p.base(), p.member());
      case TypeId t -> List.of(t.operand());
      case Index i -> List.of(i.base(), i.index());
      case Slice s -> List.of(s.first(), s.count());
      case Call c -> {
        var all = new ArrayList<Expr>(List.of(c.function()));
        all.addAll(c.arguments());
        yield all;
      }
    };
  }

  /** The operators before their operand. */
  enum UnaryOperator {
    PLUS("+"),
    MINUS("-"),
    COMPLEMENT("~"),
    NOT("!"),
    DEREFERENCE("*"),
    ADDRESS("&");

    private final String text;

    UnaryOperator(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /** The operators between two operands; a higher precedence binds tighter. */
  enum BinaryOperator {
    COMMA(",", 1),
    OR("||", 3),
    AND("&&", 4),
    BIT_OR("|", 5),
    BIT_XOR("^", 6),
    BIT_AND("&", 7),
    EQUAL("==", 8),
    NOT_EQUAL("!=", 8),
    LESS("<", 9),
    GREATER(">", 9),
    LESS_EQUAL("<=", 9),
    GREATER_EQUAL(">=", 9),
    SHIFT_LEFT("<<", 10),
    SHIFT_RIGHT(">>", 10),
    SLICE("@", 11),
    ADD("+", 12),
    SUBTRACT("-", 12),
    MULTIPLY("*", 13),
    DIVIDE("/", 13),
    REMAINDER("%", 13),
    /** C++'s {@code object.*member}; see {@link Pointed}. */
    POINTED(".*", 14),
    /** C++'s {@code pointer->*member}. */
    POINTED_BEHIND("->*", 14);

    private final String text;
    private final int precedence;

    BinaryOperator(String text, int precedence) {
      this.text = text;
      this.precedence = precedence;
    }

    public String text() {
      return text;
    }

    public int precedence() {
      return precedence;
    }
  }
}
