// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.base.Span;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
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
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.VoidType;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Computes C expressions as C11 section 6.5 has them, and where that leaves something open as gdb
 * does. Places in memory are not read before their value is needed.
 */
final class Evaluator {
  private static final int STRING_LIMIT = 4096;

  /** More than any register or structure that is assigned or compared as a whole. */
  static final int VALUE_LIMIT = 1 << 20;

  private final Scope scope;
  private final Program program;
  private final CTypes types;
  private final Numbers numbers;
  private final Arithmetic arithmetic;
  private final ComplexNumbers complexes;
  private final Methods methods;
  private final Functions functions;
  private final CallTargets targets;
  private final CallArguments arguments;
  private final Casts casts;
  private final ClassOperators classOperators;
  private final Assignments assignments;
  private final MemberPointers memberPointers;
  private final TypeInfos typeInfos;

  Evaluator(Scope scope) {
    this.scope = scope;
    this.program = scope.program();
    this.types = new CTypes(DataModel.of(program.types()));
    this.numbers = new Numbers(program, types);
    this.arithmetic = new Arithmetic(numbers, program, types);
    this.complexes = arithmetic.complexes();
    this.methods = new Methods(program, types);
    this.functions = new Functions(scope, types);
    this.targets = new CallTargets(scope);
    this.arguments = new CallArguments(this, program, types, numbers);
    this.casts = new Casts(this, complexes, numbers, types, program);
    this.classOperators = new ClassOperators(scope, this, arguments, numbers);
    this.assignments = new Assignments(scope, this, arithmetic, classOperators, numbers);
    this.memberPointers = new MemberPointers(this, arguments, methods, numbers, program);
    this.typeInfos = new TypeInfos(this, program, types);
  }

  Value value(Expr expression) {
    return switch (expression) {
      case Expr.Number n -> new Value.Imm(program, n.type(), n.value());
      case Expr.Fraction f -> numbers.real(f.type(), f.value());
      case Expr.Imaginary i -> complexes.constant(i, value(i.number()));
      case Expr.Text t -> text(t);
      case Expr.Quoted q -> quoted(q);
      case Expr.Name n -> name(n);
      case Expr.Scoped s -> scoped(s);
      case Expr.Dollar d -> dollar(d);
      case Expr.TypeName t -> named(t);
      case Expr.Unary u -> unary(u);
      case Expr.Step s -> assignments.step(s);
      case Expr.Binary b -> binary(b);
      case Expr.Assign a -> assignments.assign(a);
      case Expr.Conditional c -> truth(c.test()) ? value(c.then()) : value(c.otherwise());
      case Expr.Cast c -> casts.cast(c);
      case Expr.At a -> new Value.Ref(program, a.type(), number(a.address()));
      case Expr.SizeOfType s -> size(s, s.type());
      case Expr.SizeOf s -> size(s, typeOf(s.operand()));
      case Expr.AlignOfType a -> numbers.word(Alignment.of(a.type(), types.model()));
      case Expr.AlignOf a -> numbers.word(Alignment.of(typeOf(a.operand()), types.model()));
      case Expr.OffsetOf o -> numbers.word(offset(o, o.type(), o.path()));
      case Expr.ContainerOf c ->
          numbers.pointer(
              program.types().pointerTo(c.type()),
              number(c.pointer()) - offset(c, c.type(), c.path()));
      case Expr.PerCpu p -> perCpu(p);
      case Expr.Member m -> member(m);
      case Expr.Index i -> index(i);
      case Expr.Pointed p -> memberPointers.pointed(p);
      case Expr.TypeId t -> typeInfos.of(t);
      case Expr.Slice s -> slice(s);
      case Expr.AtEntry a -> within(a.span(), () -> scope.atEntry(a.name()));
      case Expr.Call c -> call(c);
      case Expr.Known k -> k.value();
    };
  }

  /** A value as an operand: what a reference refers to. */
  Value operand(Expr expression) {
    return value(expression).referred();
  }

