// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.Expr.UnaryOp;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.ir.VariableMemory;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Types operators: what they take, what they convert, what they yield; and what they define. */
final class Operators {
  private static final Set<String> OF_INTEGERS = Set.of("&", "|", "^", "<<", ">>", "%");

  /** As many as DTrace has registers for keys. */
  private static final int MOST_KEYS = 8;

  private final Typer typer;

  Operators(Typer typer) {
    this.typer = typer;
  }

  private RuntimeException error(Span at, Tag tag, String detail) {
    return typer.error(at, tag, detail);
  }

  // With one operand

  Typed prefix(Node.Prefix p) {
    switch (p.op()) {
      case "++", "--" -> {
        return step(p.op(), p.operand(), false, p.span());
      }
      case "&" -> {
        return address(p);
      }
      case "*" -> {
        return dereference(typer.value(p.operand()), p.span());
      }
      case "!" -> {
        var operand = typer.scalar(p.operand(), Tag.D_OP_SCALAR, "operand of '!'");
        return Typed.unary(DTypes.INT, UnaryOp.NOT, operand);
      }
      default -> {
        var v = typer.value(p.operand());
        if (!DTypes.isInteger(v.type())) {
          throw error(
              p.span(),
              p.op().equals("~") ? Tag.D_OP_INT : Tag.D_OP_ARITH,
              "operand of '" + p.op() + "' must be an integer, not " + DTypes.text(v.type()));
        }
        var type = DTypes.promote(v.type());
        var promoted = operand(v, type);
        if (p.op().equals("+")) {
          return promoted;
        }
        var op = p.op().equals("-") ? UnaryOp.NEGATE : UnaryOp.COMPLEMENT;
        return Typed.unary(type, op, promoted);
      }
    }
  }

  private Typed address(Node.Prefix p) {
    var o = typer.operand(p.operand());
    return switch (o) {
      case Typed.Memory m -> {
        if (m.bits() > 0) {
          throw error(p.span(), Tag.D_ADDROF_BITFIELD, "a bit-field has no address");
        }
        yield Typed.retyped(m.address(), typer.types().pointerTo(m.type()));
      }
      case Typed.Variable _, Typed.Array _ -> throw noAddress(p.span());
      case Typed.Part q when q.whole() instanceof Typed.Variable v -> {
        if (q.bits() > 0) {
          throw error(p.span(), Tag.D_ADDROF_BITFIELD, "a bit-field has no address");
        }
        yield within(v, q.offset(), typer.types().pointerTo(q.type()))
            .orElseThrow(() -> noAddress(p.span()));
      }
      default ->
          throw error(p.span(), Tag.D_ADDROF_LVAL, "operand of '&' must be something in memory");
    };
  }

  private RuntimeException noAddress(Span at) {
    return error(
        at,
        Tag.D_ADDROF_VAR,
        "a D variable has no address; only the target's memory has, and what is in a global"
            + " array or structure");
  }

  /** The address of what is in a global variable that is no associative array. */
  private Optional<Typed> within(Typed.Variable v, Typed offset, CType type) {
    if (!v.keys().isEmpty() || !typer.scope().isGlobal(v.id())) {
      return Optional.empty();
    }
    var start = new Typed.Int(DTypes.ULONG, VariableMemory.address(v.id()));
    return Optional.of(
        Typed.retyped(Typed.binary(DTypes.ULONG, BinaryOp.ADD, start, offset), type));
  }

  /** An array as a pointer to its first element, where it is a global variable. */
  Optional<Typed> decayed(Typed v, CType pointer) {
    return v instanceof Typed.Variable variable
            && v.type().resolved() instanceof ArrayType array
            && compatible(pointer, typer.types().pointerTo(array.element()))
        ? within(variable, new Typed.Int(DTypes.LONG, 0), pointer)
        : Optional.empty();
  }

