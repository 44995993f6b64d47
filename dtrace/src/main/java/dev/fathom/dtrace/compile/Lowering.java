// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.FathomException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Limits;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.dtrace.syntax.TypeText;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;

/**
 * Resolves names, types expressions by C's rules and D's, and turns each into the intermediate
 * form. Holds what is declared across clauses and programs of one run.
 */
final class Lowering {
  private static final int DEPTH_LIMIT = 400;
  private static final int INLINE_LIMIT = 40;
  private static final int VARIABLE_LIMIT = 10_000;

  /** A D variable. */
  record Declared(int id, CType type, List<CType> keys, boolean associative) {}

  record InlineDef(Source source, String name, CType type, List<TypeText> keys, Node value) {}

  /** A translator; its types are looked up when it is first considered. */
  record TranslatorDef(
      Source source,
      TypeText output,
      TypeText input,
      String inputName,
      Map<String, Node> members) {}

  /** What is known inside the clause that is being lowered. */
  static final class ClauseState {
    final String description;
    final List<Probe> probes;
    int locals;

    ClauseState(String description, List<Probe> probes) {
      this.description = description;
      this.probes = probes;
    }
  }

  private final Environment environment;
  private final Limits limits;
  private final TypeTable types;
  private final List<DVariable> variables = new ArrayList<>();
  private final Map<String, Declared> globals = new HashMap<>();
  private final Map<String, Declared> threadLocals = new HashMap<>();
  private final Map<String, Declared> clauseLocals = new HashMap<>();
  private final Map<String, InlineDef> inlines = new HashMap<>();
  private final List<TranslatorDef> translators = new ArrayList<>();
  private Map<String, Operand> bindings = Map.of();
  private Source source;
  private ClauseState clause = new ClauseState("", List.of());
  private int depth;
  private int inlineDepth;

  Lowering(Environment environment, Limits limits, Source source) {
    this.environment = environment;
    this.limits = limits;
    this.source = source;
    this.types = new TypeTable(source, environment.program(), this::constant);
  }

  void use(Source text) {
    source = text;
    types.use(text);
  }

  Source source() {
    return source;
  }

  TypeTable types() {
    return types;
  }

  Limits limits() {
    return limits;
  }

  List<DVariable> variables() {
    return variables;
  }

  void enter(ClauseState state) {
    clause = state;
  }

  RuntimeException error(Span at, Tag tag, String detail) {
    return source.error(at, tag, detail);
  }

  // Declarations

  void declareInline(InlineDef inline, Span at) {
    if (globals.containsKey(inline.name()) || Names.isReserved(inline.name())) {
      throw error(at, Tag.D_DECL_IDRED, "'" + inline.name() + "' is declared already");
    }
    inlines.put(inline.name(), inline);
  }

  void declareTranslator(TranslatorDef translator) {
    translators.add(translator);
  }

  /**
   * Declares a variable of a D program: {@code int x;}, {@code self string s;}, {@code int
   * a[int];}.
   */
  void declareVariable(
      DVariable.Scope scope, String name, CType type, Optional<List<CType>> keys, Span at) {
    if (DTypes.isVoid(type)) {
      throw error(at, Tag.D_DECL_VOIDOBJ, "'" + name + "' cannot be of type void");
    }
    if (type.resolved() instanceof FunctionType) {
      throw error(at, Tag.D_DECL_CLASS, "D has no functions of its own: '" + name + "'");
    }
    if (type.bytes() == 0 && type.resolved() instanceof OpaqueType) {
      throw error(
          at,
          Tag.D_DECL_INCOMPLETE,
          "'" + name + "' is of the incomplete type " + DTypes.text(type));
    }
    if (keys.isPresent() && scope == DVariable.Scope.CLAUSE) {
      throw error(
          at,
          Tag.D_DECL_LOCASSC,
          "a clause-local variable cannot be an associative array: " + name);
    }
    var known = map(scope).get(name);
    if (scope == DVariable.Scope.GLOBAL && (inlines.containsKey(name) || Names.isReserved(name))) {
      throw error(at, Tag.D_DECL_IDRED, "'" + name + "' is declared already");
    }
    if (known != null) {
      if (!DTypes.same(known.type(), type) || known.associative() != keys.isPresent()) {
        throw error(
            at,
            Tag.D_DECL_IDRED,
            "'" + name + "' is declared again; it is " + DTypes.text(known.type()));
      }
      return;
    }
    define(scope, name, type, keys.orElse(List.of()), keys.isPresent(), at);
  }

  private Map<String, Declared> map(DVariable.Scope scope) {
    return switch (scope) {
      case GLOBAL -> globals;
      case THREAD -> threadLocals;
      case CLAUSE -> clauseLocals;
    };
  }

  private Declared define(
      DVariable.Scope scope,
      String name,
      CType type,
      List<CType> keys,
      boolean associative,
      Span at) {
    if (variables.size() >= VARIABLE_LIMIT) {
      throw error(at, Tag.D_VAR_UNSUP, "more than " + VARIABLE_LIMIT + " variables");
    }
    var declared = new Declared(variables.size(), type, List.copyOf(keys), associative);
    variables.add(
        new DVariable(
            variables.size(),
            name,
            scope,
            irType(type, at),
            keys.stream().map(k -> irType(k, at)).toList()));
    map(scope).put(name, declared);
    return declared;
  }

  /** The type of a value at the probe. */
  IrType irType(CType type, Span at) {
    if (DTypes.isString(type)) {
      return IrType.STRING;
    }
    if (DTypes.is(type, DTypes.STACK)) {
      return IrType.Word.STACK;
    }
    if (DTypes.is(type, DTypes.USTACK)) {
      return IrType.Word.USTACK;
    }
    if (DTypes.is(type, DTypes.USYMADDR)
        || DTypes.is(type, DTypes.UMODADDR)
        || DTypes.is(type, DTypes.UADDR)) {
      return IrType.Word.UADDR;
    }
    if (DTypes.isSpecial(type) || DTypes.isScalar(type)) {
      return IrType.INT;
    }
    long bytes = type.bytes();
    if (bytes <= 0 || bytes > 1 << 20) {
      throw error(
          at,
          Tag.D_OP_INCOMPLETE,
          "a value of type " + DTypes.text(type) + " has no size that D can handle");
    }
    return new IrType.Blob((int) bytes);
  }

  // Values

  /** The value of a constant expression; empty when it is none. */
  OptionalLong constant(Node node) {
    var v = value(node);
    return v.code() instanceof Expr.Int i && DTypes.isScalar(v.type())
        ? OptionalLong.of(i.value())
        : OptionalLong.empty();
  }

  Operand.Value value(Node node) {
    return load(operand(node), node.span());
  }

  /** What a test, a predicate or a logical operator takes. */
  Expr scalar(Node node, Tag tag, String what) {
    var v = value(node);
    if (!DTypes.isScalar(v.type())) {
      throw error(
          node.span(), tag, what + " must be a number or a pointer, not " + DTypes.text(v.type()));
    }
    return v.code();
  }

  Operand.Value load(Operand operand, Span at) {
    return switch (operand) {
      case Operand.Value v -> v;
      case Operand.Variable v -> new Operand.Value(v.type(), get(v, at));
      case Operand.Place p -> loadPlace(p, at);
      case Operand.Part p -> loadPart(p, at);
      case Operand.Translated t ->
          throw error(
              at,
              Tag.D_OP_INCOMPAT,
              "a translated " + DTypes.text(t.type()) + " is used by its members only");
      case Operand.Array a ->
          throw error(
              at, Tag.D_OP_DYN, "'" + a.name() + "' is an array; expected " + a.name() + "[...]");
    };
  }

  private Expr get(Operand.Variable v, Span at) {
    return new Expr.Get(v.id(), v.keys(), irType(v.type(), at));
  }