  /** The type that an operand of {@code sizeof} has, which does nothing. */
  CType typeOf(Expr e) {
    return e instanceof Expr.TypeName t
        ? t.type()
        : new Evaluator(new WithoutEffects(scope)).operand(e).type();
  }

  // ---- constants and names

  private Value text(Expr.Text t) {
    int unit = (int) t.unit().bytes();
    var codes = unit == 2 ? t.value().chars().toArray() : t.value().codePoints().toArray();
    var bytes = new byte[(codes.length + 1) * unit];
    for (int i = 0; i < codes.length; i++) {
      for (int b = 0; b < unit; b++) {
        int to = numbers.order() == ByteOrder.LITTLE_ENDIAN ? b : unit - 1 - b;
        bytes[i * unit + to] = (byte) (codes[i] >> (8 * b));
      }
    }
    CType element = t.unit();
    var type = new ArrayType(() -> element, OptionalLong.of(codes.length + 1));
    return Value.held(program, type, bytes);
  }

  /** A symbol of that name; else, of up to four characters, what C makes of them. */
  private Value quoted(Expr.Quoted q) {
    var found =
        scope
            .variable(q.text())
            .or(
                () ->
                    program
                        .types()
                        .placed(q.text())
                        .map(p -> new Value.Ref(program, p.type(), p.address())))
            .or(() -> functions.called(q.text()));
    if (found.isPresent()) {
      return found.get();
    }
    if (q.text().length() <= 4) {
      return numbers.imm(CTypes.INT, Literals.packed(q.text()));
    }
    throw unknown(q, q.text());
  }

  private LookupException unknown(Expr e, String name) {
    return new LookupException("symbol", name, NearNames.symbols(program, name)).at(e.span());
  }

  private Value name(Expr.Name n) {
    return find(n).orElseThrow(() -> unknown(n, n.name()));
  }

  /** Looks at all names in an expression; see {@link Expressions#requireKnown}. */
  void requireKnown(Expr expression) {
    Names.in(expression)
        .filter(n -> find(n).isEmpty())
        .findFirst()
        .ifPresent(
            n -> {
              throw unknown(n, n.name());
            });
  }

  /** Whether a name is that of a value, also of one that is not there; functions are none. */
  boolean isValue(Expr name) {
    try {
      return !(value(name).type().resolved() instanceof FunctionType);
    } catch (LookupException e) {
      return false;
    } catch (FathomException e) {
      return true; // Whoever evaluates it is told.
    }
  }

  private Optional<Value> find(Expr.Name n) {
    var found = scope.variable(n.name());
    if (found.isPresent()) {
      return found;
    }
    var enumerator = ClassNames.enumerator(program, n.name());
    if (enumerator.isPresent()) {
      return enumerator;
    }
    // In a method, members of the object.
    var own =
        n.name().equals("this")
            ? Optional.<Value>empty()
            : scope
                .variable("this")
                .filter(t -> t.type().resolved() instanceof PointerType && t.has(n.name()))
                .map(t -> t.member(n.name()));
    return own.or(() -> literal(n.name()))
        .or(() -> scope.otherwise(n.name()))
        .or(() -> scope.anywhere(n.name()));
  }

  /** In C++ a variable may be called as its type is. */
  private Value named(Expr.TypeName t) {
    var name = t.type() instanceof CompositeType c ? c.name() : "";
    return Optional.of(name)
        .filter(n -> !n.isEmpty())
        .flatMap(scope::variable)
        .orElseThrow(
            () -> Cursor.wrong(t.span(), "'" + t.type().text() + "' is a type, not a value"));
  }

  /** C++'s names for values, where nothing else has them. */
  private Optional<Value> literal(String name) {
    return switch (name) {
      case "true" -> Optional.of(new Value.Imm(program, CTypes.BOOL, 1));
      case "false" -> Optional.of(new Value.Imm(program, CTypes.BOOL, 0));
      case "nullptr" -> Optional.of(numbers.pointer(program.types().pointerTo(VoidType.VOID), 0));
      default -> Optional.empty();
    };
  }