  Typed dereference(Typed v, Span at) {
    if (!(v.type().resolved() instanceof PointerType pointer)) {
      throw error(
          at, Tag.D_DEREF_NONPTR, "operand of '*' must be a pointer, not " + DTypes.text(v.type()));
    }
    var target = pointer.target();
    if (DTypes.isVoid(target)) {
      throw error(
          at, Tag.D_DEREF_VOID, "a void pointer points to nothing that has a type; cast it");
    }
    if (target.resolved() instanceof FunctionType) {
      throw error(at, Tag.D_DEREF_FUNC, "a function pointer cannot be dereferenced");
    }
    return new Typed.Memory(target, v, Space.KERNEL);
  }

  /** {@code ++} and {@code --}. */
  Typed step(String op, Node target, boolean after, Span at) {
    var place = stepped(target, at);
    if (!DTypes.isScalar(place.type())) {
      throw error(
          at,
          Tag.D_OP_SCALAR,
          "operand of '"
              + op
              + "' must be a number or a pointer, not "
              + DTypes.text(place.type()));
    }
    var type = place.type();
    long by = type.resolved() instanceof PointerType p ? Math.max(1, p.target().bytes()) : 1;
    var next =
        Typed.narrow(
            Typed.binary(
                type,
                op.equals("++") ? BinaryOp.ADD : BinaryOp.SUBTRACT,
                new Typed.Old(type),
                new Typed.Int(DTypes.LONG, by)),
            type);
    return update(place, next, after, at);
  }

  // Assignment

  Typed assign(Node.Assign a) {
    if (a.target() instanceof Node.AggregationRef) {
      throw error(a.span(), Tag.D_AGG_FUNC, "an aggregation is fed by a statement of its own");
    }
    if (a.op().isEmpty()) {
      var v = typer.value(a.value());
      var target = target(a.target(), v, a.span());
      if (DTypes.isArray(target.type()) && DTypes.isArray(v.type())) {
        throw error(
            a.span(),
            Tag.D_OP_ARRFUN,
            "an array is assigned to by its elements: " + DTypes.text(target.type()));
      }
      if (Typed.isZero(v) && isDynamic(target) && DTypes.isComposite(target.type())) {
        return update(target, new Typed.Nothing(target.type()), false, a.span());
      }
      return update(target, typer.convert(v, target.type(), a.span()), false, a.span());
    }
    var place = stepped(a.target(), a.span());
    var right = typer.value(a.value());
    var old = typer.load(place, a.span()).type();
    var result = arithmetic(a.op(), new Typed.Old(old), right, a.value(), a.span());
    return update(place, typer.convert(result, place.type(), a.span()), false, a.span());
  }

  /** Whether something is there only while it is not 0. */
  private static boolean isDynamic(Typed place) {
    return place instanceof Typed.Variable v && !v.keys().isEmpty();
  }

  /** Something that D may assign to and reads before; a new variable begins as a 64-bit zero. */
  private Typed stepped(Node node, Span at) {
    return target(node, new Typed.Int(DTypes.LONG, 0), at);
  }

  /** What is assigned to, defined by the value that is assigned if nothing has defined it. */
  private Typed target(Node target, Typed v, Span at) {
    if (target instanceof Node.Index i && undefined(i.base()).isPresent()) {
      var d = undefined(i.base()).get();
      requireDefinable(v, at);
      if (i.indexes().size() > MOST_KEYS) {
        throw error(
            at,
            Tag.D_PROTO_LEN,
            i.indexes().size() + " keys; an associative array has at most " + MOST_KEYS);
      }
      var keys = i.indexes().stream().map(typer::arrayKey).toList();
      if (d.scope() == DVariable.Scope.CLAUSE) {
        throw error(at, Tag.D_ARR_LOCAL, "a clause-local variable cannot be an associative array");
      }
      typer.scope().define(d, v.type(), keys.stream().map(Typed::type).toList(), true, at);
      return new Typed.Variable(d.type(), d.id(), keys);
    }
    if (undefined(target).isPresent()) {
      var d = undefined(target).get();
      requireDefinable(v, at);
      typer.scope().define(d, v.type(), List.of(), false, at);
      return new Typed.Variable(d.type(), d.id(), List.of());
    }
    return writable(typer.operand(target), at);
  }