  private Operand.Value loadPlace(Operand.Place p, Span at) {
    if (DTypes.isString(p.type())) {
      return new Operand.Value(
          p.type(), new Expr.LoadString(p.space(), limits.strsize(), p.address()));
    }
    return switch (p.type().resolved()) {
      case IntType _, BoolType _, EnumType _, PointerType _ -> {
        if (p.bits() > 0) {
          yield new Operand.Value(p.type(), bitField(p));
        }
        int bytes = (int) p.type().bytes();
        if (!Set.of(1, 2, 4, 8).contains(bytes)) {
          yield new Operand.Value(p.type(), new Expr.LoadBlob(p.space(), bytes, p.address()));
        }
        yield new Operand.Value(
            p.type(), new Expr.Load(p.space(), bytes, DTypes.isSigned(p.type()), p.address()));
      }
      case ArrayType a -> new Operand.Value(types.pointerTo(a.element()), p.address());
      case FunctionType _ -> new Operand.Value(types.pointerTo(p.type()), p.address());
      case CompositeType _, FloatType _ ->
          new Operand.Value(
              p.type(),
              new Expr.LoadBlob(
                  p.space(), ((IrType.Blob) irType(p.type(), at)).bytes(), p.address()));
      case OpaqueType _, VoidType _ ->
          throw error(
              at,
              Tag.D_OP_INCOMPLETE,
              "a value of the incomplete type " + DTypes.text(p.type()) + " cannot be read");
      case AliasType _ -> throw error(at, Tag.D_TYPE_ERR, "type without end");
    };
  }

  /** A bit-field: the bytes that it is in, shifted and extended. Bit 0 is the lowest. */
  private Expr bitField(Operand.Place p) {
    int first = p.bitOffset() / 8;
    int shift = p.bitOffset() % 8;
    int bytes = unit(shift + p.bits());
    var word =
        new Expr.Load(
            p.space(), bytes, false, Codes.binary(BinaryOp.ADD, p.address(), new Expr.Int(first)));
    return Codes.extend(
        shift == 0
            ? word
            : new Expr.Binary(BinaryOp.SHIFT_RIGHT_UNSIGNED, word, new Expr.Int(shift)),
        p.bits(),
        DTypes.isSigned(p.type()));
  }

  private static int unit(int bits) {
    return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
  }

  private Operand.Value loadPart(Operand.Part p, Span at) {
    return partOf(get(p.whole(), at), p.type(), p.offset(), p.bitOffset(), p.bits(), at);
  }

  private Operand.Value partOf(
      Expr blob, CType type, Expr offset, int bitOffset, int bits, Span at) {
    if (DTypes.isString(type)) {
      return new Operand.Value(
          type, new Expr.PartString(blob, offset, Math.min(limits.strsize(), (int) type.bytes())));
    }
    if (DTypes.isScalar(type)) {
      if (bits > 0) {
        int shift = bitOffset % 8;
        var word =
            new Expr.Part(
                blob,
                Codes.binary(BinaryOp.ADD, offset, new Expr.Int(bitOffset / 8)),
                unit(shift + bits),
                false);
        return new Operand.Value(
            type,
            Codes.extend(
                new Expr.Binary(BinaryOp.SHIFT_RIGHT_UNSIGNED, word, new Expr.Int(shift)),
                bits,
                DTypes.isSigned(type)));
      }
      return new Operand.Value(
          type, new Expr.Part(blob, offset, (int) type.bytes(), DTypes.isSigned(type)));
    }
    return new Operand.Value(
        type, new Expr.Slice(blob, offset, ((IrType.Blob) irType(type, at)).bytes()));
  }

  /** The string that a node is, or points to. */
  Expr string(Node node, Tag tag, String what) {
    return string(operand(node), node.span(), tag, what);
  }

  private Expr string(Operand o, Span at, Tag tag, String what) {
    if (!DTypes.isString(o.type()) && o.type().resolved() instanceof ArrayType a) {
      int limit = (int) Math.min(limits.strsize(), a.count().orElse(limits.strsize()));
      if (DTypes.isStringLike(o.type())) {
        switch (o) {
          case Operand.Place p -> {
            return new Expr.LoadString(p.space(), limit, p.address());
          }
          case Operand.Part p -> {
            return new Expr.PartString(get(p.whole(), at), p.offset(), limit);
          }
          case Operand.Variable v -> {
            return new Expr.PartString(get(v, at), new Expr.Int(0), limit);
          }
          case Operand.Value v -> {
            return new Expr.PartString(v.code(), new Expr.Int(0), limit);
          }
          case Operand.Translated _, Operand.Array _ -> {}
        }
      }
    }
    var v = load(o, at);
    if (DTypes.isString(v.type())) {
      return v.code();
    }
    if (DTypes.isStringLike(v.type())) {
      return new Expr.LoadString(Space.KERNEL, limits.strsize(), v.code());
    }
    throw error(
        at, tag, what + " must be a string or a char pointer, not " + DTypes.text(v.type()));
  }

  // Expressions

  Operand operand(Node node) {
    if (++depth > DEPTH_LIMIT) {
      throw error(node.span(), Tag.D_SYNTAX, "the expression is nested too deeply");
    }
    try {
      return switch (node) {
        case Node.IntegerLiteral i -> integer(i);
        case Node.CharLiteral c -> new Operand.Value(DTypes.INT, new Expr.Int(c.value()));
        case Node.StringLiteral s -> new Operand.Value(DTypes.STRING, text(s));
        case Node.Name n -> name(n);
        case Node.Symbol s -> symbol(s);
        case Node.Scoped s -> scoped(s);
        case Node.AggregationRef a ->
            throw error(
                a.span(),
                Tag.D_AGG_NULL,
                "aggregation @"
                    + (a.name().equals("_") ? "" : a.name())
                    + " has no value in an expression; it is fed by @ = function(...) and shown by"
                    + " printa()");
        case Node.Prefix p -> prefix(p);
        case Node.Postfix p -> step(p.op(), p.operand(), true, p.span());
        case Node.Infix i -> infix(i);
        case Node.Assign a -> assign(a);
        case Node.Ternary t -> ternary(t);
        case Node.Comma c -> {
          var left = value(c.left());
          var right = value(c.right());
          yield new Operand.Value(right.type(), new Expr.Sequence(left.code(), right.code()));
        }
        case Node.Cast c -> cast(c);
        case Node.SizeofType s ->
            new Operand.Value(DTypes.ULONG, new Expr.Int(size(types.resolve(s.type()), s.span())));
        case Node.Sizeof s -> sizeof(s);
        case Node.Offsetof o -> offsetof(o);
        case Node.Stringof s -> stringof(s);
        case Node.Xlate x -> xlate(types.resolve(x.type()), operand(x.operand()), x.span());
        case Node.Call c -> call(c);
        case Node.Index i -> index(i);
        case Node.Member m -> member(m);
      };
    } finally {
      depth--;
    }
  }

  private Expr text(Node.StringLiteral s) {
    int nul = s.value().indexOf(0);
    return new Expr.Text(nul < 0 ? s.value() : s.value().substring(0, nul));
  }

  private Operand integer(Node.IntegerLiteral i) {
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
    return new Operand.Value(type, new Expr.Int(v));
  }

  private Operand name(Node.Name n) {
    var bound = bindings.get(n.name());
    if (bound != null) {
      return bound;
    }
    var variable = globals.get(n.name());
    if (variable != null) {
      return variable.associative()
          ? new Operand.Array(variable.type(), n.name())
          : new Operand.Variable(variable.type(), variable.id(), List.of());
    }
    var inline = inlines.get(n.name());
    if (inline != null) {
      return inline.keys().isEmpty()
          ? inline(inline, Map.of(), n.span())
          : new Operand.Array(inline.type(), n.name());
    }
    var builtin = builtin(n);
    if (builtin.isPresent()) {
      return builtin.get();
    }
    var enumerator = types.enumerator(n.name());
    if (enumerator.isPresent()) {
      return new Operand.Value(enumerator.get().type(), new Expr.Int(enumerator.get().value()));
    }
    if (Names.isFunction(n.name())) {
      throw error(
          n.span(),
          Tag.D_IDENT_BADREF,
          "'" + n.name() + "' is a function; expected " + n.name() + "(...)");
    }
    throw error(n.span(), Tag.D_IDENT_UNDEF, "'" + n.name() + "' is not known" + near(n.name()));
  }

  private String near(String name) {
    var known = new LinkedHashSet<String>(globals.keySet());
    known.addAll(inlines.keySet());
    known.addAll(Names.all());
    known.addAll(bindings.keySet());
    return Near.text(name, known);
  }

