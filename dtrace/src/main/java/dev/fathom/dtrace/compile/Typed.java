// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.Expr.UnaryOp;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import java.util.List;
import java.util.OptionalLong;

/**
 * An expression whose names are resolved and whose types are checked, in terms of D: conversions
 * are explicit, places are still places. A place where a value is wanted is read. What is constant
 * is folded when it is made.
 */
sealed interface Typed {
  CType type();

  record Int(CType type, long value) implements Typed {}

  /** A structure or union of zeros. */
  record Nothing(CType type) implements Typed {}

  /** A string constant, a {@code char} per byte. */
  record Text(String bytes) implements Typed {
    @Override
    public CType type() {
      return DTypes.STRING;
    }
  }

  record BuiltinValue(CType type, Builtin builtin) implements Typed {}

  /** The probe's argument of that number, as 64 bits. */
  record Argument(CType type, int index) implements Typed {}

  record Register(Typed index) implements Typed {
    @Override
    public CType type() {
      return DTypes.ULONG;
    }
  }

  /** The low bytes of a number, as many as {@code type} has, extended as it is signed. */
  record Narrow(CType type, Typed value) implements Typed {}

  /** The same bits under another type. */
  record Retyped(CType type, Typed value) implements Typed {}

  record Unary(CType type, UnaryOp op, Typed operand) implements Typed {}

  record Binary(CType type, BinaryOp op, Typed left, Typed right) implements Typed {}

  /** {@code &&} or {@code ||}. */
  record Logical(boolean and, Typed left, Typed right) implements Typed {
    @Override
    public CType type() {
      return DTypes.INT;
    }
  }

  record CompareStrings(BinaryOp op, Typed left, Typed right) implements Typed {
    @Override
    public CType type() {
      return DTypes.INT;
    }
  }

  record Conditional(CType type, Typed test, Typed yes, Typed no) implements Typed {}

  record Sequence(Typed first, Typed second) implements Typed {
    @Override
    public CType type() {
      return second.type();
    }
  }

  /** The string at an address. */
  record StringAt(Space space, int limit, Typed address) implements Typed {
    @Override
    public CType type() {
      return DTypes.STRING;
    }
  }

  /** The string inside a value that is no number. */
  record StringIn(Typed whole, Typed offset, int limit) implements Typed {
    @Override
    public CType type() {
      return DTypes.STRING;
    }
  }

  /** Bytes at an address: a whole array or structure. */
  record Bytes(CType type, Space space, int bytes, Typed address) implements Typed {}

  /** {@code count} bytes at an address, at most {@code limit}. */
  record Counted(int limit, Typed count, Typed address) implements Typed {
    @Override
    public CType type() {
      return new ArrayType(() -> DTypes.CHAR, OptionalLong.of(limit));
    }
  }

  record Call(CType type, Subroutine subroutine, List<Typed> arguments, Span at) implements Typed {
    public Call {
      arguments = List.copyOf(arguments);
    }
  }

  record KernelStack(int frames) implements Typed {
    @Override
    public CType type() {
      return DTypes.STACK;
    }
  }

  record UserStack(int frames) implements Typed {
    @Override
    public CType type() {
      return DTypes.USTACK;
    }
  }

  /** An address of the process on the CPU, with that process's id. */
  record UserAddress(CType type, Typed address) implements Typed {}

  // Places

  /** A D variable, or an element of one. */
  record Variable(CType type, int id, List<Typed> keys) implements Typed {
    public Variable {
      keys = List.copyOf(keys);
    }
  }

  /**
   * Something in memory.
   *
   * @param bitOffset of a bit-field, from {@code address}
   * @param bits the width of a bit-field, else 0
   * @param symbol a kernel symbol itself, which D may not assign to
   */
  record Memory(CType type, Typed address, Space space, int bitOffset, int bits, boolean symbol)
      implements Typed {
    Memory(CType type, Typed address, Space space) {
      this(type, address, space, 0, 0, false);
    }
  }

