// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.FathomException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Limits;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value.Ref;
import dev.fathom.model.type.AliasType;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.VoidType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Types expressions by C's rules and D's: from a syntax tree whose names are resolved to {@link
 * Typed}. Operators, elements and members, translators and functions have classes of their own.
 */
final class Typer {
  private static final int DEPTH_LIMIT = 400;
  private static final int INLINE_LIMIT = 40;
  private static final int EXPANSION_LIMIT = 20_000;

  private final Environment environment;
  private final Limits limits;
  private final Texts texts;
  private final Scope scope;
  private final TypeTable types;
  private final Resolver resolver;
  private final Operators operators = new Operators(this);
  private final Elements elements = new Elements(this);
  private final Translators translators = new Translators(this);
  private final Functions functions = new Functions(this);
  private Map<String, Typed> bindings = Map.of();
  private String description = "";
  private List<Probe> probes = List.of();
  private boolean usesArguments;
  private int depth;
  private int inlineDepth;
  private int expansions;

  Typer(Environment environment, Limits limits, Texts texts) {
    this.environment = environment;
    this.limits = limits;
    this.texts = texts;
    this.scope = new Scope(texts);
    this.types = new TypeTable(texts, environment.program(), this::declaredConstant);
    this.resolver = new Resolver(environment, texts, scope, types);
  }

  Environment environment() {
    return environment;
  }

  Limits limits() {
    return limits;
  }

  Texts texts() {
    return texts;
  }

  Scope scope() {
    return scope;
  }

  TypeTable types() {
    return types;
  }

  Resolver resolver() {
    return resolver;
  }

  Operators operators() {
    return operators;
  }

  Elements elements() {
    return elements;
  }

  Translators translators() {
    return translators;
  }

  /** The description of the clause at work, for errors. */
  String description() {
    return description;
  }

  List<Probe> probes() {
    return probes;
  }

  /** The clause at work uses {@code args[]}. */
  void useArguments() {
    usesArguments = true;
  }

  boolean usesArguments() {
    return usesArguments;
  }

  /** Begins a clause. */
  void enter(String probeDescription, List<Probe> matched) {
    description = probeDescription;
    probes = matched;
    usesArguments = false;
    expansions = 0;
  }

  RuntimeException error(Span at, Tag tag, String detail) {
    return texts.error(at, tag, detail);
  }

  // Values

  /** The value of a constant expression of a declaration; empty when it is none. */
  private OptionalLong declaredConstant(Node node) {
    resolver.resolve(node);
    return constant(node);
  }

  /** The value of a constant expression; empty when it is none. */
  OptionalLong constant(Node node) {
    return value(node) instanceof Typed.Int i && DTypes.isScalar(i.type())
        ? OptionalLong.of(i.value())
        : OptionalLong.empty();
  }

  Typed value(Node node) {
    return load(operand(node), node.span());
  }

  /** What a test, a predicate or a logical operator takes. */
  Typed scalar(Node node, Tag tag, String what) {
    var v = value(node);
    if (!DTypes.isScalar(v.type())) {
      throw error(
          node.span(), tag, what + " must be a number or a pointer, not " + DTypes.text(v.type()));
    }
    return v;
  }

  /** What is there as a value: arrays and functions in memory are their addresses. */
  Typed load(Typed operand, Span at) {
    return switch (operand) {
      case Typed.Variable v -> {
        texts.irType(v.type(), at);
        yield v;
      }
      case Typed.Part p -> {
        texts.irType(p.type(), at);
        yield p;
      }
      case Typed.Memory m -> loadMemory(m, at);
      case Typed.Translated t ->
          throw error(
              at,
              Tag.D_OP_INCOMPAT,
              "a translated " + DTypes.text(t.type()) + " is used by its members only");
      case Typed.Array a ->
          throw error(
              at, Tag.D_OP_DYN, "'" + a.name() + "' is an array; expected " + a.name() + "[...]");
      default -> operand;
    };
  }