  private Optional<Operand> builtin(Node.Name n) {
    var name = n.name();
    if (name.length() == 4 && name.startsWith("arg") && Character.isDigit(name.charAt(3))) {
      return Optional.of(new Operand.Value(DTypes.LONG, new Expr.Argument(name.charAt(3) - '0')));
    }
    if (name.equals("args") || name.equals("uregs")) {
      return Optional.of(new Operand.Array(DTypes.LONG, name));
    }
    if (name.equals("self") || name.equals("this")) {
      throw error(
          n.span(), Tag.D_IDENT_BADREF, "expected '->' and a variable's name after '" + name + "'");
    }
    return Builtin.named(name)
        .map(
            b -> {
              if (!environment.builtins().contains(b)) {
                throw error(
                    n.span(),
                    Tag.D_IDENT_UNDEF,
                    "'" + name + "' is not available from what is traced here");
              }
              return new Operand.Value(typeOf(b), new Expr.Variable(b));
            });
  }

  private CType typeOf(Builtin b) {
    return switch (b) {
      case EXECNAME, PROBEFUNC, PROBEMOD, PROBENAME, PROBEPROV -> DTypes.STRING;
      case CPU, ERRNO, PID, PPID, TID -> DTypes.INT;
      case GID, ID, IPL, STACKDEPTH, UID, USTACKDEPTH -> DTypes.UINT;
      case CALLER, EPID, TIMESTAMP, UCALLER, VTIMESTAMP, WALLTIMESTAMP -> DTypes.ULONG;
      case CURTHREAD -> threadPointer();
    };
  }

  private CType threadPointer() {
    return types.pointerTo(
        environment
            .program()
            .flatMap(p -> p.types().find(TypeName.struct("task_struct")))
            .orElse(VoidType.VOID));
  }

  private Operand symbol(Node.Symbol s) {
    if (environment.program().isEmpty()) {
      throw error(
          s.span(), Tag.D_SYM_NOTYPES, "kernel symbol '" + s.name() + "': there is no kernel here");
    }
    var program = environment.program().get();
    var full = s.module().isEmpty() ? s.name() : s.module() + "`" + s.name();
    if (program.symbols().named(full).isEmpty()) {
      throw error(
          s.span(),
          Tag.D_IDENT_UNDEF,
          "there is no kernel symbol '"
              + full
              + "'"
              + Near.text(
                  s.name(),
                  program
                      .symbols()
                      .completions(s.name().substring(0, Math.min(3, s.name().length())), 2000)));
    }
    try {
      var v = program.global(full);
      if (v instanceof Ref r) {
        return new Operand.Place(r.type(), new Expr.Int(r.address()), Space.KERNEL, 0, 0, true);
      }
    } catch (FathomException e) {
      // No type is known: a function is still an address.
      var found = program.symbols().named(full).getFirst();
      if (found.kind() == dev.fathom.model.Symbol.Kind.TEXT) {
        var function = new FunctionType(() -> VoidType.VOID, List::of, false);
        return new Operand.Place(function, new Expr.Int(found.address()), Space.KERNEL, 0, 0, true);
      }
      throw error(
          s.span(),
          Tag.D_SYM_NOTYPES,
          "kernel symbol '" + full + "' has no type: " + e.getMessage());
    }
    throw error(s.span(), Tag.D_SYM_BADREF, "kernel symbol '" + full + "' has no address");
  }

  private Operand scoped(Node.Scoped s) {
    var declared = scopedMap(s).get(s.name());
    if (declared == null) {
      throw error(
          s.span(),
          Tag.D_VAR_UNDEF,
          s.scope().prefix()
              + s.name()
              + " is used before anything is assigned to it"
              + Near.text(s.name(), scopedMap(s).keySet()));
    }
    return declared.associative()
        ? new Operand.Array(declared.type(), s.scope().prefix() + s.name())
        : new Operand.Variable(declared.type(), declared.id(), List.of());
  }

  private Map<String, Declared> scopedMap(Node.Scoped s) {
    return map(scope(s));
  }

  private static DVariable.Scope scope(Node.Scoped s) {
    return switch (s.scope()) {
      case SELF -> DVariable.Scope.THREAD;
      case THIS -> DVariable.Scope.CLAUSE;
    };
  }

  private Operand inline(InlineDef def, Map<String, Operand> arguments, Span at) {
    if (++inlineDepth > INLINE_LIMIT) {
      throw error(at, Tag.D_SYNTAX, "inline '" + def.name() + "' leads to itself");
    }
    var outerSource = source;
    var outerBindings = bindings;
    use(def.source());
    bindings = arguments;
    try {
      var o = operand(def.value());
      if (o instanceof Operand.Translated) {
        return o;
      }
      return convert(load(o, def.value().span()), def.type(), def.value().span());
    } finally {
      inlineDepth--;
      use(outerSource);
      bindings = outerBindings;
    }
  }

  // Operators

  private Operand prefix(Node.Prefix p) {
    switch (p.op()) {
      case "++", "--" -> {
        return step(p.op(), p.operand(), false, p.span());
      }
      case "&" -> {
        return address(p);
      }
      case "*" -> {
        return dereference(value(p.operand()), p.span());
      }
      case "!" -> {
        var code = scalar(p.operand(), Tag.D_OP_SCALAR, "operand of '!'");
        return new Operand.Value(DTypes.INT, Codes.unary(Expr.UnaryOp.NOT, code));
      }
      default -> {
        var v = value(p.operand());
        if (!DTypes.isInteger(v.type())) {
          throw error(
              p.span(),
              p.op().equals("~") ? Tag.D_OP_INT : Tag.D_OP_ARITH,
              "operand of '" + p.op() + "' must be an integer, not " + DTypes.text(v.type()));
        }
        var type = DTypes.promote(v.type());
        var code = Codes.narrow(v.code(), type);
        if (p.op().equals("+")) {
          return new Operand.Value(type, code);
        }
        var op = p.op().equals("-") ? Expr.UnaryOp.NEGATE : Expr.UnaryOp.COMPLEMENT;
        return new Operand.Value(type, Codes.narrow(Codes.unary(op, code), type));
      }
    }
  }

  private Operand address(Node.Prefix p) {
    var o = operand(p.operand());
    return switch (o) {
      case Operand.Place place -> {
        if (place.bits() > 0) {
          throw error(p.span(), Tag.D_ADDROF_BITFIELD, "a bit-field has no address");
        }
        yield new Operand.Value(types.pointerTo(place.type()), place.address());
      }
      case Operand.Variable _, Operand.Part _, Operand.Array _ ->
          throw error(
              p.span(),
              Tag.D_ADDROF_VAR,
              "a D variable has no address; only the target's memory has");
      case Operand.Value _, Operand.Translated _ ->
          throw error(p.span(), Tag.D_ADDROF_LVAL, "operand of '&' must be something in memory");
    };
  }

  private Operand dereference(Operand.Value v, Span at) {
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
    return new Operand.Place(target, v.code(), Space.KERNEL);
  }

  /** {@code ++} and {@code --}. */
  private Operand step(String op, Node target, boolean after, Span at) {
    var place = assignable(target, at);
    if (!DTypes.isScalar(place.type())) {
      throw error(
          at,
          Tag.D_OP_SCALAR,
          "operand of '"
              + op
              + "' must be a number or a pointer, not "
              + DTypes.text(place.type()));
    }
    var ir = op.equals("++") ? BinaryOp.ADD : BinaryOp.SUBTRACT;
    long by =
        place.type().resolved() instanceof PointerType p ? Math.max(1, p.target().bytes()) : 1;
    return once(
        place,
        fixed -> {
          var old = load(fixed, at);
          if (!after) {
            var next = Codes.narrow(Codes.binary(ir, old.code(), new Expr.Int(by)), old.type());
            return store(fixed, new Operand.Value(old.type(), next), at);
          }
          int slot = clause.locals++;
          var local = new Expr.Local(slot, IrType.INT);
          var next = Codes.narrow(Codes.binary(ir, local, new Expr.Int(by)), old.type());
          var stored = store(fixed, new Operand.Value(old.type(), next), at);
          return new Operand.Value(
              old.type(), new Expr.Let(slot, old.code(), new Expr.Sequence(stored.code(), local)));
        });
  }

  /** Something that D may assign to and reads before; a new variable begins as a 64-bit zero. */
  private Operand assignable(Node node, Span at) {
    return targetOf(node, new Operand.Value(DTypes.LONG, new Expr.Int(0)), at);
  }

