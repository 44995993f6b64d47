// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import java.util.OptionalLong;

/**
 * Evaluates C expressions. Memory is read only where C would read it, so {@code &p->x} reads {@code
 * p} alone.
 */
final class Evaluator {
  /** The longest string that is compared. */
  private static final int STRING_LIMIT = 4096;

  private final Scope scope;
  private final Program program;

  Evaluator(Scope scope) {
    this.scope = scope;
    this.program = scope.program();
  }

  Value value(Expr e) {
    return switch (e) {
      case Expr.Number n -> new Value.Imm(program, n.type(), n.value());
      case Expr.Text t ->
          throw new EvalException(
              t.span(), "a string cannot be evaluated in a target that does not run");
      case Expr.Name n -> name(n);
      case Expr.Dollar d -> dollar(d);
      case Expr.Unary u -> unary(u);
      case Expr.Binary b -> binary(b);
      case Expr.Conditional c -> value(truth(c.test()) ? c.then() : c.otherwise());
      case Expr.Cast c -> cast(c);
      case Expr.SizeOfType s -> size(s, s.type());
      case Expr.SizeOf s -> size(s, value(s.operand()).type());
      case Expr.OffsetOf o ->
          new Value.Imm(program, CTypes.UNSIGNED_LONG, offset(o.type(), o.path()));
      case Expr.ContainerOf c ->
          new Value.Imm(
              program,
              program.types().pointerTo(c.type()),
              number(c.pointer()) - offset(c.type(), c.path()));
      case Expr.PerCpu p -> perCpu(p);
      case Expr.Member m -> member(m);
      case Expr.Index i -> index(i);
      case Expr.Slice s -> slice(s);
      case Expr.Call c ->
          throw new UnsupportedException(
              "calling a function needs a live target (column " + column(c) + ")");
    };
  }

  private Value name(Expr.Name n) {
    var found = scope.variable(n.name());
    if (found.isPresent()) {
      return found.get();
    }
    var enumerator = enumerator(n.name());
    if (enumerator != null) {
      return enumerator;
    }
    int common = Math.max(1, n.name().length() * 2 / 3);
    throw new LookupException(
        "symbol", n.name(), program.symbols().completions(n.name().substring(0, common), 3));
  }

  private Value enumerator(String name) {
    for (var source : program.types().sources()) {
      try (var all = source.stream()) {
        for (var type : (Iterable<CType>) all::iterator) {
          if (type instanceof EnumType e) {
            for (var item : e.enumerators()) {
              if (item.name().equals(name)) {
                return new Value.Imm(program, e, item.value());
              }
            }
          }
        }
      }
    }
    return null;
  }

  private Value dollar(Expr.Dollar d) {
    return scope
        .dollar(d.name())
        .orElseThrow(() -> new LookupException("register or variable", "$" + d.name()));
  }

  private Value unary(Expr.Unary u) {
    return switch (u.operator()) {
      case ADDRESS -> address(u);
      case DEREFERENCE -> dereference(u, decayed(u.operand()));
      case NOT -> new Value.Imm(program, CTypes.INT, truth(u.operand()) ? 0 : 1);
      case PLUS, MINUS, COMPLEMENT -> {
        var operand = decayed(u.operand());
        var type = CTypes.promote(operand.type(), u.operand());
        long bits = operand.asLong();
        long result =
            switch (u.operator()) {
              case MINUS -> -bits;
              case COMPLEMENT -> ~bits;
              case PLUS, NOT, DEREFERENCE, ADDRESS -> bits;
            };
        yield new Value.Imm(program, type, CTypes.fit(result, type));
      }
    };
  }

  private Value address(Expr.Unary u) {
    var operand = value(u.operand());
    if (!(operand instanceof Value.Ref ref)) {
      throw new EvalException(u.span(), "a number has no address (column " + column(u) + ")");
    }
    if (ref.bitSize() != 0) {
      throw new EvalException(u.span(), "a bit-field has no address (column " + column(u) + ")");
    }
    return ref.addressOf();
  }