  private Typed loadMemory(Typed.Memory m, Span at) {
    if (DTypes.isString(m.type())) {
      return new Typed.StringAt(m.space(), limits.strsize(), m.address());
    }
    return switch (m.type().resolved()) {
      case IntType _, BoolType _, EnumType _, PointerType _ -> m;
      case ArrayType a -> Typed.retyped(m.address(), types.pointerTo(a.element()));
      case FunctionType _ -> Typed.retyped(m.address(), types.pointerTo(m.type()));
      case CompositeType _, FloatType _ -> {
        texts.irType(m.type(), at);
        yield m;
      }
      case OpaqueType _, VoidType _ ->
          throw error(
              at,
              Tag.D_OP_INCOMPLETE,
              "a value of the incomplete type " + DTypes.text(m.type()) + " cannot be read");
      case AliasType _ -> throw error(at, Tag.D_TYPE_ERR, "type without end");
    };
  }

  /** The string that a node is, or points to. */
  Typed string(Node node, Tag tag, String what) {
    return string(operand(node), node.span(), tag, what);
  }

  Typed string(Typed o, Span at, Tag tag, String what) {
    if (!DTypes.isString(o.type())
        && o.type().resolved() instanceof ArrayType a
        && DTypes.isStringLike(o.type())) {
      int limit = (int) Math.min(limits.strsize(), a.count().orElse(limits.strsize()));
      return switch (o) {
        case Typed.Memory m -> new Typed.StringAt(m.space(), limit, m.address());
        case Typed.Part p -> new Typed.StringIn(p.whole(), p.offset(), limit);
        default -> new Typed.StringIn(load(o, at), new Typed.Int(DTypes.INT, 0), limit);
      };
    }
    var v = load(o, at);
    if (DTypes.isString(v.type())) {
      return v;
    }
    if (DTypes.isStringLike(v.type())) {
      return new Typed.StringAt(Space.KERNEL, limits.strsize(), v);
    }
    throw error(
        at, tag, what + " must be a string or a char pointer, not " + DTypes.text(v.type()));
  }

  /** A key of an associative array: structures, too, by their bytes. */
  Typed arrayKey(Node node) {
    var o = operand(node);
    return DTypes.isComposite(o.type()) && !DTypes.isArray(o.type())
        ? load(o, node.span())
        : key(node);
  }

  /** A key of an aggregation. */
  Typed key(Node node) {
    var o = operand(node);
    if (!DTypes.isString(o.type()) && DTypes.isArray(o.type()) && DTypes.isStringLike(o.type())) {
      return string(o, node.span(), Tag.D_KEY_TYPE, "the key");
    }
    var v = load(o, node.span());
    if (DTypes.isVoid(v.type()) || DTypes.isComposite(v.type())) {
      throw error(
          node.span(),
          Tag.D_KEY_TYPE,
          "a key must be a number, a pointer, a string or a stack, not " + DTypes.text(v.type()));
    }
    return operators.cut(v);
  }

  /** {@code v} as a value of {@code type}, or an error where D does not convert by itself. */
  Typed convert(Typed v, CType type, Span at) {
    if (DTypes.isString(type)) {
      if (DTypes.isString(v.type())) {
        return v;
      }
      if (DTypes.isStringLike(v.type())) {
        return new Typed.StringAt(Space.KERNEL, limits.strsize(), v);
      }
      throw incompatible(v.type(), type, at);
    }
    if (DTypes.isInteger(type) && DTypes.isInteger(v.type())) {
      return operators.toInteger(v, type);
    }
    if (DTypes.isPointer(type)) {
      boolean zero = Typed.isZero(v);
      if ((DTypes.isPointer(v.type()) && (zero || Operators.compatible(type, v.type())))
          || (DTypes.isInteger(v.type()) && zero)) {
        return Typed.retyped(v, type);
      }
      var decayed = operators.decayed(v, type);
      if (decayed.isPresent()) {
        return decayed.get();
      }
    }
    boolean special = DTypes.isSpecial(type) || DTypes.isSpecial(v.type());
    if (special
        ? v.type().text().equals(type.text())
        : !DTypes.isScalar(type)
            && DTypes.same(type, v.type())
            && v.type().bytes() == type.bytes()) {
      return Typed.retyped(v, type);
    }
    throw incompatible(v.type(), type, at);
  }