  private Value scoped(Expr.Scoped s) {
    // A scope may itself be named from what is around the code.
    for (var around : s.scope().isEmpty() ? List.<String>of() : scope.around()) {
      var found = scoped(around + "::" + s.scope(), s.name());
      if (found.isPresent()) {
        return found.get();
      }
    }
    return scoped(s.scope(), s.name())
        .or(() -> self().flatMap(object -> ofBase(object, s)))
        .orElseThrow(() -> unknown(s, whole(s)));
  }

  private static String whole(Expr.Scoped s) {
    return s.scope().isEmpty() ? s.name() : s.scope() + "::" + s.name();
  }

  /**
   * In a method, the object; empty also where it is not known, as what has other meanings may be.
   */
  private Optional<Value> self() {
    try {
      return scope
          .variable("this")
          .filter(object -> object.type().resolved() instanceof PointerType)
          .map(Value::deref);
    } catch (EvalException e) {
      return Optional.empty(); // Optimised out: whoever names it is told.
    }
  }

  /** {@code Class::member} of an object. */
  private static Optional<Value> ofBase(Value object, Expr.Scoped s) {
    return BaseClasses.named(object, s.scope())
        .filter(part -> part.has(s.name()))
        .map(part -> part.member(s.name()));
  }

  private Optional<Value> scoped(String of, String name) {
    // What is of a class has its name in front, or else it may be anything that is called so.
    var found = isClass(of) ? scope.variable(of + "::" + name) : scope.variable(of, name);
    // An enumerator belongs to the scope of its enumeration, or to the enumeration.
    return found
        .or(() -> ClassNames.enumerator(program, of.isEmpty() ? name : of + "::" + name))
        .or(() -> ClassNames.in(program, of, name))
        .or(() -> ClassNames.enumerator(program, name).filter(v -> belongs(v.type(), of)));
  }

  private boolean isClass(String name) {
    return !name.isEmpty()
        && program
            .types()
            .find(TypeName.plain(name))
            .filter(type -> type.resolved() instanceof CompositeType c && c.isCxx())
            .isPresent();
  }

  private static boolean belongs(CType type, String scope) {
    return type instanceof EnumType e
        && (e.name().equals(scope) || e.name().startsWith(scope + "::"));
  }

  private Value dollar(Expr.Dollar d) {
    return scope
        .dollar(d.name())
        .orElseThrow(
            () -> new LookupException("register or variable", "$" + d.name()).at(d.span()));
  }

  // ---- one operand

  private Value unary(Expr.Unary u) {
    return switch (u.operator()) {
      case ADDRESS -> address(u);
      case DEREFERENCE -> {
        var operand = decayed(u.operand());
        yield ClassOperators.isObject(operand)
            ? classOperators.pointee(u, u.operand(), operand, "operator*")
            : dereference(u, operand);
      }
      case NOT -> {
        var operand = decayed(u.operand());
        yield ClassOperators.isObject(operand)
            ? classOperators.operator(u, "operator!", u.operand(), operand).referred()
            : numbers.flag(!truth(u.operand(), operand));
      }
      case PLUS, MINUS, COMPLEMENT -> {
        var operand = decayed(u.operand());
        if (ClassOperators.isObject(operand)) {
          yield classOperators
              .operator(u, "operator" + u.operator().text(), u.operand(), operand)
              .referred();
        }
        if (ComplexNumbers.is(operand)) {
          yield complexes.unary(u, operand);
        }
        if (operand.type().resolved() instanceof FloatType f) {
          if (u.operator() == Expr.UnaryOperator.COMPLEMENT) {
            throw CTypes.notNumber(operand.type(), u.operand());
          }
          yield u.operator() == Expr.UnaryOperator.PLUS
              ? operand
              : numbers.real(f, operand.asReal().negate());
        }
        var type = types.promote(operand.type(), u.operand());
        var number = operand.asInteger();
        yield switch (u.operator()) {
          case MINUS -> numbers.whole(type, number.negate());
          case COMPLEMENT -> numbers.whole(type, number.not());
          case PLUS, NOT, DEREFERENCE, ADDRESS -> numbers.whole(type, number);
        };
      }
    };
  }