  private Operand writable(Operand o, Span at) {
    return switch (o) {
      case Operand.Variable v -> v;
      case Operand.Part p -> p;
      case Operand.Place p -> {
        if (p.symbol()) {
          throw error(at, Tag.D_OP_WRITE, "a kernel symbol cannot be assigned to");
        }
        yield p;
      }
      case Operand.Value v -> {
        if (v.code() instanceof Expr.Variable || v.code() instanceof Expr.Argument) {
          throw error(at, Tag.D_OP_WRITE, "a built-in variable cannot be assigned to");
        }
        throw error(at, Tag.D_OP_LVAL, "what is assigned to must be a variable or in memory");
      }
      case Operand.Translated _ ->
          throw error(at, Tag.D_OP_LVAL, "a translated structure cannot be assigned to");
      case Operand.Array a ->
          throw error(
              at, Tag.D_OP_DYN, "'" + a.name() + "' is an array; expected " + a.name() + "[...]");
    };
  }

  /** Evaluates the keys or address of a place once, for what reads and then writes it. */
  private Operand.Value once(Operand place, Function<Operand, Operand.Value> use) {
    return switch (place) {
      case Operand.Variable v ->
          fix(
              v.keys(),
              0,
              new ArrayList<>(),
              keys -> use.apply(new Operand.Variable(v.type(), v.id(), keys)));
      case Operand.Part p ->
          fix(
              p.whole().keys(),
              0,
              new ArrayList<>(),
              keys ->
                  fix(
                      List.of(p.offset()),
                      0,
                      new ArrayList<>(),
                      offset ->
                          use.apply(
                              new Operand.Part(
                                  p.type(),
                                  new Operand.Variable(p.whole().type(), p.whole().id(), keys),
                                  offset.getFirst(),
                                  p.bitOffset(),
                                  p.bits()))));
      case Operand.Place p ->
          fix(
              List.of(p.address()),
              0,
              new ArrayList<>(),
              address ->
                  use.apply(
                      new Operand.Place(
                          p.type(),
                          address.getFirst(),
                          p.space(),
                          p.bitOffset(),
                          p.bits(),
                          p.symbol())));
      case Operand.Value v -> use.apply(v);
      case Operand.Translated t -> use.apply(t);
      case Operand.Array a -> use.apply(a);
    };
  }

  private Operand.Value fix(
      List<Expr> codes, int index, List<Expr> done, Function<List<Expr>, Operand.Value> use) {
    if (index == codes.size()) {
      return use.apply(List.copyOf(done));
    }
    var code = codes.get(index);
    if (code instanceof Expr.Int || code instanceof Expr.Text || code instanceof Expr.Local) {
      done.add(code);
      return fix(codes, index + 1, done, use);
    }
    int slot = clause.locals++;
    done.add(new Expr.Local(slot, code.type()));
    var inner = fix(codes, index + 1, done, use);
    return new Operand.Value(inner.type(), new Expr.Let(slot, code, inner.code()));
  }

  private Operand assign(Node.Assign a) {
    if (a.target() instanceof Node.AggregationRef) {
      throw error(a.span(), Tag.D_AGG_FUNC, "an aggregation is fed by a statement of its own");
    }
    if (a.op().isEmpty()) {
      var v = value(a.value());
      var target = targetOf(a.target(), v, a.span());
      return store(target, convert(v, target.type(), a.span()), a.span());
    }
    var place = assignable(a.target(), a.span());
    var right = value(a.value());
    return once(
        place,
        fixed -> {
          var result = arithmetic(a.op(), load(fixed, a.span()), right, a.value(), a.span());
          return store(fixed, convert(result, fixed.type(), a.span()), a.span());
        });
  }

  /** What is assigned to, defined by the value that is assigned if nothing has defined it. */
  private Operand targetOf(Node target, Operand.Value v, Span at) {
    return switch (target) {
      case Node.Name n when undefined(n.name()) -> {
        requireDefinable(v, at);
        var d = define(DVariable.Scope.GLOBAL, n.name(), v.type(), List.of(), false, at);
        yield new Operand.Variable(d.type(), d.id(), List.of());
      }
      case Node.Scoped s when !scopedMap(s).containsKey(s.name()) -> {
        requireDefinable(v, at);
        var d = define(scope(s), s.name(), v.type(), List.of(), false, at);
        yield new Operand.Variable(d.type(), d.id(), List.of());
      }
      case Node.Index i
          when (i.base() instanceof Node.Name n && undefined(n.name()))
              || (i.base() instanceof Node.Scoped s && !scopedMap(s).containsKey(s.name())) -> {
        requireDefinable(v, at);
        var keys = i.indexes().stream().map(this::key).toList();
        var keyTypes = keys.stream().map(Operand.Value::type).toList();
        var scope = i.base() instanceof Node.Scoped s ? scope(s) : DVariable.Scope.GLOBAL;
        if (scope == DVariable.Scope.CLAUSE) {
          throw error(
              at, Tag.D_ARR_LOCAL, "a clause-local variable cannot be an associative array");
        }
        var name = i.base() instanceof Node.Scoped s ? s.name() : ((Node.Name) i.base()).name();
        var d = define(scope, name, v.type(), keyTypes, true, at);
        yield new Operand.Variable(
            d.type(), d.id(), keys.stream().map(Operand.Value::code).toList());
      }
      default -> writable(operand(target), at);
    };
  }

  private boolean undefined(String name) {
    return !globals.containsKey(name)
        && !inlines.containsKey(name)
        && !bindings.containsKey(name)
        && !Names.isReserved(name)
        && types.enumerator(name).isEmpty();
  }

  private void requireDefinable(Operand.Value v, Span at) {
    if (DTypes.isVoid(v.type())) {
      throw error(at, Tag.D_OP_VFPTR, "a value of type void cannot be assigned");
    }
  }

  private Operand.Value store(Operand target, Operand.Value v, Span at) {
    return switch (target) {
      case Operand.Variable variable ->
          new Operand.Value(v.type(), new Expr.Set(variable.id(), variable.keys(), v.code()));
      case Operand.Part p -> storePart(p, v, at);
      case Operand.Place p -> storePlace(p, v, at);
      case Operand.Value _, Operand.Translated _, Operand.Array _ ->
          throw error(at, Tag.D_OP_LVAL, "what is assigned to must be a variable or in memory");
    };
  }

  private Operand.Value storePlace(Operand.Place p, Operand.Value v, Span at) {
    if (!DTypes.isScalar(p.type()) || p.space() == Space.USER) {
      throw error(
          at,
          Tag.D_OP_LVAL,
          "only numbers can be stored to memory, not " + DTypes.text(p.type()) + "; use bcopy()");
    }
    if (p.bits() == 0) {
      return new Operand.Value(
          v.type(), new Expr.Store((int) p.type().bytes(), p.address(), v.code()));
    }
    int shift = p.bitOffset() % 8;
    int bytes = unit(shift + p.bits());
    var address = Codes.binary(BinaryOp.ADD, p.address(), new Expr.Int(p.bitOffset() / 8));
    var old = new Expr.Load(p.space(), bytes, false, address);
    return new Operand.Value(
        v.type(), new Expr.Store(bytes, address, merged(old, v.code(), shift, p.bits())));
  }

  private Expr merged(Expr old, Expr value, int shift, int bits) {
    long mask = (bits >= 64 ? -1L : (1L << bits) - 1) << shift;
    return Codes.binary(
        BinaryOp.OR,
        Codes.binary(BinaryOp.AND, old, new Expr.Int(~mask)),
        Codes.binary(
            BinaryOp.AND,
            Codes.binary(BinaryOp.SHIFT_LEFT, value, new Expr.Int(shift)),
            new Expr.Int(mask)));
  }

  private Operand.Value storePart(Operand.Part p, Operand.Value v, Span at) {
    var whole = get(p.whole(), at);
    int slot = clause.locals++;
    var local = new Expr.Local(slot, v.code().type());
    Expr changed;
    if (DTypes.isScalar(p.type()) && p.bits() == 0) {
      changed = new Expr.WithPart(whole, p.offset(), (int) p.type().bytes(), local);
    } else if (DTypes.isScalar(p.type())) {
      int shift = p.bitOffset() % 8;
      int bytes = unit(shift + p.bits());
      var offset = Codes.binary(BinaryOp.ADD, p.offset(), new Expr.Int(p.bitOffset() / 8));
      var old = new Expr.Part(whole, offset, bytes, false);
      changed = new Expr.WithPart(whole, offset, bytes, merged(old, local, shift, p.bits()));
    } else if (local.type() instanceof IrType.Blob) {
      changed = new Expr.WithSlice(whole, p.offset(), local);
    } else {
      throw error(
          at,
          Tag.D_OP_LVAL,
          "a member of type " + DTypes.text(p.type()) + " cannot be assigned to on its own");
    }
    return new Operand.Value(
        v.type(),
        new Expr.Let(
            slot,
            v.code(),
            new Expr.Sequence(new Expr.Set(p.whole().id(), p.whole().keys(), changed), local)));
  }