  private RuntimeException incompatible(CType from, CType to, Span at) {
    return error(
        at,
        Tag.D_OP_INCOMPAT,
        "a value of type " + DTypes.text(from) + " is none of type " + DTypes.text(to));
  }

  // Expressions

  Typed operand(Node node) {
    if (++depth > DEPTH_LIMIT) {
      throw error(node.span(), Tag.D_SYNTAX, "the expression is nested too deeply");
    }
    try {
      return switch (node) {
        case Node.IntegerLiteral i -> integer(i);
        case Node.CharLiteral c ->
            new Typed.Int(c.value() == (int) c.value() ? DTypes.INT : DTypes.LONG, c.value());
        case Node.StringLiteral s -> text(s);
        case Node.Name n -> name(n);
        case Node.Symbol s -> symbol(s);
        case Node.Scoped s -> variable(s);
        case Node.AggregationRef a ->
            throw error(
                a.span(),
                Tag.D_AGG_NULL,
                "aggregation @"
                    + (a.name().equals("_") ? "" : a.name())
                    + " has no value in an expression; it is fed by @ = function(...) and shown by"
                    + " printa()");
        case Node.Prefix p -> operators.prefix(p);
        case Node.Postfix p -> operators.step(p.op(), p.operand(), true, p.span());
        case Node.Infix i -> operators.infix(i);
        case Node.Assign a -> operators.assign(a);
        case Node.Ternary t -> operators.ternary(t);
        case Node.Comma c -> new Typed.Sequence(value(c.left()), value(c.right()));
        case Node.Cast c -> operators.cast(c);
        case Node.SizeofType s -> size(types.resolve(s.type()), s.span());
        case Node.Sizeof s -> sizeof(s);
        case Node.Offsetof o -> offsetof(o);
        case Node.Stringof s -> stringof(s);
        case Node.Xlate x ->
            translators.translate(types.resolve(x.type()), operand(x.operand()), x.span());
        case Node.Call c -> call(c);
        case Node.Index i -> elements.index(i);
        case Node.Member m -> elements.member(m);
      };
    } finally {
      depth--;
    }
  }

  private static Typed text(Node.StringLiteral s) {
    int nul = s.value().indexOf(0);
    return new Typed.Text(nul < 0 ? s.value() : s.value().substring(0, nul));
  }

  private static Typed integer(Node.IntegerLiteral i) {
    long v = i.value();
    CType type;
    boolean mayUnsigned = i.unsigned();
    if (i.longs() == 0 && !i.suffixUnsigned() && v == (int) v && (v >= 0 || !mayUnsigned)) {
      type = DTypes.INT;
    } else if (i.longs() == 0 && mayUnsigned && v >>> 32 == 0) {
      type = DTypes.UINT;
    } else if (!i.suffixUnsigned() && v >= 0) {
      type = DTypes.LONG;
    } else {
      type = v < 0 && !mayUnsigned ? DTypes.LONG : DTypes.ULONG;
    }
    return new Typed.Int(type, v);
  }

  private Typed name(Node.Name n) {
    return switch (resolver.meaning(n)) {
      case Meaning.Parameter p -> bindings.get(p.name());
      case Meaning.Variable v -> variable(v.declared(), n.name());
      case Meaning.Inlined i ->
          i.inline().keys().isEmpty()
              ? inline(i.inline(), Map.of(), n.span())
              : new Typed.Array(i.inline().type(), n.name());
      case Meaning.BuiltIn b -> new Typed.BuiltinValue(typeOf(b.builtin()), b.builtin());
      case Meaning.Argument a -> new Typed.Argument(DTypes.LONG, a.index());
      case Meaning.Arguments _, Meaning.Registers _ -> new Typed.Array(DTypes.LONG, n.name());
      case Meaning.Enumerator e -> new Typed.Int(e.constant().type(), e.constant().value());
      case Meaning.KernelSymbol k -> symbol(k.name(), n.span());
    };
  }