  private Value dereference(Expr at, Value pointer) {
    if (pointer.type().resolved() instanceof PointerType p) {
      if (p.target().resolved() instanceof VoidType) {
        throw new EvalException(
            at.span(), "cannot look behind a 'void *': cast it first (column " + column(at) + ")");
      }
      return pointer.deref();
    }
    if (pointer.type().resolved() instanceof IntType) {
      // As gdb: *ADDRESS of a plain number reads a long.
      return new Value.Ref(program, CTypes.LONG, pointer.asLong());
    }
    throw new EvalException(
        at.span(), "'" + pointer.type().text() + "' is not a pointer (column " + column(at) + ")");
  }

  private Value binary(Expr.Binary b) {
    switch (b.operator()) {
      case COMMA -> {
        value(b.left());
        return value(b.right());
      }
      case AND -> {
        return flag(truth(b.left()) && truth(b.right()));
      }
      case OR -> {
        return flag(truth(b.left()) || truth(b.right()));
      }
      case EQUAL, NOT_EQUAL -> {
        boolean equal = b.operator() == Expr.BinaryOperator.EQUAL;
        if (b.right() instanceof Expr.Text text) {
          return flag(string(b.left()).equals(text.value()) == equal);
        }
        if (b.left() instanceof Expr.Text text) {
          return flag(string(b.right()).equals(text.value()) == equal);
        }
        return operands(b);
      }
      default -> {
        return operands(b);
      }
    }
  }

  /** The string in an array of characters, or that a pointer leads to, as gdb compares them. */
  private String string(Expr e) {
    var v = value(e);
    var type = v.type().resolved();
    if (type instanceof ArrayType a && v instanceof Value.Ref ref && a.element().bytes() == 1) {
      long length = Math.min(a.count().orElse(STRING_LIMIT), STRING_LIMIT);
      return program.memory().cString(ref.address(), (int) length);
    }
    if (type instanceof PointerType p && p.target().bytes() == 1) {
      return program.memory().cString(v.asLong(), STRING_LIMIT);
    }
    throw new EvalException(
        e.span(),
        "'" + v.type().text() + "' cannot be compared with a string (column " + column(e) + ")");
  }

  private Value operands(Expr.Binary b) {
    var left = decayed(b.left());
    var right = decayed(b.right());
    boolean pointers = isPointer(left) || isPointer(right);
    return pointers ? pointers(b, left, right) : numbers(b, left, right);
  }

  private Value flag(boolean value) {
    return new Value.Imm(program, CTypes.INT, value ? 1 : 0);
  }

  private Value pointers(Expr.Binary b, Value left, Value right) {
    long l = left.asLong();
    long r = right.asLong();
    return switch (b.operator()) {
      case ADD -> isPointer(left) ? moved(b, left, r, right) : moved(b, right, l, left);
      case SUBTRACT -> {
        if (!isPointer(right)) {
          yield moved(b, left, -r, right);
        }
        if (!isPointer(left)) {
          throw new EvalException(
              b.span(), "cannot subtract a pointer from a number (column " + column(b) + ")");
        }
        yield new Value.Imm(program, CTypes.LONG, (l - r) / stride(left));
      }
      case EQUAL -> flag(l == r);
      case NOT_EQUAL -> flag(l != r);
      case LESS -> flag(Long.compareUnsigned(l, r) < 0);
      case GREATER -> flag(Long.compareUnsigned(l, r) > 0);
      case LESS_EQUAL -> flag(Long.compareUnsigned(l, r) <= 0);
      case GREATER_EQUAL -> flag(Long.compareUnsigned(l, r) >= 0);
      default ->
          // As gdb: a pointer is a number for the other operators.
          numbers(b, number(left), number(right));
    };
  }

  private Value number(Value pointer) {
    return isPointer(pointer)
        ? new Value.Imm(program, CTypes.UNSIGNED_LONG, pointer.asLong())
        : pointer;
  }

  private Value moved(Expr.Binary b, Value pointer, long count, Value by) {
    if (isPointer(by)) {
      throw new EvalException(b.span(), "cannot add two pointers (column " + column(b) + ")");
    }
    return new Value.Imm(program, pointer.type(), pointer.asLong() + count * stride(pointer));
  }