  /** {@code v} as a value of {@code type}, or an error where D does not convert by itself. */
  Operand.Value convert(Operand.Value v, CType type, Span at) {
    if (DTypes.isString(type)) {
      if (DTypes.isString(v.type())) {
        return new Operand.Value(type, v.code());
      }
      if (DTypes.isStringLike(v.type())) {
        return new Operand.Value(
            type, new Expr.LoadString(Space.KERNEL, limits.strsize(), v.code()));
      }
      throw incompatible(v.type(), type, at);
    }
    if (DTypes.isInteger(type) && DTypes.isInteger(v.type())) {
      var code =
          type.resolved() instanceof BoolType
              ? Codes.binary(BinaryOp.NOT_EQUAL, v.code(), new Expr.Int(0))
              : Codes.narrow(v.code(), type);
      return new Operand.Value(type, code);
    }
    if (DTypes.isPointer(type)) {
      boolean zero = v.code() instanceof Expr.Int i && i.value() == 0;
      if ((DTypes.isPointer(v.type()) && (zero || compatible(type, v.type())))
          || (DTypes.isInteger(v.type()) && zero)) {
        return new Operand.Value(type, v.code());
      }
    }
    boolean special = DTypes.isSpecial(type) || DTypes.isSpecial(v.type());
    boolean bySize = v.code().type() instanceof IrType.Blob b && b.bytes() == type.bytes();
    if (special
        ? v.type().text().equals(type.text())
        : !DTypes.isScalar(type) && DTypes.same(type, v.type()) && bySize) {
      return new Operand.Value(type, v.code());
    }
    throw incompatible(v.type(), type, at);
  }

  private boolean compatible(CType a, CType b) {
    var x = ((PointerType) a.resolved()).target();
    var y = ((PointerType) b.resolved()).target();
    return DTypes.isVoid(x) || DTypes.isVoid(y) || DTypes.same(x, y);
  }

  private RuntimeException incompatible(CType from, CType to, Span at) {
    return error(
        at,
        Tag.D_OP_INCOMPAT,
        "a value of type " + DTypes.text(from) + " is none of type " + DTypes.text(to));
  }

  private Operand infix(Node.Infix i) {
    switch (i.op()) {
      case "&&", "||", "^^" -> {
        var what = "operand of '" + i.op() + "'";
        var left = scalar(i.left(), Tag.D_OP_SCALAR, what);
        var right = scalar(i.right(), Tag.D_OP_SCALAR, what);
        return new Operand.Value(DTypes.INT, logical(i.op(), left, right));
      }
      case "==", "!=", "<", "<=", ">", ">=" -> {
        return compare(i);
      }
      default -> {
        return arithmetic(i.op(), value(i.left()), value(i.right()), i.right(), i.span());
      }
    }
  }

  private static Expr logical(String op, Expr left, Expr right) {
    return switch (op) {
      case "&&" -> new Expr.And(left, right);
      case "||" -> new Expr.Or(left, right);
      default ->
          Codes.binary(
              BinaryOp.NOT_EQUAL,
              Codes.unary(Expr.UnaryOp.NOT, left),
              Codes.unary(Expr.UnaryOp.NOT, right));
    };
  }

  private Operand compare(Node.Infix i) {
    var left = operand(i.left());
    var right = operand(i.right());
    boolean strings =
        DTypes.isStringLike(left.type())
            && DTypes.isStringLike(right.type())
            && (DTypes.isString(left.type()) || DTypes.isString(right.type()));
    boolean swap = i.op().startsWith(">");
    if (strings) {
      var a = string(left, i.left().span(), Tag.D_OP_INCOMPAT, "operand of '" + i.op() + "'");
      var b = string(right, i.right().span(), Tag.D_OP_INCOMPAT, "operand of '" + i.op() + "'");
      var op = relation(i.op(), true);
      return new Operand.Value(
          DTypes.INT, swap ? new Expr.CompareStrings(op, b, a) : new Expr.CompareStrings(op, a, b));
    }
    var a = load(left, i.left().span());
    var b = load(right, i.right().span());
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
    var op = relation(i.op(), pair.signed());
    return new Operand.Value(
        DTypes.INT,
        swap
            ? Codes.binary(op, pair.right(), pair.left())
            : Codes.binary(op, pair.left(), pair.right()));
  }

  private static BinaryOp relation(String op, boolean signed) {
    return switch (op) {
      case "==" -> BinaryOp.EQUAL;
      case "!=" -> BinaryOp.NOT_EQUAL;
      case "<", ">" -> signed ? BinaryOp.LESS : BinaryOp.LESS_UNSIGNED;
      default -> signed ? BinaryOp.LESS_EQUAL : BinaryOp.LESS_EQUAL_UNSIGNED;
    };
  }

  private record Pair(Expr left, Expr right, CType type, boolean signed) {}

  /** Both operands by the usual arithmetic conversions; a pointer is an unsigned number. */
  private Pair converted(Operand.Value a, Operand.Value b) {
    var type =
        DTypes.isPointer(a.type()) || DTypes.isPointer(b.type())
            ? DTypes.ULONG
            : DTypes.common(a.type(), b.type());
    return new Pair(
        Codes.narrow(a.code(), type), Codes.narrow(b.code(), type), type, DTypes.isSigned(type));
  }

  private Operand.Value arithmetic(
      String op, Operand.Value left, Operand.Value right, Node rightNode, Span at) {
    boolean additive = op.equals("+") || op.equals("-");
    if (additive && (DTypes.isPointer(left.type()) || DTypes.isPointer(right.type()))) {
      return pointerArithmetic(op, left, right, at);
    }
    boolean bits = Set.of("&", "|", "^", "<<", ">>", "%").contains(op);
    for (var v : List.of(left, right)) {
      if (!DTypes.isInteger(v.type())) {
        throw error(
            at,
            bits ? Tag.D_OP_INT : Tag.D_OP_ARITH,
            "operands of '" + op + "' must be integers, not " + DTypes.text(v.type()));
      }
    }
    if (op.equals("<<") || op.equals(">>")) {
      var type = DTypes.promote(left.type());
      var ir =
          op.equals("<<")
              ? BinaryOp.SHIFT_LEFT
              : DTypes.isSigned(type) ? BinaryOp.SHIFT_RIGHT : BinaryOp.SHIFT_RIGHT_UNSIGNED;
      return new Operand.Value(
          type,
          Codes.narrow(Codes.binary(ir, Codes.narrow(left.code(), type), right.code()), type));
    }
    if ((op.equals("/") || op.equals("%"))
        && right.code() instanceof Expr.Int i
        && i.value() == 0) {
      throw error(rightNode.span(), Tag.D_DIV_ZERO, "division by zero");
    }
    var pair = converted(left, right);
    var ir =
        switch (op) {
          case "+" -> BinaryOp.ADD;
          case "-" -> BinaryOp.SUBTRACT;
          case "*" -> BinaryOp.MULTIPLY;
          case "/" -> pair.signed() ? BinaryOp.DIVIDE : BinaryOp.DIVIDE_UNSIGNED;
          case "%" -> pair.signed() ? BinaryOp.REMAINDER : BinaryOp.REMAINDER_UNSIGNED;
          case "&" -> BinaryOp.AND;
          case "|" -> BinaryOp.OR;
          default -> BinaryOp.XOR;
        };
    return new Operand.Value(
        pair.type(), Codes.narrow(Codes.binary(ir, pair.left(), pair.right()), pair.type()));
  }