  private Typed variable(Node.Scoped s) {
    return variable(
        ((Meaning.Variable) resolver.meaning(s)).declared(), s.scope().prefix() + s.name());
  }

  private static Typed variable(Scope.Declared d, String name) {
    return d.associative()
        ? new Typed.Array(d.type(), name)
        : new Typed.Variable(d.type(), d.id(), List.of());
  }

  private CType typeOf(Builtin b) {
    return switch (b) {
      case CWD, EXECARGS, EXECNAME, ROOT, PROBEFUNC, PROBEMOD, PROBENAME, PROBEPROV ->
          DTypes.STRING;
      case CPU, ERRNO, PID, PPID, TID -> DTypes.INT;
      case GID, ID, IPL, STACKDEPTH, UID, USTACKDEPTH -> DTypes.UINT;
      case CALLER, EPID, TIMESTAMP, UCALLER, VTIMESTAMP, WALLTIMESTAMP -> DTypes.ULONG;
      case CURTHREAD -> threadPointer();
    };
  }

  CType threadPointer() {
    return types.pointerTo(
        environment
            .program()
            .flatMap(p -> p.types().find(TypeName.struct("task_struct")))
            .orElse(VoidType.VOID));
  }

  private Typed symbol(Node.Symbol s) {
    return symbol(((Meaning.KernelSymbol) resolver.meaning(s)).name(), s.span());
  }

  private Typed symbol(String full, Span at) {
    var program = environment.program().orElseThrow();
    try {
      var v = program.global(full);
      if (v instanceof Ref r) {
        return memory(r.type(), r.address());
      }
    } catch (FathomException e) {
      // No type is known: a function is still an address.
      var found = program.symbols().named(full).getFirst();
      if (found.kind() == Symbol.Kind.TEXT) {
        return memory(new FunctionType(() -> VoidType.VOID, List::of, false), found.address());
      }
      throw error(
          at, Tag.D_SYM_NOTYPES, "kernel symbol '" + full + "' has no type: " + e.getMessage());
    }
    throw error(at, Tag.D_SYM_BADREF, "kernel symbol '" + full + "' has no address");
  }

  private static Typed memory(CType type, long address) {
    return new Typed.Memory(type, new Typed.Int(DTypes.ULONG, address), Space.KERNEL, 0, 0, true);
  }

  // Inlines

  Typed inline(Scope.Inline def, Map<String, Typed> arguments, Span at) {
    return within(
        def.name(),
        at,
        () ->
            texts.in(
                def.source(),
                () ->
                    bound(
                        arguments,
                        () -> {
                          var o = operand(def.value());
                          return o instanceof Typed.Translated
                              ? o
                              : convert(
                                  load(o, def.value().span()), def.type(), def.value().span());
                        })));
  }

  /** Types the body of an inline as it is declared, so that errors in it are told at once. */
  void checkInline(Scope.Inline def, Span at) {
    resolver.begin();
    resolver.body(def.value(), Resolver.parameterNames(def));
    var arguments = new HashMap<String, Typed>();
    for (var k : def.keys()) {
      arguments.put(k.declarator().name(), new Typed.Old(types.resolve(k)));
    }
    enter("", List.of());
    inline(def, arguments, at);
  }

  /** Does something inside an inline or translator; their uses inside each other are bounded. */
  Typed within(String name, Span at, Supplier<Typed> work) {
    if (inlineDepth >= INLINE_LIMIT) {
      throw error(at, Tag.D_SYNTAX, "'" + name + "' leads to itself");
    }
    if (++expansions > EXPANSION_LIMIT) {
      throw error(
          at, Tag.D_SYNTAX, "more than " + EXPANSION_LIMIT + " uses of inlines in one clause");
    }
    inlineDepth++;
    try {
      return work.get();
    } finally {
      inlineDepth--;
    }
  }