  private Value address(Expr.Unary u) {
    if (u.operand() instanceof Expr.Scoped s) {
      var pointer = memberPointers.to(s, scope.around());
      if (pointer.isPresent()) {
        return pointer.get();
      }
    }
    var operand = operand(u.operand());
    if (!(operand instanceof Value.Ref ref) || !operand.isPlace()) {
      throw Cursor.wrong(u.span(), "a number has no address");
    }
    if (ref.bitSize() != 0) {
      throw Cursor.wrong(u.span(), "a bit-field has no address");
    }
    return ref.addressOf();
  }

  private Value dereference(Expr at, Value pointer) {
    if (pointer.type().resolved() instanceof PointerType p) {
      if (p.target().resolved() instanceof VoidType) {
        throw Cursor.wrong(at.span(), "cannot look behind a 'void *': cast it first");
      }
      return pointer.deref();
    }
    if (pointer.type().resolved() instanceof IntType) {
      // As gdb: *ADDRESS of a plain number reads a long.
      return new Value.Ref(program, types.longType(), pointer.asLong());
    }
    throw Cursor.wrong(at.span(), "'" + pointer.type().text() + "' is not a pointer");
  }

  // ---- two operands

  private Value binary(Expr.Binary b) {
    switch (b.operator()) {
      case COMMA -> {
        value(b.left());
        return value(b.right());
      }
      case AND -> {
        return numbers.flag(truth(b.left()) && truth(b.right()));
      }
      case OR -> {
        return numbers.flag(truth(b.left()) || truth(b.right()));
      }
      case EQUAL, NOT_EQUAL -> {
        boolean equal = b.operator() == Expr.BinaryOperator.EQUAL;
        if (b.right() instanceof Expr.Text text) {
          return numbers.flag(string(b.left()).equals(decoded(text)) == equal);
        }
        if (b.left() instanceof Expr.Text text) {
          return numbers.flag(string(b.right()).equals(decoded(text)) == equal);
        }
        return operands(b);
      }
      default -> {
        return operands(b);
      }
    }
  }