  private Operand.Value pointerArithmetic(
      String op, Operand.Value left, Operand.Value right, Span at) {
    boolean both = DTypes.isPointer(left.type()) && DTypes.isPointer(right.type());
    boolean leftPoints = DTypes.isPointer(left.type());
    var pointer = leftPoints ? left : right;
    var target = ((PointerType) pointer.type().resolved()).target();
    long size = Math.max(1, target.bytes());
    if (target.resolved() instanceof OpaqueType) {
      throw error(at, Tag.D_OP_INCOMPLETE, "the size of " + DTypes.text(target) + " is not known");
    }
    if (both) {
      if (op.equals("+") || !compatible(left.type(), right.type())) {
        throw error(
            at,
            Tag.D_OP_INCOMPAT,
            "operator '"
                + op
                + "' does not go with "
                + DTypes.text(left.type())
                + " and "
                + DTypes.text(right.type()));
      }
      return new Operand.Value(
          DTypes.LONG,
          Codes.binary(
              BinaryOp.DIVIDE,
              Codes.binary(BinaryOp.SUBTRACT, left.code(), right.code()),
              new Expr.Int(size)));
    }
    var number = leftPoints ? right : left;
    if (!DTypes.isInteger(number.type()) || (op.equals("-") && !leftPoints)) {
      throw error(
          at,
          Tag.D_OP_INCOMPAT,
          "operator '"
              + op
              + "' does not go with "
              + DTypes.text(left.type())
              + " and "
              + DTypes.text(right.type()));
    }
    var bytes = Codes.binary(BinaryOp.MULTIPLY, number.code(), new Expr.Int(size));
    return new Operand.Value(
        pointer.type(),
        Codes.binary(op.equals("+") ? BinaryOp.ADD : BinaryOp.SUBTRACT, pointer.code(), bytes));
  }

  private Operand ternary(Node.Ternary t) {
    var test = scalar(t.test(), Tag.D_OP_SCALAR, "condition of '?:'");
    var yes = operand(t.yes());
    var no = operand(t.no());
    if ((DTypes.isString(yes.type()) && DTypes.isStringLike(no.type()))
        || (DTypes.isString(no.type()) && DTypes.isStringLike(yes.type()))) {
      return new Operand.Value(
          DTypes.STRING,
          new Expr.Conditional(
              test,
              string(yes, t.yes().span(), Tag.D_OP_INCOMPAT, "operand of '?:'"),
              string(no, t.no().span(), Tag.D_OP_INCOMPAT, "operand of '?:'")));
    }
    var a = load(yes, t.yes().span());
    var b = load(no, t.no().span());
    if (DTypes.isInteger(a.type()) && DTypes.isInteger(b.type())) {
      var pair = converted(a, b);
      return new Operand.Value(pair.type(), new Expr.Conditional(test, pair.left(), pair.right()));
    }
    if (DTypes.isVoid(a.type()) && DTypes.isVoid(b.type())) {
      return new Operand.Value(a.type(), new Expr.Conditional(test, a.code(), b.code()));
    }
    if (DTypes.isPointer(a.type()) && !DTypes.isVoid(b.type())) {
      return new Operand.Value(
          a.type(), new Expr.Conditional(test, a.code(), convert(b, a.type(), t.span()).code()));
    }
    if (DTypes.isPointer(b.type()) && !DTypes.isVoid(a.type())) {
      return new Operand.Value(
          b.type(), new Expr.Conditional(test, convert(a, b.type(), t.span()).code(), b.code()));
    }
    if (DTypes.same(a.type(), b.type()) && a.code().type().equals(b.code().type())) {
      return new Operand.Value(a.type(), new Expr.Conditional(test, a.code(), b.code()));
    }
    throw error(
        t.span(),
        Tag.D_OP_INCOMPAT,
        "the sides of '?:' are of types "
            + DTypes.text(a.type())
            + " and "
            + DTypes.text(b.type()));
  }

  private Operand cast(Node.Cast c) {
    var type = types.resolve(c.type());
    var o = operand(c.operand());
    if (DTypes.isString(type)) {
      return new Operand.Value(
          type, string(o, c.span(), Tag.D_CAST_INVAL, "what is cast to string"));
    }
    var v = load(o, c.operand().span());
    if (DTypes.isVoid(type)) {
      return new Operand.Value(type, v.code());
    }
    if (DTypes.isInteger(type) && DTypes.isScalar(v.type())) {
      return new Operand.Value(
          type,
          type.resolved() instanceof BoolType
              ? Codes.binary(BinaryOp.NOT_EQUAL, v.code(), new Expr.Int(0))
              : Codes.narrow(v.code(), type));
    }
    if (DTypes.isPointer(type) && DTypes.isScalar(v.type())) {
      return new Operand.Value(type, v.code());
    }
    if (DTypes.same(type, v.type()) && !DTypes.isSpecial(v.type())) {
      return new Operand.Value(type, v.code());
    }
    throw error(
        c.span(),
        Tag.D_CAST_INVAL,
        "a value of type " + DTypes.text(v.type()) + " cannot be cast to " + DTypes.text(type));
  }

  private long size(CType type, Span at) {
    if (DTypes.isString(type)) {
      return limits.strsize();
    }
    if (DTypes.isSpecial(type)
        || type.resolved() instanceof FunctionType
        || type.resolved() instanceof OpaqueType
        || DTypes.isVoid(type)) {
      throw error(at, Tag.D_SIZEOF_TYPE, "the size of " + DTypes.text(type) + " is not known");
    }
    return type.bytes();
  }

  private Operand sizeof(Node.Sizeof s) {
    if (s.operand() instanceof Node.AggregationRef) {
      throw error(s.span(), Tag.D_SIZEOF_TYPE, "an aggregation has no size");
    }
    var o = operand(s.operand());
    if ((o instanceof Operand.Place p && p.bits() > 0)
        || (o instanceof Operand.Part q && q.bits() > 0)) {
      throw error(s.span(), Tag.D_SIZEOF_BITFIELD, "a bit-field has no size in bytes");
    }
    if (o instanceof Operand.Array a) {
      throw error(s.span(), Tag.D_SIZEOF_TYPE, "'" + a.name() + "' is an array without a size");
    }
    return new Operand.Value(DTypes.ULONG, new Expr.Int(size(o.type(), s.span())));
  }

  private Operand offsetof(Node.Offsetof o) {
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
            .orElseThrow(() -> noMember(composite, o.member(), o.span()));
    if (found.member().isBitField()) {
      throw error(
          o.span(),
          Tag.D_OFFSETOF_BITFIELD,
          "'" + o.member() + "' is a bit-field: it has no offset");
    }
    return new Operand.Value(DTypes.ULONG, new Expr.Int(found.byteOffset()));
  }

  private RuntimeException noMember(CompositeType type, String name, Span at) {
    return error(
        at,
        Tag.D_TYPE_MEMBER,
        "'" + name + "' is no member of " + type.text() + Near.text(name, types.memberNames(type)));
  }

  private Operand stringof(Node.Stringof s) {
    var o = operand(s.operand());
    if (DTypes.isStringLike(o.type())) {
      return new Operand.Value(
          DTypes.STRING, string(o, s.span(), Tag.D_STRINGOF_TYPE, "operand of stringof"));
    }
    var v = load(o, s.operand().span());
    if (DTypes.isPointer(v.type()) || (DTypes.isInteger(v.type()) && v.type().bytes() == 8)) {
      return new Operand.Value(
          DTypes.STRING, new Expr.LoadString(Space.KERNEL, limits.strsize(), v.code()));
    }
    throw error(
        s.span(),
        Tag.D_STRINGOF_TYPE,
        "operand of stringof must be a string or an address, not " + DTypes.text(v.type()));
  }

  // Arrays and members

  /** A key of an array or aggregation. */
  Operand.Value key(Node node) {
    var o = operand(node);
    if (!DTypes.isString(o.type()) && DTypes.isArray(o.type()) && DTypes.isStringLike(o.type())) {
      return new Operand.Value(DTypes.STRING, string(o, node.span(), Tag.D_KEY_TYPE, "the key"));
    }
    var v = load(o, node.span());
    if (DTypes.isVoid(v.type()) || DTypes.isComposite(v.type())) {
      throw error(
          node.span(),
          Tag.D_KEY_TYPE,
          "a key must be a number, a pointer, a string or a stack, not " + DTypes.text(v.type()));
    }
    return v;
  }