  /**
   * The size of what a pointer leads to; 1 for void and functions, as gdb and the kernel's compiler
   * have it.
   */
  private static long stride(Value pointer) {
    return pointer.type().resolved() instanceof PointerType p ? Math.max(1, p.target().bytes()) : 1;
  }

  private Value numbers(Expr.Binary b, Value left, Value right) {
    var leftType = CTypes.promote(left.type(), b.left());
    var rightType = CTypes.promote(right.type(), b.right());
    long l = left.asLong();
    long r = right.asLong();
    if (b.operator() == Expr.BinaryOperator.SHIFT_LEFT
        || b.operator() == Expr.BinaryOperator.SHIFT_RIGHT) {
      return shift(b, leftType, l, r);
    }
    var type = CTypes.common(leftType, rightType);
    l = CTypes.fit(l, type);
    r = CTypes.fit(r, type);
    int order = type.signed() ? Long.compare(l, r) : Long.compareUnsigned(l, r);
    return switch (b.operator()) {
      case ADD -> imm(type, l + r);
      case SUBTRACT -> imm(type, l - r);
      case MULTIPLY -> imm(type, l * r);
      case DIVIDE ->
          imm(type, type.signed() ? l / nonZero(b, r) : Long.divideUnsigned(l, nonZero(b, r)));
      case REMAINDER ->
          imm(type, type.signed() ? l % nonZero(b, r) : Long.remainderUnsigned(l, nonZero(b, r)));
      case BIT_AND -> imm(type, l & r);
      case BIT_OR -> imm(type, l | r);
      case BIT_XOR -> imm(type, l ^ r);
      case EQUAL -> flag(l == r);
      case NOT_EQUAL -> flag(l != r);
      case LESS -> flag(order < 0);
      case GREATER -> flag(order > 0);
      case LESS_EQUAL -> flag(order <= 0);
      case GREATER_EQUAL -> flag(order >= 0);
      case COMMA, AND, OR, SLICE, SHIFT_LEFT, SHIFT_RIGHT ->
          throw new IllegalStateException("operator " + b.operator() + " is handled before");
    };
  }

  private Value shift(Expr.Binary b, IntType type, long value, long count) {
    if (count < 0 || count >= type.bytes() * 8) {
      throw new EvalException(
          b.span(),
          "shift of a "
              + type.bytes() * 8
              + "-bit number by "
              + count
              + " (column "
              + column(b)
              + ")");
    }
    boolean left = b.operator() == Expr.BinaryOperator.SHIFT_LEFT;
    return imm(type, left ? value << count : type.signed() ? value >> count : value >>> count);
  }

  private Value imm(IntType type, long bits) {
    return new Value.Imm(program, type, CTypes.fit(bits, type));
  }

  private static long nonZero(Expr.Binary b, long divisor) {
    if (divisor == 0) {
      throw new EvalException(b.span(), "division by zero (column " + column(b) + ")");
    }
    return divisor;
  }

  private Value cast(Expr.Cast c) {
    var operand = value(c.operand());
    var target = c.type().resolved();
    if (target instanceof CompositeType || target instanceof ArrayType) {
      if (operand instanceof Value.Ref) {
        return operand.as(c.type());
      }
      throw new EvalException(
          c.span(), "cannot cast a number to '" + c.type().text() + "' (column " + column(c) + ")");
    }
    long bits = decay(operand).asLong();
    return switch (target) {
      case IntType i -> new Value.Imm(program, c.type(), CTypes.fit(bits, i));
      case EnumType e -> new Value.Imm(program, c.type(), CTypes.fit(bits, e.bytes(), e.signed()));
      case BoolType _ -> new Value.Imm(program, c.type(), bits == 0 ? 0 : 1);
      case PointerType _ -> new Value.Imm(program, c.type(), bits);
      default ->
          throw new EvalException(
              c.span(), "cannot cast to '" + c.type().text() + "' (column " + column(c) + ")");
    };
  }

  private Value size(Expr e, CType type) {
    if (type.bytes() == 0
        && !(type.resolved() instanceof CompositeType)
        && !(type.resolved() instanceof ArrayType)) {
      throw new EvalException(
          e.span(), "the size of '" + type.text() + "' is not known (column " + column(e) + ")");
    }
    return new Value.Imm(program, CTypes.UNSIGNED_LONG, type.bytes());
  }