  /** The variable that a name brings about. */
  private Optional<Scope.Declared> undefined(Node node) {
    return (node instanceof Node.Name || node instanceof Node.Scoped)
            && typer.resolver().meaning(node) instanceof Meaning.Variable v
            && !v.declared().isDefined()
        ? Optional.of(v.declared())
        : Optional.empty();
  }

  private void requireDefinable(Typed v, Span at) {
    if (DTypes.isVoid(v.type())) {
      throw error(at, Tag.D_OP_VFPTR, "a value of type void cannot be assigned");
    }
  }

  private Typed writable(Typed o, Span at) {
    return switch (o) {
      case Typed.Variable v -> v;
      case Typed.Part p when p.whole() instanceof Typed.Variable -> p;
      case Typed.Memory m -> {
        if (m.symbol()) {
          throw error(at, Tag.D_OP_WRITE, "a kernel symbol cannot be assigned to");
        }
        yield m;
      }
      case Typed.BuiltinValue _, Typed.Argument _ ->
          throw error(at, Tag.D_OP_WRITE, "a built-in variable cannot be assigned to");
      case Typed.Translated _ ->
          throw error(at, Tag.D_OP_LVAL, "a translated structure cannot be assigned to");
      case Typed.Array a ->
          throw error(
              at, Tag.D_OP_DYN, "'" + a.name() + "' is an array; expected " + a.name() + "[...]");
      default ->
          throw error(at, Tag.D_OP_LVAL, "what is assigned to must be a variable or in memory");
    };
  }

  private Typed update(Typed place, Typed value, boolean after, Span at) {
    if (place instanceof Typed.Memory m
        && (!DTypes.isScalar(m.type()) || m.space() == Space.USER)) {
      throw error(
          at,
          Tag.D_OP_LVAL,
          "only numbers can be stored to memory, not " + DTypes.text(m.type()) + "; use bcopy()");
    }
    if (place instanceof Typed.Part p && DTypes.isString(p.type())) {
      throw error(
          at,
          Tag.D_OP_LVAL,
          "a member of type " + DTypes.text(p.type()) + " cannot be assigned to on its own");
    }
    return new Typed.Update(place, value, after);
  }

  // With two operands

  Typed infix(Node.Infix i) {
    switch (i.op()) {
      case "&&", "||", "^^" -> {
        var what = "operand of '" + i.op() + "'";
        var left = typer.scalar(i.left(), Tag.D_OP_SCALAR, what);
        var right = typer.scalar(i.right(), Tag.D_OP_SCALAR, what);
        return i.op().equals("^^")
            ? Typed.binary(
                DTypes.INT,
                BinaryOp.NOT_EQUAL,
                Typed.unary(DTypes.INT, UnaryOp.NOT, left),
                Typed.unary(DTypes.INT, UnaryOp.NOT, right))
            : new Typed.Logical(i.op().equals("&&"), left, right);
      }
      case "==", "!=", "<", "<=", ">", ">=" -> {
        return compare(i);
      }
      default -> {
        return arithmetic(
            i.op(), typer.value(i.left()), typer.value(i.right()), i.right(), i.span());
      }
    }
  }