  private Operand index(Node.Index i) {
    if (i.base() instanceof Node.Name n && !bindings.containsKey(n.name())) {
      if (n.name().equals("args") && !globals.containsKey("args")) {
        return argument(i);
      }
      if (n.name().equals("uregs") && !globals.containsKey("uregs")) {
        return register(i);
      }
      var d = globals.get(n.name());
      if (d != null && d.associative()) {
        return element(d, n.name(), i);
      }
      var inline = inlines.get(n.name());
      if (d == null && inline != null && !inline.keys().isEmpty()) {
        return inlineElement(inline, i);
      }
      if (d == null && undefined(n.name()) && !Names.isReserved(n.name())) {
        throw error(
            n.span(),
            Tag.D_IDENT_UNDEF,
            "'" + n.name() + "' is not known: nothing is assigned to it before" + near(n.name()));
      }
    }
    if (i.base() instanceof Node.Scoped s) {
      var d = scopedMap(s).get(s.name());
      if (d != null && d.associative()) {
        return element(d, s.scope().prefix() + s.name(), i);
      }
    }
    var base = operand(i.base());
    if (i.indexes().size() > 1) {
      throw error(
          i.span(),
          Tag.D_ARR_BADREF,
          "expected an associative array before several keys, not " + DTypes.text(base.type()));
    }
    var number = value(i.indexes().getFirst());
    if (!DTypes.isInteger(number.type())) {
      throw error(
          i.indexes().getFirst().span(),
          Tag.D_OP_INT,
          "an index must be an integer, not " + DTypes.text(number.type()));
    }
    if (DTypes.isArray(base.type())) {
      return arrayElement(base, (ArrayType) base.type().resolved(), number, i);
    }
    var v = load(base, i.base().span());
    if (!(v.type().resolved() instanceof PointerType)) {
      throw error(
          i.span(),
          Tag.D_ARR_BADREF,
          "expected an array or a pointer before '[', not " + DTypes.text(v.type()));
    }
    return dereference(pointerArithmetic("+", v, number, i.span()), i.span());
  }

  private Operand arrayElement(Operand base, ArrayType array, Operand.Value number, Node.Index i) {
    long count = array.count().orElse(Long.MAX_VALUE);
    if (number.code() instanceof Expr.Int n
        && (n.value() < 0 || (n.value() >= count && count > 0))) {
      throw error(
          i.span(),
          Tag.D_ARR_BOUNDS,
          "index " + n.value() + " is outside of " + DTypes.text(base.type()));
    }
    var bytes =
        Codes.binary(BinaryOp.MULTIPLY, number.code(), new Expr.Int(array.element().bytes()));
    return switch (base) {
      case Operand.Place p ->
          new Operand.Place(
              array.element(),
              Codes.binary(BinaryOp.ADD, p.address(), bytes),
              p.space(),
              0,
              0,
              p.symbol());
      case Operand.Variable v -> new Operand.Part(array.element(), v, bytes, 0, 0);
      case Operand.Part p ->
          new Operand.Part(
              array.element(), p.whole(), Codes.binary(BinaryOp.ADD, p.offset(), bytes), 0, 0);
      case Operand.Value v -> partOf(v.code(), array.element(), bytes, 0, 0, i.span());
      case Operand.Translated _, Operand.Array _ ->
          throw error(i.span(), Tag.D_ARR_BADREF, "not an array in memory");
    };
  }

  private Operand element(Declared d, String name, Node.Index i) {
    if (d.keys().size() != i.indexes().size()) {
      throw error(
          i.span(),
          Tag.D_PROTO_LEN,
          name + " has " + d.keys().size() + " keys, " + i.indexes().size() + " given");
    }
    var keys = new ArrayList<Expr>();
    for (int k = 0; k < d.keys().size(); k++) {
      var node = i.indexes().get(k);
      var v = key(node);
      var wanted = d.keys().get(k);
      boolean numbers = DTypes.isScalar(v.type()) && DTypes.isScalar(wanted);
      if (!numbers && !matchesKey(v.type(), wanted)) {
        throw error(
            node.span(),
            Tag.D_PROTO_ARG,
            "key "
                + (k + 1)
                + " of "
                + name
                + " is "
                + DTypes.text(wanted)
                + ", not "
                + DTypes.text(v.type()));
      }
      keys.add(
          DTypes.isInteger(wanted)
              ? Codes.narrow(v.code(), wanted)
              : convertKey(v, wanted, node.span()));
    }
    return new Operand.Variable(d.type(), d.id(), keys);
  }

  private static boolean matchesKey(CType given, CType wanted) {
    return DTypes.isString(wanted)
        ? DTypes.isStringLike(given)
        : DTypes.isSpecial(wanted) ? given.text().equals(wanted.text()) : false;
  }

  private Expr convertKey(Operand.Value v, CType wanted, Span at) {
    return DTypes.isString(wanted) ? convert(v, wanted, at).code() : v.code();
  }

  private Operand inlineElement(InlineDef inline, Node.Index i) {
    if (inline.keys().size() != i.indexes().size()) {
      throw error(
          i.span(),
          Tag.D_PROTO_LEN,
          inline.name()
              + " has "
              + inline.keys().size()
              + " keys, "
              + i.indexes().size()
              + " given");
    }
    var arguments = new HashMap<String, Operand>();
    for (int k = 0; k < inline.keys().size(); k++) {
      var text = inline.keys().get(k);
      var node = i.indexes().get(k);
      arguments.put(
          text.declarator().name(), convert(value(node), types.resolve(text), node.span()));
    }
    return inline(inline, arguments, i.span());
  }

  private Operand register(Node.Index i) {
    if (i.indexes().size() != 1) {
      throw error(i.span(), Tag.D_PROTO_LEN, "uregs has one key, the register's number");
    }
    var v = value(i.indexes().getFirst());
    if (!DTypes.isInteger(v.type())) {
      throw error(i.span(), Tag.D_REGS_IDX, "a register's number must be an integer");
    }
    return new Operand.Value(DTypes.ULONG, new Expr.Register(v.code()));
  }

  private Operand argument(Node.Index i) {
    if (i.indexes().size() != 1) {
      throw error(i.span(), Tag.D_PROTO_LEN, "args has one key, the argument's number");
    }
    var node = i.indexes().getFirst();
    var number = constant(node);
    if (number.isEmpty()) {
      throw error(node.span(), Tag.D_ARGS_TYPE, "the index of args[] must be a constant integer");
    }
    int index = Math.clamp(number.getAsLong(), -1, Integer.MAX_VALUE);
    if (clause.probes.isEmpty()) {
      throw error(
          i.span(),
          Tag.D_ARGS_NONE,
          "args[] of " + clause.description + ", which matches no probe");
    }
    var first = clause.probes.getFirst();
    for (var p : clause.probes) {
      if (!sameArgument(first.arguments(), p.arguments(), index)) {
        throw error(
            i.span(),
            Tag.D_ARGS_MULTI,
            "args["
                + index
                + "] differs between the probes of "
                + clause.description
                + ", such as "
                + first.name()
                + " and "
                + p.name());
      }
    }
    if (first.arguments().isEmpty()) {
      throw error(
          i.span(),
          Tag.D_ARGS_NONE,
          "the types of the arguments of " + first.name() + " are not known; use arg0, arg1, ...");
    }
    if (index < 0 || index >= first.arguments().size()) {
      throw error(
          i.span(),
          Tag.D_ARGS_IDX,
          "args["
              + number.getAsLong()
              + "] is outside of the "
              + first.arguments().size()
              + " arguments of "
              + first.name());
    }
    var a = first.arguments().get(index);
    var code = new Expr.Argument(a.source());
    var given =
        new Operand.Value(
            a.type(), DTypes.isInteger(a.type()) ? Codes.narrow(code, a.type()) : code);
    if (a.translated().isEmpty()) {
      if (DTypes.isComposite(a.type()) || DTypes.isVoid(a.type())) {
        throw error(
            i.span(),
            Tag.D_ARGS_TYPE,
            "args[" + index + "] of type " + DTypes.text(a.type()) + " has no value in a register");
      }
      return given;
    }
    var wanted = namedType(a.translated().get(), i.span());
    if (DTypes.isString(wanted) || (DTypes.isScalar(a.type()) && DTypes.isInteger(wanted))) {
      return convert(given, wanted, i.span());
    }
    return xlate(wanted, given, i.span());
  }