  private long offset(CType type, String path) {
    return program
        .types()
        .member(type, path)
        .orElseThrow(() -> new LookupException("member of " + type.text(), path))
        .byteOffset();
  }

  private Value perCpu(Expr.PerCpu p) {
    var variable = value(p.variable());
    long cpu = number(p.cpu());
    if (cpu < 0 || cpu > Integer.MAX_VALUE) {
      throw new EvalException(
          p.cpu().span(), "no CPU " + cpu + " (column " + column(p.cpu()) + ")");
    }
    if (variable instanceof Value.Ref ref) {
      long offset = ref.address() - shift(p.variable());
      return new Value.Ref(program, ref.type(), scope.perCpu(offset, (int) cpu));
    }
    return new Value.Imm(program, variable.type(), scope.perCpu(variable.asLong(), (int) cpu));
  }

  /** How far a per-CPU variable's instance that its name stands for is from its symbol. */
  private long shift(Expr variable) {
    var root = variable;
    for (; ; ) {
      if (root instanceof Expr.Member m && !m.arrow()) {
        root = m.base();
      } else if (root instanceof Expr.Index i) {
        root = i.base();
      } else {
        break;
      }
    }
    if (!(root instanceof Expr.Name n) || !(name(n) instanceof Value.Ref instance)) {
      return 0;
    }
    return program
        .symbols()
        .first(n.name())
        .filter(symbol -> symbol.kind() == Symbol.Kind.PER_CPU)
        .map(symbol -> instance.address() - symbol.address())
        .orElse(0L);
  }

  private Value member(Expr.Member m) {
    var base = value(m.base());
    boolean pointer = base.type().resolved() instanceof PointerType;
    if (m.arrow() && !pointer && !(base.type().resolved() instanceof ArrayType)) {
      throw new EvalException(
          m.span(),
          "'" + base.type().text() + "' is not a pointer: use '.' (column " + column(m) + ")");
    }
    // As gdb and crash: a dot after a pointer means the arrow.
    return (m.arrow() && !pointer ? base.index(0) : base).member(m.name());
  }

  private Value index(Expr.Index i) {
    var base = value(i.base());
    long index = number(i.index());
    var type = base.type().resolved();
    if (type instanceof PointerType || type instanceof ArrayType) {
      return base.index(index);
    }
    throw new EvalException(
        i.span(),
        "'"
            + base.type().text()
            + "' is neither an array nor a pointer (column "
            + column(i)
            + ")");
  }

  private Value slice(Expr.Slice s) {
    var first = value(s.first());
    long count = number(s.count());
    if (!(first instanceof Value.Ref ref)) {
      throw new EvalException(
          s.span(), "only something in memory can be repeated with '@' (column " + column(s) + ")");
    }
    if (count <= 0) {
      throw new EvalException(
          s.count().span(),
          "the count after '@' must be above 0 (column " + column(s.count()) + ")");
    }
    var element = ref.type();
    return ref.as(new ArrayType(() -> element, OptionalLong.of(count)));
  }

  /** A value as C uses it in an operator: arrays and functions become pointers. */
  private Value decayed(Expr e) {
    return decay(value(e));
  }

  private Value decay(Value v) {
    return switch (v.type().resolved()) {
      case ArrayType a when v instanceof Value.Ref ref ->
          new Value.Imm(program, program.types().pointerTo(a.element()), ref.address());
      case FunctionType _ when v instanceof Value.Ref ref ->
          new Value.Imm(program, program.types().pointerTo(v.type()), ref.address());
      default -> v;
    };
  }

  boolean truth(Expr e) {
    return number(e) != 0;
  }

  private long number(Expr e) {
    var v = decayed(e);
    if (!isPointer(v)) {
      CTypes.promote(v.type(), e);
    }
    return v.asLong();
  }

  private static boolean isPointer(Value v) {
    return v.type().resolved() instanceof PointerType;
  }

  private static int column(Expr e) {
    return e.span().start() + 1;
  }
}