  /**
   * A member or element of a structure, union or array that is a D variable (then it is a place) or
   * a value.
   *
   * @param offset in bytes
   */
  record Part(CType type, Typed whole, Typed offset, int bitOffset, int bits) implements Typed {}

  // What changes places

  /**
   * Stores {@code value}, in which {@link Old} is what {@code place} held. Keys and address of the
   * place are evaluated once.
   *
   * @param after the result is what the place held before
   */
  record Update(Typed place, Typed value, boolean after) implements Typed {
    @Override
    public CType type() {
      return value.type();
    }
  }

  record Old(CType type) implements Typed {}

  // What has no value by itself

  /** A translated structure: members are computed when they are named. */
  record Translated(CType type, Scope.Translator translator, Typed input) implements Typed {}

  /** An associative array without its keys, or a built-in array. */
  record Array(CType type, String name) implements Typed {}

  /** What {@code v} is made of, in order of evaluation. */
  static List<Typed> parts(Typed v) {
    return switch (v) {
      case Int _,
          Nothing _,
          Text _,
          BuiltinValue _,
          Argument _,
          KernelStack _,
          UserStack _,
          Old _,
          Array _ ->
          List.of();
      case Register r -> List.of(r.index());
      case Narrow n -> List.of(n.value());
      case Retyped r -> List.of(r.value());
      case Unary u -> List.of(u.operand());
      case Binary b -> List.of(b.left(), b.right());
      case Logical l -> List.of(l.left(), l.right());
      case CompareStrings c -> List.of(c.left(), c.right());
      case Conditional c -> List.of(c.test(), c.yes(), c.no());
      case Sequence s -> List.of(s.first(), s.second());
      case StringAt s -> List.of(s.address());
      case StringIn s -> List.of(s.whole(), s.offset());
      case Bytes b -> List.of(b.address());
      case Counted c -> List.of(c.count(), c.address());
      case Call c -> c.arguments();
      case UserAddress u -> List.of(u.address());
      case Variable x -> x.keys();
      case Memory m -> List.of(m.address());
      case Part p -> List.of(p.whole(), p.offset());
      case Update u -> List.of(u.place(), u.value());
      case Translated t -> List.of(t.input());
    };
  }

  // Makers that fold

  static Typed number(CType type, long value) {
    return new Int(type, value);
  }

  static Typed narrow(Typed v, CType type) {
    int bits = (int) (type.resolved().bytes() * 8);
    if (v instanceof Int i) {
      return new Int(
          type, bits >= 64 || bits <= 0 ? i.value() : Codes.extend(i.value(), bits, sign(type)));
    }
    if (v instanceof Narrow n && n.type().equals(type)) {
      return n;
    }
    return bits >= 64 || bits <= 0 ? retyped(v, type) : new Narrow(type, v);
  }

  private static boolean sign(CType type) {
    return DTypes.isSigned(type);
  }

  static Typed retyped(Typed v, CType type) {
    return switch (v) {
      case Int i -> new Int(type, i.value());
      case Retyped r -> new Retyped(type, r.value());
      default -> v.type().equals(type) ? v : new Retyped(type, v);
    };
  }

  static Typed unary(CType type, UnaryOp op, Typed operand) {
    return operand instanceof Int i
        ? new Int(type, Codes.compute(op, i.value()))
        : new Unary(type, op, operand);
  }

  static Typed binary(CType type, BinaryOp op, Typed left, Typed right) {
    if (left instanceof Int a && right instanceof Int b && !Codes.byZero(op, b.value())) {
      return new Int(type, Codes.compute(op, a.value(), b.value()));
    }
    return new Binary(type, op, left, right);
  }

  /** Whether {@code v} is the constant 0. */
  static boolean isZero(Typed v) {
    return v instanceof Int i && i.value() == 0;
  }
}