  /** Does something while parameters have those values. */
  Typed bound(Map<String, Typed> arguments, Supplier<Typed> work) {
    var outer = bindings;
    bindings = arguments;
    try {
      return work.get();
    } finally {
      bindings = outer;
    }
  }

  // Sizes and strings

  private Typed size(CType type, Span at) {
    if (DTypes.isString(type)) {
      return new Typed.Int(DTypes.ULONG, limits.strsize());
    }
    if (DTypes.isSpecial(type)
        || type.resolved() instanceof FunctionType
        || type.resolved() instanceof OpaqueType
        || DTypes.isVoid(type)) {
      throw error(at, Tag.D_SIZEOF_TYPE, "the size of " + DTypes.text(type) + " is not known");
    }
    return new Typed.Int(DTypes.ULONG, type.bytes());
  }

  private Typed sizeof(Node.Sizeof s) {
    if (s.operand() instanceof Node.AggregationRef) {
      throw error(s.span(), Tag.D_SIZEOF_TYPE, "an aggregation has no size");
    }
    var o = operand(s.operand());
    if ((o instanceof Typed.Memory m && m.bits() > 0)
        || (o instanceof Typed.Part q && q.bits() > 0)) {
      throw error(s.span(), Tag.D_SIZEOF_BITFIELD, "a bit-field has no size in bytes");
    }
    if (o instanceof Typed.Array a) {
      throw error(s.span(), Tag.D_SIZEOF_TYPE, "'" + a.name() + "' is an array without a size");
    }
    if (o instanceof Typed.Text t) {
      return new Typed.Int(DTypes.ULONG, t.bytes().length() + 1);
    }
    return size(o.type(), s.span());
  }

  private Typed offsetof(Node.Offsetof o) {
    var type = types.resolve(o.type());
    if (!(type.resolved() instanceof CompositeType composite)) {
      throw error(
          o.span(),
          Tag.D_OFFSETOF_TYPE,
          "offsetof takes a structure or union, not " + DTypes.text(type));
    }
    var found =
        types
            .member(composite, o.member())
            .orElseThrow(() -> elements.noMember(composite, o.member(), o.span()));
    if (found.member().isBitField()) {
      throw error(
          o.span(),
          Tag.D_OFFSETOF_BITFIELD,
          "'" + o.member() + "' is a bit-field: it has no offset");
    }
    return new Typed.Int(DTypes.ULONG, found.byteOffset());
  }

  private Typed stringof(Node.Stringof s) {
    var o = operand(s.operand());
    if (DTypes.isStringLike(o.type())) {
      return string(o, s.span(), Tag.D_STRINGOF_TYPE, "operand of stringof");
    }
    var v = load(o, s.operand().span());
    if (DTypes.isPointer(v.type()) || (DTypes.isInteger(v.type()) && v.type().bytes() == 8)) {
      return new Typed.StringAt(Space.KERNEL, limits.strsize(), v);
    }
    throw error(
        s.span(),
        Tag.D_STRINGOF_TYPE,
        "operand of stringof must be a string or an address, not " + DTypes.text(v.type()));
  }

  // Functions

  private Typed call(Node.Call c) {
    var name = ((Node.Name) c.function()).name();
    if (Names.isAggregating(name)) {
      throw error(
          c.span(),
          Tag.D_AGG_FUNC,
          name + "() feeds an aggregation: expected @name[keys] = " + name + "(...)");
    }
    var special = functions.special(name, c);
    if (special.isPresent()) {
      return special.get();
    }
    if (Names.isAction(name)) {
      throw error(
          c.span(), Tag.D_OP_ACT, name + "() is an action: it is a statement and has no value");
    }
    return functions.subroutine(Subroutine.named(name).orElseThrow(), c);
  }
}