  private Typed compare(Node.Infix i) {
    var left = typer.operand(i.left());
    var right = typer.operand(i.right());
    boolean strings =
        DTypes.isStringLike(left.type())
            && DTypes.isStringLike(right.type())
            && (DTypes.isString(left.type()) || DTypes.isString(right.type()));
    boolean swap = i.op().startsWith(">");
    var what = "operand of '" + i.op() + "'";
    if (strings) {
      var a = typer.string(left, i.left().span(), Tag.D_OP_INCOMPAT, what);
      var b = typer.string(right, i.right().span(), Tag.D_OP_INCOMPAT, what);
      var op = relation(i.op(), true);
      return swap ? new Typed.CompareStrings(op, b, a) : new Typed.CompareStrings(op, a, b);
    }
    var a = typer.load(left, i.left().span());
    var b = typer.load(right, i.right().span());
    boolean equality = i.op().equals("==") || i.op().equals("!=");
    if (equality
        && (isNull(a) ? DTypes.isString(b.type()) : isNull(b) && DTypes.isString(a.type()))) {
      // A string that is not there is an empty one.
      return new Typed.CompareStrings(
          relation(i.op(), true), isNull(a) ? b : a, new Typed.Text(""));
    }
    if (!DTypes.isScalar(a.type()) || !DTypes.isScalar(b.type())) {
      throw error(
          i.span(),
          Tag.D_OP_INCOMPAT,
          "operator '"
              + i.op()
              + "' does not compare "
              + DTypes.text(a.type())
              + " with "
              + DTypes.text(b.type()));
    }
    var pair = converted(a, b);
    var op = relation(i.op(), DTypes.isSigned(pair.type()));
    return swap
        ? Typed.binary(DTypes.INT, op, pair.right(), pair.left())
        : Typed.binary(DTypes.INT, op, pair.left(), pair.right());
  }

  private static boolean isNull(Typed v) {
    return Typed.isZero(v) && DTypes.isPointer(v.type());
  }

  private static BinaryOp relation(String op, boolean signed) {
    return switch (op) {
      case "==" -> BinaryOp.EQUAL;
      case "!=" -> BinaryOp.NOT_EQUAL;
      case "<", ">" -> signed ? BinaryOp.LESS : BinaryOp.LESS_UNSIGNED;
      default -> signed ? BinaryOp.LESS_EQUAL : BinaryOp.LESS_EQUAL_UNSIGNED;
    };
  }

  private record Pair(Typed left, Typed right, CType type) {}

  /**
   * Both operands by the usual arithmetic conversions; a pointer is an unsigned number. As in
   * DTrace, which computes in 64 bits, what is of the type already is not cut to its size: {@code
   * (1 << 63) - 1} and the sum of a product of two ints are what they would be without limits. What
   * is stored, recorded, cast or used as a key is cut.
   */
  private static Pair converted(Typed a, Typed b) {
    var type =
        DTypes.isPointer(a.type()) || DTypes.isPointer(b.type())
            ? DTypes.ULONG
            : DTypes.common(a.type(), b.type());
    return new Pair(operand(a, type), operand(b, type), type);
  }

  /** A number as it is kept: what was computed in 64 bits is cut to its type's size. */
  Typed cut(Typed v) {
    boolean computed =
        switch (v) {
          case Typed.Binary _,
              Typed.Unary _,
              Typed.Conditional _,
              Typed.Sequence _,
              Typed.Retyped _,
              Typed.Int _ ->
              true;
          default -> false;
        };
    return computed && DTypes.isInteger(v.type()) ? Typed.narrow(v, v.type()) : v;
  }

  private static Typed operand(Typed v, CType type) {
    boolean same =
        v.type().resolved().bytes() == type.resolved().bytes()
            && DTypes.isSigned(v.type()) == DTypes.isSigned(type);
    return same ? Typed.retyped(v, type) : Typed.narrow(v, type);
  }

  /** A string and a number: what is left of it behind so many bytes, as if it were a pointer. */
  private static Typed rest(Typed text, Typed bytes, Span at) {
    var all = new Typed.Int(DTypes.LONG, Long.MAX_VALUE);
    return new Typed.Call(DTypes.STRING, Subroutine.SUBSTR, List.of(text, bytes, all), at);
  }