  private static boolean sameArgument(List<ProbeArgument> a, List<ProbeArgument> b, int index) {
    if (a.isEmpty() != b.isEmpty()) {
      return false;
    }
    boolean inA = index >= 0 && index < a.size();
    boolean inB = index >= 0 && index < b.size();
    if (!inA || !inB) {
      return inA == inB;
    }
    var x = a.get(index);
    var y = b.get(index);
    return x.source() == y.source()
        && x.translated().equals(y.translated())
        && DTypes.same(x.type(), y.type());
  }

  private CType namedType(String name, Span at) {
    boolean pointer = name.endsWith("*");
    var bare = (pointer ? name.substring(0, name.length() - 1) : name).strip();
    var specifier =
        new TypeText.Specifier(
            List.of(),
            List.of(),
            bare.startsWith("struct ")
                ? new TypeText.Tagged("", "struct", bare.substring(7).strip(), Optional.empty())
                : new TypeText.Named("", bare),
            at);
    var type = types.base(specifier);
    return pointer ? types.pointerTo(type) : type;
  }

  private Operand member(Node.Member m) {
    var base = operand(m.base());
    if (base instanceof Operand.Translated t) {
      boolean pointer = DTypes.isPointer(t.type());
      if (pointer != m.arrow()) {
        throw error(
            m.span(),
            m.arrow() ? Tag.D_OP_PTR : Tag.D_OP_SOU,
            "expected '" + (pointer ? "->" : ".") + "' after " + DTypes.text(t.type()));
      }
      return translatedMember(t, m.name(), m.span());
    }
    Operand whole = base;
    if (m.arrow()) {
      var v = load(base, m.base().span());
      if (!(v.type().resolved() instanceof PointerType)) {
        throw error(
            m.span(),
            Tag.D_OP_PTR,
            "operand of '->' must be a pointer, not " + DTypes.text(v.type()));
      }
      whole = dereference(v, m.span());
    }
    if (!(whole.type().resolved() instanceof CompositeType composite)) {
      boolean opaque = whole.type().resolved() instanceof OpaqueType;
      throw error(
          m.span(),
          opaque ? Tag.D_OP_INCOMPLETE : Tag.D_OP_SOU,
          "operand of '"
              + (m.arrow() ? "->" : ".")
              + "' must be a structure or union"
              + (m.arrow() ? " that is pointed to" : "")
              + ", not "
              + DTypes.text(whole.type())
              + (opaque ? ", whose members are not known" : "")
              + (!m.arrow() && DTypes.isPointer(whole.type()) ? "; use '->'" : ""));
    }
    var found =
        types
            .member(composite, m.name())
            .orElseThrow(() -> noMember(composite, m.name(), m.span()));
    var type = found.member().type();
    int bits = found.member().bitSize();
    var offset = new Expr.Int(bits > 0 ? 0 : found.byteOffset());
    int bitOffset = bits > 0 ? (int) found.bitOffset() : 0;
    return switch (whole) {
      case Operand.Place p ->
          new Operand.Place(
              type,
              Codes.binary(BinaryOp.ADD, p.address(), offset),
              p.space(),
              bitOffset,
              bits,
              p.symbol());
      case Operand.Variable v -> new Operand.Part(type, v, offset, bitOffset, bits);
      case Operand.Part p ->
          new Operand.Part(
              type, p.whole(), Codes.binary(BinaryOp.ADD, p.offset(), offset), bitOffset, bits);
      case Operand.Value v -> partOf(v.code(), type, offset, bitOffset, bits, m.span());
      case Operand.Translated _, Operand.Array _ ->
          throw error(m.span(), Tag.D_OP_SOU, "not a structure");
    };
  }

  // Translators

  private Operand xlate(CType type, Operand input, Span at) {
    var wanted = type.resolved() instanceof PointerType p ? p.target() : type;
    if (!(wanted.resolved() instanceof CompositeType)) {
      throw error(
          at,
          Tag.D_XLATE_SOU,
          "xlate makes a structure or union or a pointer to one, not " + DTypes.text(type));
    }
    for (var t : translators) {
      if (DTypes.same(typeIn(t, t.output()), wanted) && accepts(typeIn(t, t.input()), input)) {
        return new Operand.Translated(type, t, input);
      }
    }
    throw error(
        at,
        Tag.D_XLATE_NONE,
        "there is no translator to " + DTypes.text(wanted) + " from " + DTypes.text(input.type()));
  }

  private static boolean accepts(CType parameter, Operand input) {
    return DTypes.same(parameter, input.type())
        || (DTypes.isInteger(parameter) && DTypes.isInteger(input.type()));
  }

  /** A type of a translator; one that is not known in this kernel matches nothing. */
  private CType typeIn(TranslatorDef t, TypeText text) {
    var outer = source;
    use(t.source());
    try {
      return types.resolve(text);
    } catch (dev.fathom.base.ProgramException e) {
      if (!e.tag().equals(Tag.D_DECL_IDENT.name())) {
        throw e;
      }
      return VoidType.VOID;
    } finally {
      use(outer);
    }
  }

  private Operand translatedMember(Operand.Translated t, String name, Span at) {
    var type = t.type().resolved() instanceof PointerType p ? p.target() : t.type();
    var composite = (CompositeType) type.resolved();
    var found = types.member(composite, name).orElseThrow(() -> noMember(composite, name, at));
    var node = t.translator().members().get(name);
    if (node == null) {
      throw error(
          at,
          Tag.D_XLATE_NOCONV,
          "the translator from "
              + DTypes.text(t.input().type())
              + " to "
              + composite.text()
              + " does not give '"
              + name
              + "'");
    }
    if (++inlineDepth > INLINE_LIMIT) {
      throw error(at, Tag.D_SYNTAX, "the translator of '" + name + "' leads to itself");
    }
    var outerSource = source;
    var outerBindings = bindings;
    use(t.translator().source());
    bindings = Map.of(t.translator().inputName(), t.input());
    try {
      var o = operand(node);
      if (o instanceof Operand.Translated) {
        return o;
      }
      if (DTypes.isString(found.member().type())
          || (DTypes.isStringLike(o.type()) && DTypes.isArray(found.member().type()))) {
        return new Operand.Value(
            DTypes.STRING, string(o, node.span(), Tag.D_XLATE_INCOMPAT, "member '" + name + "'"));
      }
      var v = load(o, node.span());
      if (DTypes.isPointer(found.member().type()) && DTypes.isScalar(v.type())) {
        return new Operand.Value(found.member().type(), v.code());
      }
      return convert(v, found.member().type(), node.span());
    } finally {
      inlineDepth--;
      use(outerSource);
      bindings = outerBindings;
    }
  }

  // Functions

  private Operand call(Node.Call c) {
    if (!(c.function() instanceof Node.Name n)) {
      throw error(
          c.span(),
          Tag.D_FUNC_IDENT,
          "expected a function's name before '(': D calls only its own");
    }
    var name = n.name();
    if (Names.isAggregating(name)) {
      throw error(
          c.span(),
          Tag.D_AGG_FUNC,
          name + "() feeds an aggregation: expected @name[keys] = " + name + "(...)");
    }
    var special = new Functions(this).special(name, c);
    if (special.isPresent()) {
      return special.get();
    }
    if (Names.isAction(name)) {
      throw error(
          c.span(), Tag.D_OP_ACT, name + "() is an action: it is a statement and has no value");
    }
    var subroutine = Subroutine.named(name);
    if (subroutine.isEmpty() || name.equals("strtok_next")) {
      throw error(
          n.span(),
          globals.containsKey(name) || Builtin.named(name).isPresent()
              ? Tag.D_FUNC_IDKIND
              : Tag.D_FUNC_UNDEF,
          globals.containsKey(name) || Builtin.named(name).isPresent()
              ? "'" + name + "' is a variable, not a function"
              : "there is no function '" + name + "'" + Near.text(name, Names.functions()));
    }
    if (!environment.subroutines().contains(subroutine.get())) {
      throw error(n.span(), Tag.D_FUNC_UNDEF, name + "() is not available on what is traced here");
    }
    if (subroutine.get().destructive() && !limits.destructive()) {
      throw error(
          c.span(),
          Tag.D_UNKNOWN,
          "destructive actions not allowed: " + name + "() needs -w (option destructive)");
    }
    return new Functions(this).subroutine(subroutine.get(), c);
  }

  CType curthreadType() {
    return threadPointer();
  }

  Environment environment() {
    return environment;
  }

  /** A fresh slot for {@link Expr.Let}. */
  int newLocal() {
    return clause.locals++;
  }
}