  private static String decoded(Expr.Text text) {
    return new String(text.value().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /** The string in an array of characters, or that a pointer leads to, as gdb compares them. */
  private String string(Expr e) {
    var v = operand(e);
    var type = v.type().resolved();
    if (type instanceof ArrayType a && v instanceof Value.Ref ref && a.element().bytes() == 1) {
      long length = Math.min(a.count().orElse(STRING_LIMIT), STRING_LIMIT);
      return ref.space().cString(ref.address(), (int) length);
    }
    if (type instanceof PointerType p && p.target().bytes() == 1) {
      return scope instanceof WithoutEffects
          ? ""
          : program.memory().cString(v.asLong(), STRING_LIMIT);
    }
    return Optional.of(v)
        .filter(ClassOperators::isObject)
        .flatMap(object -> scope.text((Value.Ref) object))
        .orElseThrow(
            () ->
                Cursor.wrong(
                    e.span(), "'" + v.type().text() + "' cannot be compared with a string"));
  }

  private Value operands(Expr.Binary b) {
    var left = decayed(b.left());
    var right = decayed(b.right());
    if (ClassOperators.isObject(left) || ClassOperators.isObject(right)) {
      var second =
          b.right() instanceof Expr.Text ? b.right() : new Expr.Known(b.right().span(), right);
      return classOperators
          .operator(b, "operator" + b.operator().text(), b.left(), left, second)
          .referred();
    }
    if ((MemberPointers.is(left) || MemberPointers.is(right))
        && (b.operator() == Expr.BinaryOperator.EQUAL
            || b.operator() == Expr.BinaryOperator.NOT_EQUAL)) {
      boolean equal = b.operator() == Expr.BinaryOperator.EQUAL;
      return numbers.flag(MemberPointers.areEqual(left, right) == equal);
    }
    return arithmetic.operands(b, b.operator(), b.left(), left, b.right(), right);
  }

  // ---- types

  /** A scalar converted to a scalar type, or a number to a complex one. */
  Value converted(Expr e, CType type, Value number) {
    return casts.converted(e, type, number);
  }

  /** The size of a type; of a reference that of what it refers to. */
  private Value size(Expr e, CType of) {
    var type = of.resolved() instanceof PointerType p && p.isReference() ? p.target() : of;
    if (type.bytes() == 0
        && !(type.resolved() instanceof CompositeType)
        && !(type.resolved() instanceof ArrayType)) {
      throw Cursor.wrong(e.span(), "the size of '" + type.text() + "' is not known");
    }
    return numbers.word(type.bytes());
  }

  private long offset(Expr e, CType type, String path) {
    return program
        .types()
        .member(type, path)
        .orElseThrow(() -> noMember(type, path).at(e.span()))
        .byteOffset();
  }

  private static LookupException noMember(CType type, String path) {
    return new LookupException("member of " + type.text(), path, NearNames.members(type, path));
  }

  // ---- parts

  private Value perCpu(Expr.PerCpu p) {
    var variable = operand(p.variable());
    long cpu = number(p.cpu());
    if (cpu < 0 || cpu > Integer.MAX_VALUE) {
      throw Cursor.wrong(p.cpu().span(), "no CPU " + cpu);
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
    return member(m, object(m));
  }

  /** What a member is of: an object, or a pointer to one. */
  private Value object(Expr.Member m) {
    var base = operand(m.base());
    boolean pointer = base.type().resolved() instanceof PointerType;
    if (m.arrow() && ClassOperators.isObject(base)) {
      return classOperators.pointee(m, m.base(), base, "operator->");
    }
    if (m.arrow() && !pointer && !(base.type().resolved() instanceof ArrayType)) {
      throw Cursor.wrong(m.span(), "'" + base.type().text() + "' is not a pointer: use '.'");
    }
    // As gdb and crash: a dot after a pointer means the arrow.
    return m.arrow() && !pointer ? base.index(0) : base;
  }

  private Value member(Expr.Member m, Value object) {
    int last = m.name().lastIndexOf("::");
    if (last > 0) {
      return memberOf(object, m, m.name().substring(0, last), m.name().substring(last + 2));
    }
    if (object.has(m.name())) {
      return object.member(m.name());
    }
    return memberOf(object, m, m.name());
  }

  /** {@code object.Base::member}. */
  private Value memberOf(Value object, Expr.Member m, String base, String name) {
    var part = base(m, object, base);
    return part.has(name) ? part.member(name) : memberOf(part, m, name);
  }

  private static Value base(Expr.Member m, Value object, String base) {
    var whole = object.type().resolved() instanceof PointerType ? object.deref() : object;
    return BaseClasses.named(whole, base)
        .orElseThrow(
            () ->
                new EvalException(
                    m.span(), whole.type().text() + " has no base class '" + base + "'"));
  }

  /** A member that all objects share, or a method. */
  private Value memberOf(Value object, Expr.Member m, String name) {
    var type = object.type().resolved() instanceof PointerType p ? p.target() : object.type();
    if (!(type.resolved() instanceof CompositeType c)) {
      throw new EvalException(m.span(), type.text() + " has no members");
    }
    var shared = ClassNames.in(program, c, name);
    if (shared.isPresent()) {
      return shared.get();
    }
    var whole = object.type().resolved() instanceof PointerType ? object.deref() : object;
    var group =
        whole instanceof Value.Ref ref ? methods.named(ref, name) : Optional.<Methods.Group>empty();
    var own = group.orElseThrow(() -> noMember(type, name).at(m.span()));
    if (own.methods().size() > 1) {
      throw new EvalException(
          m.span(), "'" + name + "' is " + own.methods().size() + " methods: call one");
    }
    return methods.function(new Methods.Found(own.object(), own.methods().getFirst()));
  }

  private Value index(Expr.Index i) {
    var base = operand(i.base());
    if (ClassOperators.isObject(base)) {
      return classOperators.index(i, (Value.Ref) base).referred();
    }
    long index = number(i.index());
    var type = base.type().resolved();
    if (type instanceof PointerType || type instanceof ArrayType) {
      var element = type instanceof ArrayType a ? a.element() : ((PointerType) type).target();
      if (index != 0) {
        Arithmetic.requireSize(i, element);
      }
      return base.index(index);
    }
    throw Cursor.wrong(i.span(), "'" + base.type().text() + "' is neither an array nor a pointer");
  }

  private Value slice(Expr.Slice s) {
    var first = operand(s.first());
    long count = number(s.count());
    if (!(first instanceof Value.Ref ref) || !first.isPlace()) {
      throw Cursor.wrong(s.span(), "only something in memory can be repeated with '@'");
    }
    if (count <= 0) {
      throw Cursor.wrong(s.count().span(), "the count after '@' must be above 0");
    }
    var element = ref.type();
    Arithmetic.requireSize(s, element);
    return ref.as(new ArrayType(() -> element, OptionalLong.of(count)));
  }

  // ---- calls

  Value call(Expr.Call c) {
    return call(c, Optional.empty());
  }

  /**
   * @param cast what the value is cast to
   */
  Value call(Expr.Call c, Optional<CType> cast) {
    if (!(c.function() instanceof Expr.Member m)) {
      var own = ofThis(c.function());
      if (own.isPresent()) {
        return method(c, own.get().object(), own.get(), c.function() instanceof Expr.Name);
      }
      if (c.function() instanceof Expr.Pointed p) {
        var method = memberPointers.method(p);
        if (method.isPresent()) {
          return memberPointers.called(c, method.get());
        }
      }
      var part = ComplexNumbers.part(c.function());
      if (part.isPresent()) {
        return ComplexNumbers.part(c, part.get(), arguments.values(c));
      }
      var callee = operand(c.function());
      if (ClassOperators.isObject(callee)) {
        var all = c.arguments().toArray(Expr[]::new);
        return classOperators.operator(c, "operator()", c.function(), callee, all).referred();
      }
      var several = functions.several(c.function(), callee);
      return several.isEmpty()
          ? call(c, callee, function(c, callee), cast)
          : within(c.span(), () -> call(c, several, cast));
    }
    var object = object(m);
    int last = m.name().lastIndexOf("::");
    var name = last > 0 ? m.name().substring(last + 2) : m.name();
    var at = last > 0 ? base(m, object, m.name().substring(0, last)) : object;
    if (!at.has(name)) {
      var whole = at.type().resolved() instanceof PointerType ? at.deref() : at;
      var group =
          whole instanceof Value.Ref ref
              ? methods.named(ref, name)
              : Optional.<Methods.Group>empty();
      if (group.isPresent()) {
        return method(c, (Value.Ref) whole, group.get(), last <= 0);
      }
    }
    var callee = member(m, object).referred();
    return call(c, callee, function(c, callee), cast);
  }

  /** In a method, the methods of the object that {@code name} or {@code Class::name} means. */
  private Optional<Methods.Group> ofThis(Expr called) {
    return switch (called) {
      case Expr.Name n ->
          self()
              .filter(object -> !object.has("this") || !object.has(n.name()))
              .map(Evaluator::around)
              .flatMap(
                  object ->
                      methods(object, n.name())
                          .filter(own -> !methods.isHidden(own, object, n.name())))
              .filter(_ -> scope.ofBlock(n.name()).isEmpty());
      case Expr.Scoped s when !s.scope().isEmpty() ->
          self()
              .map(Evaluator::around)
              .flatMap(object -> BaseClasses.named(object, s.scope()))
              .flatMap(part -> methods(part, s.name()));
      default -> Optional.empty();
    };
  }

  /** The object that a lambda took along, which only clang's keep under its own name. */
  private static Value around(Value object) {
    if (!object.has("this")) {
      return object;
    }
    var taken = object.member("this");
    return taken.type().resolved() instanceof PointerType ? taken.deref() : taken;
  }

  Optional<Methods.Group> methods(Value object, String name) {
    return object instanceof Value.Ref ref ? methods.named(ref, name) : Optional.empty();
  }

  /** Whether one of the methods takes such arguments. */
  boolean take(Methods.Group group, List<Overloads.Argument> given) {
    return methods.take(group, given);
  }

  private static FunctionType function(Expr.Call c, Value callee) {
    var function =
        callee.type().resolved() instanceof PointerType p
            ? p.target().resolved()
            : callee.type().resolved();
    if (!(function instanceof FunctionType type)) {
      throw Cursor.wrong(c.function().span(), "'" + callee.type().text() + "' is not a function");
    }
    return type;
  }

  private Value call(Expr.Call c, Value callee, FunctionType declared, Optional<CType> cast) {
    long place =
        callee instanceof Value.Ref ref && !Numbers.isPointer(callee)
            ? ref.address()
            : callee.asLong();
    requireCount(c, declared);
    var target = targets.of(c, place, declared, cast);
    var type = target.type();
    return called(
        c, target.entry(), type, arguments.passed(c, arguments.values(c), type.parameters()));
  }

  private static void requireCount(Expr.Call c, FunctionType type) {
    var parameters = type.parameters();
    int given = c.arguments().size();
    if (given < parameters.size() || (!type.variadic() && given > parameters.size())) {
      throw Cursor.wrong(
          c.span(), "the function takes " + parameters.size() + " arguments, not " + given);
    }
  }

  /** Calls the one of several functions that the arguments mean. */
  Value call(Expr.Call c, List<Scope.Function> several, Optional<CType> cast) {
    var values = arguments.values(c);
    var code = functions.meant(several, arguments.given(c, values));
    var target = targets.of(c, code.address(), function(c, code), cast);
    return called(
        c, target.entry(), target.type(), arguments.passed(c, values, target.type().parameters()));
  }

  /**
   * Calls a method.
   *
   * @param whole the object
   * @param virtual whether it is that of the class which the object is of
   */
  private Value method(Expr.Call c, Value.Ref whole, Methods.Group group, boolean virtual) {
    int count = c.arguments().size();
    var fitting = group.taking(count);
    if (fitting.isEmpty()) {
      var first = group.methods().getFirst();
      throw Cursor.wrong(
          c.span(),
          group.methods().size() > 1
              ? "no '" + first.name() + "' takes " + count + " arguments"
              : "the function takes "
                  + Methods.parameters(first).size()
                  + " arguments, not "
                  + count);
    }
    return within(c.span(), () -> method(c, whole, group, virtual, fitting));
  }

  private Value method(
      Expr.Call c,
      Value.Ref whole,
      Methods.Group group,
      boolean virtual,
      List<CompositeType.Method> fitting) {
    var given = arguments.values(c);
    var method =
        fitting.size() == 1
            ? fitting.getFirst()
            : methods.meant(group, fitting, arguments.given(c, given));
    if (scope instanceof WithoutEffects && Methods.tellsResult(method)) {
      return called(c, 0, method.type(), List.of()); // The declaration is enough for its type.
    }
    var known = given.isEmpty() ? known(group.object(), method) : Optional.<Value>empty();
    if (known.isPresent()) {
      return known.get();
    }
    var own = new Methods.Found(group.object(), method);
    var found =
        virtual && method.isVirtual() && whole.isPlace() ? methods.dynamic(whole, own) : own;
    var function = methods.function(found);
    var all = new ArrayList<Scope.Argument>();
    if (!method.isStatic()) {
      var of = found.object();
      all.add(
          of.isPlace()
              ? CallArguments.passed(
                  numbers.pointer(program.types().pointerTo(of.type()), of.address()))
              : new Scope.Text(of.bytes(VALUE_LIMIT)));
    }
    all.addAll(arguments.passed(c, given, Methods.parameters(found.method())));
    return called(c, function.address(), (FunctionType) function.type().resolved(), all);
  }

  /** What a method of a container returns, as it is kept: also where no code of it is left. */
  private Optional<Value> known(Value.Ref container, CompositeType.Method method) {
    var type = method.type().result();
    return scope
        .method(container, method.name())
        .flatMap(
            value ->
                switch (type.resolved()) {
                  case IntType i ->
                      Optional.of(new Value.Imm(program, type, CTypes.fit(value.asLong(), i)));
                  case BoolType _ -> Optional.of(new Value.Imm(program, type, value.asLong()));
                  case PointerType p when p.isReference() && value.isPlace() ->
                      Optional.of(numbers.pointer(type, value.address()));
                  default -> Optional.empty();
                });
  }

  /** What goes wrong is told of a whole expression, where it says nothing nearer. */
  static Value within(Span span, Supplier<Value> work) {
    try {
      return work.get();
    } catch (EvalException e) {
      throw e.span().isPresent() ? e : Cursor.wrong(span, e.getMessage());
    }
  }

  Value called(Expr.Call c, long entry, FunctionType type, List<Scope.Argument> given) {
    Scope.Returned returned;
    try {
      returned = scope.call(entry, type.result(), given);
    } catch (FathomException e) {
      if (e.span().isPresent()) {
        throw e;
      }
      throw Cursor.wrong(c.span(), e.getMessage());
    }
    if (type.result().resolved() instanceof VoidType) {
      return new Value.Imm(program, type.result(), 0);
    }
    return returned.place().isPresent()
        ? new Value.Ref(program, type.result(), returned.place().getAsLong()).copied(VALUE_LIMIT)
        : scalar(Value.held(program, type.result(), returned.bytes()));
  }

  /** A number that is at hand; anything else as it is. */
  private Value scalar(Value v) {
    return switch (v.type().resolved()) {
      case IntType _, EnumType _, BoolType _, PointerType _ when v.type().bytes() <= Long.BYTES ->
          new Value.Imm(program, v.type(), v.asLong());
      default -> v;
    };
  }

  // ---- conversions

  /** A value as C uses it in an operator: arrays and functions become pointers. */
  Value decayed(Expr e) {
    return decay(value(e));
  }

  Value decay(Value value) {
    var v = value.referred();
    return switch (v.type().resolved()) {
      case ArrayType a when !a.isVector() && v instanceof Value.Ref ref && v.isPlace() ->
          new Value.Imm(program, program.types().pointerTo(a.element()), ref.address());
      case FunctionType _ when v instanceof Value.Ref ref ->
          new Value.Imm(program, program.types().pointerTo(v.type()), ref.address());
      default -> v;
    };
  }

  boolean truth(Expr e) {
    return truth(e, decayed(e));
  }

  private boolean truth(Expr e, Value v) {
    if (!ComplexNumbers.is(v)) {
      casts.requireNumber(e, v);
    }
    return truth(v);
  }

  boolean truth(Value v) {
    if (ComplexNumbers.is(v)) {
      return complexes.isTrue(v);
    }
    return v.type().resolved() instanceof FloatType
        ? !v.asReal().isZero()
        : v.type().bytes() > 8 ? v.asInteger().signum() != 0 : v.asLong() != 0;
  }

  private long number(Expr e) {
    var v = decayed(e);
    if (!Numbers.isPointer(v)) {
      types.promote(v.type(), e);
    }
    return v.asLong();
  }
}