  private Typed arithmetic(String op, Typed left, Typed right, Node rightNode, Span at) {
    boolean additive = op.equals("+") || op.equals("-");
    if (additive && (DTypes.isPointer(left.type()) || DTypes.isPointer(right.type()))) {
      return pointerArithmetic(op, left, right, at);
    }
    if (op.equals("+") && DTypes.isString(left.type()) && DTypes.isInteger(right.type())) {
      return rest(left, right, at);
    }
    if (op.equals("+") && DTypes.isString(right.type()) && DTypes.isInteger(left.type())) {
      return rest(right, left, at);
    }
    for (var v : List.of(left, right)) {
      if (!DTypes.isInteger(v.type())) {
        throw error(
            at,
            OF_INTEGERS.contains(op) ? Tag.D_OP_INT : Tag.D_OP_ARITH,
            "operands of '" + op + "' must be integers, not " + DTypes.text(v.type()));
      }
    }
    if (op.equals("<<") || op.equals(">>")) {
      var type = DTypes.promote(left.type());
      var ir =
          op.equals("<<")
              ? BinaryOp.SHIFT_LEFT
              : DTypes.isSigned(type) ? BinaryOp.SHIFT_RIGHT : BinaryOp.SHIFT_RIGHT_UNSIGNED;
      return Typed.binary(type, ir, operand(left, type), right);
    }
    if ((op.equals("/") || op.equals("%")) && Typed.isZero(right)) {
      throw error(rightNode.span(), Tag.D_DIV_ZERO, "division by zero");
    }
    var pair = converted(left, right);
    boolean signed = DTypes.isSigned(pair.type());
    var ir =
        switch (op) {
          case "+" -> BinaryOp.ADD;
          case "-" -> BinaryOp.SUBTRACT;
          case "*" -> BinaryOp.MULTIPLY;
          case "/" -> signed ? BinaryOp.DIVIDE : BinaryOp.DIVIDE_UNSIGNED;
          case "%" -> signed ? BinaryOp.REMAINDER : BinaryOp.REMAINDER_UNSIGNED;
          case "&" -> BinaryOp.AND;
          case "|" -> BinaryOp.OR;
          default -> BinaryOp.XOR;
        };
    return Typed.binary(pair.type(), ir, pair.left(), pair.right());
  }

  Typed pointerArithmetic(String op, Typed left, Typed right, Span at) {
    boolean both = DTypes.isPointer(left.type()) && DTypes.isPointer(right.type());
    boolean leftPoints = DTypes.isPointer(left.type());
    var pointer = leftPoints ? left : right;
    var target = ((PointerType) pointer.type().resolved()).target();
    long size = Math.max(1, target.bytes());
    if (target.resolved() instanceof OpaqueType) {
      throw error(at, Tag.D_OP_INCOMPLETE, "the size of " + DTypes.text(target) + " is not known");
    }
    if (DTypes.isVoid(target)) {
      throw disagree(op, left, right, at); // What it points to has no size.
    }
    if (both) {
      if (op.equals("+") || !compatible(left.type(), right.type())) {
        throw disagree(op, left, right, at);
      }
      return Typed.binary(
          DTypes.LONG,
          BinaryOp.DIVIDE,
          Typed.binary(DTypes.LONG, BinaryOp.SUBTRACT, left, right),
          new Typed.Int(DTypes.LONG, size));
    }
    var number = leftPoints ? right : left;
    if (!DTypes.isInteger(number.type()) || (op.equals("-") && !leftPoints)) {
      throw disagree(op, left, right, at);
    }
    var bytes =
        Typed.binary(DTypes.LONG, BinaryOp.MULTIPLY, number, new Typed.Int(DTypes.LONG, size));
    return Typed.binary(
        pointer.type(), op.equals("+") ? BinaryOp.ADD : BinaryOp.SUBTRACT, pointer, bytes);
  }

  private RuntimeException disagree(String op, Typed left, Typed right, Span at) {
    return error(
        at,
        Tag.D_OP_INCOMPAT,
        "operator '"
            + op
            + "' does not go with "
            + DTypes.text(left.type())
            + " and "
            + DTypes.text(right.type()));
  }

  /** Whether two pointers may stand for each other. */
  static boolean compatible(CType a, CType b) {
    var x = ((PointerType) a.resolved()).target();
    var y = ((PointerType) b.resolved()).target();
    return DTypes.isVoid(x) || DTypes.isVoid(y) || DTypes.same(x, y);
  }

  // Conversions that are written

  Typed toInteger(Typed v, CType type) {
    return type.resolved() instanceof BoolType
        ? Typed.binary(type, BinaryOp.NOT_EQUAL, v, new Typed.Int(DTypes.INT, 0))
        : Typed.narrow(v, type);
  }

  Typed ternary(Node.Ternary t) {
    var test = typer.scalar(t.test(), Tag.D_OP_SCALAR, "condition of '?:'");
    var yes = typer.operand(t.yes());
    var no = typer.operand(t.no());
    if ((DTypes.isString(yes.type()) && DTypes.isStringLike(no.type()))
        || (DTypes.isString(no.type()) && DTypes.isStringLike(yes.type()))) {
      return new Typed.Conditional(
          DTypes.STRING,
          test,
          typer.string(yes, t.yes().span(), Tag.D_OP_INCOMPAT, "operand of '?:'"),
          typer.string(no, t.no().span(), Tag.D_OP_INCOMPAT, "operand of '?:'"));
    }
    var a = typer.load(yes, t.yes().span());
    var b = typer.load(no, t.no().span());
    if (DTypes.isInteger(a.type()) && DTypes.isInteger(b.type())) {
      var pair = converted(a, b);
      return new Typed.Conditional(pair.type(), test, pair.left(), pair.right());
    }
    if (DTypes.isVoid(a.type()) && DTypes.isVoid(b.type())) {
      return new Typed.Conditional(a.type(), test, a, b);
    }
    if (DTypes.isPointer(a.type()) && !DTypes.isVoid(b.type())) {
      return new Typed.Conditional(a.type(), test, a, typer.convert(b, a.type(), t.span()));
    }
    if (DTypes.isPointer(b.type()) && !DTypes.isVoid(a.type())) {
      return new Typed.Conditional(b.type(), test, typer.convert(a, b.type(), t.span()), b);
    }
    if (DTypes.same(a.type(), b.type())
        && DTypes.irType(a.type()).equals(DTypes.irType(b.type()))) {
      return new Typed.Conditional(a.type(), test, a, b);
    }
    throw error(
        t.span(),
        Tag.D_OP_INCOMPAT,
        "the sides of '?:' are of types "
            + DTypes.text(a.type())
            + " and "
            + DTypes.text(b.type()));
  }

  Typed cast(Node.Cast c) {
    var type = typer.types().resolve(c.type());
    var o = typer.operand(c.operand());
    if (DTypes.isString(type)) {
      return typer.string(o, c.span(), Tag.D_CAST_INVAL, "what is cast to string");
    }
    var v = typer.load(o, c.operand().span());
    if (DTypes.isVoid(type)) {
      return new Typed.Retyped(type, v);
    }
    if (DTypes.isInteger(type) && DTypes.isScalar(v.type())) {
      return toInteger(v, type);
    }
    if ((DTypes.isPointer(type) && DTypes.isScalar(v.type()))
        || (DTypes.same(type, v.type()) && !DTypes.isSpecial(v.type()))) {
      return Typed.retyped(v, type);
    }
    throw error(
        c.span(),
        Tag.D_CAST_INVAL,
        "a value of type " + DTypes.text(v.type()) + " cannot be cast to " + DTypes.text(type));
  }
}
