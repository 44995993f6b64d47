// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.syntax.External;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Statement;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** The statements of one clause at one probe description. */
final class ClauseLowering {
  private static final int MOST_TRACED = 1 << 16;

  /** What a clause has done so far, as D orders its actions. */
  private static final class Order {
    boolean recorded;
    boolean committed;
    boolean speculating;
  }

  private final Lowering lowering;
  private final Aggregations aggregations;
  private final List<Action> actions = new ArrayList<>();
  private final Lowering.ClauseState state;
  private final Order order = new Order();

  ClauseLowering(
      Lowering lowering, Aggregations aggregations, String description, List<Probe> probes) {
    this.lowering = lowering;
    this.aggregations = aggregations;
    this.state = new Lowering.ClauseState(description, probes);
  }

  Clause lower(int id, External.Clause clause) {
    lowering.enter(state);
    var predicate =
        clause.predicate().map(p -> lowering.scalar(p, Tag.D_PRED_SCALAR, "the predicate"));
    var body = block(clause.body());
    return new Clause(
        id,
        state.description,
        lowering.source().line(clause.span().start()),
        predicate,
        body,
        actions,
        state.locals);
  }

  private List<Stmt> block(List<Statement> statements) {
    var list = new ArrayList<Stmt>();
    for (var s : statements) {
      switch (s) {
        case Statement.Expression e -> statement(e.node(), list);
        case Statement.If i -> {
          var test = lowering.scalar(i.test(), Tag.D_OP_SCALAR, "the condition of if");
          list.add(new Stmt.If(test, block(i.yes()), block(i.no())));
        }
      }
    }
    return list;
  }

  private void statement(Node node, List<Stmt> into) {
    switch (node) {
      case Node.Assign a when a.target() instanceof Node.AggregationRef ref ->
          aggregate(a, ref, into);
      case Node.Comma c -> {
        statement(c.left(), into);
        statement(c.right(), into);
      }
      case Node.Call c when c.function() instanceof Node.Name n && isStatement(n.name()) ->
          action(n.name(), c, into);
      case Node.AggregationRef a ->
          throw lowering.error(
              a.span(),
              Tag.D_AGG_NULL,
              "the statement does nothing with the aggregation; expected = and a function");
      default -> into.add(new Stmt.Evaluate(effect(node)));
    }
  }

  private static boolean isStatement(String name) {
    return Names.isAction(name)
        || Set.of(
                "stack", "ustack", "jstack", "sym", "func", "mod", "usym", "ufunc", "umod", "uaddr")
            .contains(name);
  }

  private Expr effect(Node node) {
    var o = lowering.operand(node);
    return o instanceof Operand.Translated ? new Expr.Int(0) : lowering.load(o, node.span()).code();
  }

  private RuntimeException error(Span at, Tag tag, String detail) {
    return lowering.error(at, tag, detail);
  }

  // Aggregations

  private void aggregate(Node.Assign a, Node.AggregationRef ref, List<Stmt> into) {
    if (!a.op().isEmpty()) {
      throw error(
          a.span(),
          Tag.D_OP_LVAL,
          "operator '" + a.op() + "=' does not go with an aggregation; expected '='");
    }
    if (order.committed) {
      throw error(a.span(), Tag.D_AGG_COMM, "an aggregation cannot be fed after commit()");
    }
    if (order.speculating) {
      throw error(a.span(), Tag.D_AGG_SPEC, "an aggregation cannot be fed after speculate()");
    }
    into.add(aggregations.lower(ref, a.value(), a.span()));
  }

  // Actions

  private int add(Action action) {
    actions.add(action);
    return actions.size() - 1;
  }

  /** An action that records data may follow no commit. */
  private void records(Span at) {
    if (order.committed) {
      throw error(at, Tag.D_DREC_COMM, "data cannot be recorded after commit()");
    }
    order.recorded = true;
  }

  private void emit(Action action, List<Expr> values, Span at, List<Stmt> into) {
    records(at);
    into.add(new Stmt.Emit(add(action), values));
  }

  private void requireArguments(String name, Node.Call c, int least, int most, Tag tag) {
    int given = c.arguments().size();
    if (given < least || given > most) {
      throw error(
          c.span(),
          tag,
          name
              + "() takes "
              + (least == most
                  ? least == 1 ? "1 argument" : least + " arguments"
                  : least + " to " + most + " arguments")
              + ", "
              + given
              + " given");
    }
  }

  private void action(String name, Node.Call c, List<Stmt> into) {
    switch (name) {
      case "stack", "ustack", "jstack", "sym", "func", "mod", "usym", "ufunc", "umod", "uaddr" -> {
        var v = lowering.value(c);
        emit(new Action.Trace(shape(v.type(), c.span())), List.of(v.code()), c.span(), into);
      }
      case "trace" -> trace(c, into);
      case "tracemem" -> tracemem(c, into);
      case "print" -> print(c, into);
      case "pcap" -> pcap(c, into);
      case "printf" -> {
        var args = formatted(name, c);
        emit(new Action.Printf(args.format(), args.shapes()), args.values(), c.span(), into);
      }
      case "system" -> {
        destructive(name, c.span());
        var args = formatted(name, c);
        emit(new Action.System(args.format(), args.shapes()), args.values(), c.span(), into);
      }
      case "freopen" -> {
        destructive(name, c.span());
        if (c.arguments().isEmpty()) {
          throw error(c.span(), Tag.D_FREOPEN_INVALID, "freopen() takes a file's name");
        }
        var args = formatted(name, c);
        emit(new Action.Freopen(args.format(), args.shapes()), args.values(), c.span(), into);
      }
      case "ftruncate" -> {
        requireArguments(name, c, 0, 0, Tag.D_PROTO_LEN);
        emit(new Action.Ftruncate(), List.of(), c.span(), into);
      }
      case "setopt" -> setopt(c, into);
      case "printa" -> printa(c, into);
      case "clear", "denormalize", "normalize", "trunc" -> processing(name, c, into);
      case "exit" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        if (order.speculating) {
          throw error(c.span(), Tag.D_EXIT_SPEC, "exit() cannot follow speculate()");
        }
        var status = integer(name, 1, c);
        records(c.span());
        into.add(new Stmt.Exit(add(new Action.Exit()), Codes.extend(status, 32, true)));
      }
      case "speculate" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        speculate(c);
        into.add(new Stmt.Speculate(integer(name, 1, c)));
      }
      case "commit" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        if (order.recorded) {
          throw error(c.span(), Tag.D_COMM_DREC, "commit() cannot follow an action that records");
        }
        order.committed = true;
        into.add(new Stmt.EndSpeculation(add(new Action.Commit()), integer(name, 1, c)));
      }
      case "discard" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        into.add(new Stmt.EndSpeculation(add(new Action.Discard()), integer(name, 1, c)));
      }
      default -> destroy(name, c, into);
    }
  }

  private Expr integer(String name, int number, Node.Call c) {
    var node = c.arguments().get(number - 1);
    var v = lowering.value(node);
    if (!DTypes.isInteger(v.type())) {
      throw error(
          node.span(),
          Tag.D_PROTO_ARG,
          "argument "
              + number
              + " of "
              + name
              + "() must be an integer, not "
              + DTypes.text(v.type()));
    }
    return v.code();
  }

  private void speculate(Node.Call c) {
    if (order.speculating) {
      throw error(c.span(), Tag.D_SPEC_SPEC, "speculate() cannot follow speculate()");
    }
    if (order.committed) {
      throw error(c.span(), Tag.D_SPEC_COMM, "speculate() cannot follow commit()");
    }
    if (order.recorded) {
      throw error(c.span(), Tag.D_SPEC_DREC, "speculate() cannot follow an action that records");
    }
    order.speculating = true;
  }

  private void destructive(String name, Span at) {
    if (order.speculating) {
      throw error(at, Tag.D_ACT_SPEC, name + "() cannot follow speculate()");
    }
    if (!lowering.limits().destructive()) {
      throw error(
          at,
          Tag.D_UNKNOWN,
          "destructive actions not allowed: " + name + "() needs -w (option destructive)");
    }
  }

  private void destroy(String name, Node.Call c, List<Stmt> into) {
    for (var d : Stmt.Destruction.values()) {
      if (d.text().equals(name)) {
        requireArguments(name, c, d.parameters(), d.parameters(), Tag.D_PROTO_LEN);
        destructive(name, c.span());
        if (!lowering.environment().destructions().contains(d)) {
          throw error(
              c.span(), Tag.D_FUNC_UNDEF, name + "() is not available on what is traced here");
        }
        into.add(
            new Stmt.Destroy(d, d.parameters() == 0 ? List.of() : List.of(integer(name, 1, c))));
        return;
      }
    }
    throw error(c.span(), Tag.D_FUNC_UNDEF, "there is no action '" + name + "'");
  }

  private void setopt(Node.Call c, List<Stmt> into) {
    requireArguments("setopt", c, 1, 2, Tag.D_PROTO_LEN);
    var texts = new ArrayList<String>();
    for (var node : c.arguments()) {
      if (!(node instanceof Node.StringLiteral s)) {
        throw error(
            node.span(), Tag.D_PROTO_ARG, "the arguments of setopt() must be string constants");
      }
      texts.add(s.value());
    }
    emit(
        new Action.Setopt(
            texts.getFirst(), texts.size() == 2 ? Optional.of(texts.get(1)) : Optional.empty()),
        List.of(),
        c.span(),
        into);
  }

  // Values that are recorded

  /** How the consumer shows a value of that type. */
  Shape shape(CType type, Span at) {
    if (DTypes.isString(type)) {
      return new Shape(Shape.Form.STRING, lowering.limits().strsize(), Optional.of(type));
    }
    if (DTypes.is(type, DTypes.STACK)) {
      return new Shape(Shape.Form.STACK, 0);
    }
    if (DTypes.is(type, DTypes.USTACK)) {
      return new Shape(Shape.Form.USTACK, 0);
    }
    if (DTypes.is(type, DTypes.SYMADDR)) {
      return new Shape(Shape.Form.SYM, 8);
    }
    if (DTypes.is(type, DTypes.MODADDR)) {
      return new Shape(Shape.Form.MOD, 8);
    }
    if (DTypes.is(type, DTypes.USYMADDR)) {
      return new Shape(Shape.Form.USYM, 16);
    }
    if (DTypes.is(type, DTypes.UMODADDR)) {
      return new Shape(Shape.Form.UMOD, 16);
    }
    if (DTypes.is(type, DTypes.UADDR)) {
      return new Shape(Shape.Form.UADDR, 16);
    }
    if (DTypes.isScalar(type)) {
      return new Shape(
          DTypes.isSigned(type) ? Shape.Form.SIGNED : Shape.Form.UNSIGNED,
          (int) type.resolved().bytes(),
          Optional.of(type));
    }
    var ir = lowering.irType(type, at);
    if (ir instanceof IrType.Blob b) {
      if (b.bytes() > MOST_TRACED) {
        throw error(
            at,
            Tag.D_TRACE_DYN,
            "a value of " + b.bytes() + " bytes is too big to record; at most " + MOST_TRACED);
      }
      return new Shape(Shape.Form.BYTES, b.bytes(), Optional.of(type));
    }
    throw error(
        at, Tag.D_TRACE_DYN, "a value of type " + DTypes.text(type) + " cannot be recorded");
  }

  /** A value to record: whole arrays and structures are their bytes. */
  private Operand.Value recorded(Node node, Tag ofVoid) {
    if (node instanceof Node.AggregationRef) {
      throw error(node.span(), Tag.D_TRACE_DYN, "an aggregation is shown by printa()");
    }
    var o = lowering.operand(node);
    if (o instanceof Operand.Place p
        && DTypes.isArray(p.type())
        && p.type().bytes() > 0
        && p.type().bytes() <= MOST_TRACED) {
      return new Operand.Value(
          p.type(), new Expr.LoadBlob(p.space(), (int) p.type().bytes(), p.address()));
    }
    if (o instanceof Operand.Translated || o instanceof Operand.Array) {
      throw error(
          node.span(),
          Tag.D_TRACE_DYN,
          "a value of type " + DTypes.text(o.type()) + " cannot be recorded whole");
    }
    var v = lowering.load(o, node.span());
    if (DTypes.isVoid(v.type())) {
      throw error(node.span(), ofVoid, "there is no value: the expression is of type void");
    }
    return v;
  }

  private void trace(Node.Call c, List<Stmt> into) {
    requireArguments("trace", c, 1, 1, Tag.D_PROTO_LEN);
    var v = recorded(c.arguments().getFirst(), Tag.D_TRACE_VOID);
    emit(new Action.Trace(shape(v.type(), c.span())), List.of(v.code()), c.span(), into);
  }

  private void tracemem(Node.Call c, List<Stmt> into) {
    requireArguments("tracemem", c, 2, 3, Tag.D_PROTO_LEN);
    var node = c.arguments().getFirst();
    var address = lowering.value(node);
    if (!DTypes.isPointer(address.type()) && !DTypes.isInteger(address.type())) {
      throw error(
          node.span(),
          Tag.D_TRACEMEM_ADDR,
          "the address of tracemem() must be a pointer or an integer, not "
              + DTypes.text(address.type()));
    }
    var size = lowering.constant(c.arguments().get(1));
    if (size.isEmpty() || size.getAsLong() <= 0 || size.getAsLong() > MOST_TRACED) {
      throw error(
          c.arguments().get(1).span(),
          Tag.D_TRACEMEM_SIZE,
          "the size of tracemem() must be a constant from 1 to " + MOST_TRACED);
    }
    int bytes = (int) size.getAsLong();
    var shape = new Shape(Shape.Form.BYTES, bytes);
    if (c.arguments().size() == 3) {
      var count = integer("tracemem", 3, c);
      int slot = lowering.newLocal();
      var local = new Expr.Local(slot, IrType.INT);
      // The count is needed twice: as a limit of what is read, and by the consumer.
      emit(
          new Action.TraceMemory(shape, true),
          List.of(
              new Expr.Let(
                  slot, count, new Expr.LoadBytes(Space.KERNEL, bytes, local, address.code())),
              count),
          c.span(),
          into);
      return;
    }
    emit(
        new Action.TraceMemory(shape, false),
        List.of(new Expr.LoadBlob(Space.KERNEL, bytes, address.code())),
        c.span(),
        into);
  }

  private void print(Node.Call c, List<Stmt> into) {
    requireArguments("print", c, 1, 1, Tag.D_PROTO_LEN);
    var node = c.arguments().getFirst();
    var v = recorded(node, Tag.D_TRACE_VOID);
    // A pointer prints what it points to.
    if (v.type().resolved() instanceof PointerType p
        && !DTypes.isStringLike(v.type())
        && !DTypes.isVoid(p.target())
        && p.target().bytes() > 0) {
      if (p.target().bytes() > MOST_TRACED) {
        throw error(
            node.span(),
            Tag.D_PRINT_SIZE,
            "print() of " + p.target().bytes() + " bytes; at most " + MOST_TRACED);
      }
      var target = p.target();
      v =
          new Operand.Value(
              target, new Expr.LoadBlob(Space.KERNEL, (int) target.bytes(), v.code()));
      emit(
          new Action.Print(new Shape(Shape.Form.BYTES, (int) target.bytes(), Optional.of(target))),
          List.of(v.code()),
          c.span(),
          into);
      return;
    }
    var shape = shape(v.type(), node.span());
    emit(
        new Action.Print(new Shape(shape.form(), shape.bytes(), Optional.of(v.type()))),
        List.of(v.code()),
        c.span(),
        into);
  }

  private void pcap(Node.Call c, List<Stmt> into) {
    requireArguments("pcap", c, 2, 2, Tag.D_PCAP_PROTO);
    var address = lowering.value(c.arguments().getFirst());
    if (!DTypes.isPointer(address.type())) {
      throw error(
          c.arguments().getFirst().span(),
          Tag.D_PCAP_ADDR,
          "the address of pcap() must be a pointer, not " + DTypes.text(address.type()));
    }
    var protocol = lowering.constant(c.arguments().get(1));
    int most = 1514;
    emit(
        new Action.Pcap(
            new Shape(Shape.Form.BYTES, most),
            protocol.isPresent()
                ? OptionalInt.of((int) protocol.getAsLong())
                : OptionalInt.empty()),
        List.of(new Expr.LoadBlob(Space.KERNEL, most, address.code()), new Expr.Int(most)),
        c.span(),
        into);
  }

  // Formats

  private record Formatted(Format format, List<Shape> shapes, List<Expr> values) {}

  private Format format(String name, Node node) {
    if (!(node instanceof Node.StringLiteral s)) {
      throw error(
          node.span(),
          Tag.D_PRINTF_ARG_FMT,
          "the format of " + name + "() must be a string constant");
    }
    if (s.value().isEmpty() && !name.equals("freopen")) {
      throw error(node.span(), Tag.D_PRINTF_FMT_EMPTY, "the format of " + name + "() is empty");
    }
    try {
      return Format.parse(s.value());
    } catch (EvalException e) {
      throw error(node.span(), Tag.D_SYNTAX, "format of " + name + "(): " + e.getMessage());
    }
  }

  private Formatted formatted(String name, Node.Call c) {
    if (c.arguments().isEmpty()) {
      throw error(c.span(), Tag.D_PROTO_LEN, name + "() takes a format and what it shows");
    }
    var format = format(name, c.arguments().getFirst());
    var shapes = new ArrayList<Shape>();
    var values = new ArrayList<Expr>();
    int next = 1;
    for (var conversion : format.conversions()) {
      if (conversion.aggregation()) {
        throw error(
            c.arguments().getFirst().span(),
            Tag.D_PRINTF_AGG_CONV,
            "%@ shows an aggregation, which only printa() does");
      }
      int dynamic = (conversion.dynamicWidth() ? 1 : 0) + (conversion.dynamicPrecision() ? 1 : 0);
      for (int i = 0; i < dynamic; i++) {
        if (next >= c.arguments().size()) {
          throw error(
              c.span(),
              Tag.D_PRINTF_DYN_PROTO,
              "'*' of conversion " + conversion.text() + " has no argument");
        }
        var v = lowering.value(c.arguments().get(next));
        if (!DTypes.isInteger(v.type())) {
          throw error(
              c.arguments().get(next).span(),
              Tag.D_PRINTF_DYN_TYPE,
              "'*' of conversion "
                  + conversion.text()
                  + " takes an integer, not "
                  + DTypes.text(v.type()));
        }
        shapes.add(new Shape(Shape.Form.SIGNED, 4));
        values.add(Codes.extend(v.code(), 32, true));
        next++;
      }
      if (next >= c.arguments().size()) {
        throw error(
            c.span(),
            Tag.D_PRINTF_ARG_PROTO,
            "conversion "
                + conversion.text()
                + " (argument "
                + next
                + " after the format) has no value");
      }
      convert(name, conversion, c.arguments().get(next), next, shapes, values);
      next++;
    }
    if (next < c.arguments().size()) {
      throw error(
          c.arguments().get(next).span(),
          Tag.D_PRINTF_ARG_EXTRA,
          name
              + "() has "
              + (c.arguments().size() - 1)
              + " values for a format that shows "
              + (next - 1));
    }
    return new Formatted(format, shapes, values);
  }

  private void convert(
      String name,
      Format.Conversion conversion,
      Node node,
      int number,
      List<Shape> shapes,
      List<Expr> values) {
    var shape = new Shape[1];
    Expr code;
    if (conversion.letter() == 's' || conversion.letter() == 'S') {
      var o = node instanceof Node.AggregationRef ? null : lowering.operand(node);
      if (o == null) {
        throw error(node.span(), Tag.D_PRINTF_ARG_TYPE, "an aggregation is shown by printa()");
      }
      if (!DTypes.isStringLike(o.type()) && !DTypes.isSpecial(o.type())) {
        throw wrongType(name, conversion, number, "a string", o.type(), node.span());
      }
      if (DTypes.isSpecial(o.type())) {
        var v = lowering.load(o, node.span());
        shape[0] = shape(v.type(), node.span());
        code = v.code();
      } else {
        code = lowering.string(node, Tag.D_PRINTF_ARG_TYPE, "argument " + number);
        shape[0] = new Shape(Shape.Form.STRING, lowering.limits().strsize());
      }
    } else {
      var v = recorded(node, Tag.D_PRINTF_ARG_TYPE);
      check(name, conversion, v.type(), number, node.span());
      shape[0] = shape(v.type(), node.span());
      code = v.code();
    }
    shapes.add(shape[0]);
    values.add(code);
  }

  private RuntimeException wrongType(
      String name, Format.Conversion conversion, int number, String wanted, CType given, Span at) {
    return error(
        at,
        Tag.D_PRINTF_ARG_TYPE,
        "conversion "
            + conversion.text()
            + " of "
            + name
            + "() takes "
            + wanted
            + "; argument "
            + number
            + " is "
            + DTypes.text(given));
  }

  /** Whether a conversion can show a value of that type. */
  private void check(String name, Format.Conversion conversion, CType type, int number, Span at) {
    switch (conversion.letter()) {
      case 'd', 'i', 'o', 'u', 'x', 'X', 'c', 'p', 'T', 'Y', 'a', 'A' -> {
        boolean ok =
            DTypes.isScalar(type)
                || (conversion.letter() == 'a' && DTypes.is(type, DTypes.SYMADDR))
                || (conversion.letter() == 'A'
                    && (DTypes.is(type, DTypes.USYMADDR) || DTypes.is(type, DTypes.UADDR)));
        if (!ok) {
          throw wrongType(name, conversion, number, "a number or a pointer", type, at);
        }
        int wanted =
            switch (conversion.size()) {
              case "hh" -> 1;
              case "h" -> 2;
              case "l", "ll" -> 8;
              default -> 0;
            };
        if (wanted != 0 && type.resolved().bytes() != wanted && wanted != 8) {
          throw wrongType(name, conversion, number, "a number of " + wanted + " bytes", type, at);
        }
      }
      case 'e', 'E', 'f', 'g', 'G' -> {
        if (!(type.resolved() instanceof dev.fathom.model.type.FloatType)) {
          throw wrongType(name, conversion, number, "a floating-point number", type, at);
        }
      }
      case 'k' -> {
        if (!DTypes.is(type, DTypes.STACK) && !DTypes.is(type, DTypes.USTACK)) {
          throw wrongType(name, conversion, number, "a stack", type, at);
        }
      }
      default -> {}
    }
  }

  // Aggregations in the consumer

  private void printa(Node.Call c, List<Stmt> into) {
    var arguments = c.arguments();
    Optional<Format> format = Optional.empty();
    int first = 0;
    if (!arguments.isEmpty() && !(arguments.getFirst() instanceof Node.AggregationRef)) {
      if (!(arguments.getFirst() instanceof Node.StringLiteral)) {
        throw error(
            arguments.getFirst().span(),
            arguments.size() == 1 ? Tag.D_PRINTA_AGGARG : Tag.D_PRINTF_ARG_FMT,
            "expected a format or an aggregation");
      }
      format = Optional.of(format("printa", arguments.getFirst()));
      first = 1;
    }
    if (first == arguments.size()) {
      throw error(c.span(), Tag.D_PRINTA_PROTO, "printa() takes at least one aggregation");
    }
    var ids = new ArrayList<Integer>();
    for (var node : arguments.subList(first, arguments.size())) {
      ids.add(aggregations.named("printa", node, Tag.D_PRINTA_AGGARG, Tag.D_PRINTA_AGGBAD).id());
    }
    aggregations.checkJoin(ids, c.span());
    format.ifPresent(f -> aggregations.checkFormat(f, ids, arguments.getFirst().span()));
    emit(new Action.Printa(format, ids), List.of(), c.span(), into);
  }

  private void processing(String name, Node.Call c, List<Stmt> into) {
    boolean trunc = name.equals("trunc");
    boolean normalize = name.equals("normalize");
    var proto =
        switch (name) {
          case "clear" -> Tag.D_CLEAR_PROTO;
          case "trunc" -> Tag.D_PROTO_LEN;
          default -> Tag.D_NORMALIZE_PROTO;
        };
    requireArguments(name, c, normalize ? 2 : 1, normalize || trunc ? 2 : 1, proto);
    var notAggregation =
        switch (name) {
          case "clear" -> Tag.D_CLEAR_AGGARG;
          case "trunc" -> Tag.D_TRUNC_AGGARG;
          default -> Tag.D_NORMALIZE_AGGARG;
        };
    var undefined =
        switch (name) {
          case "clear" -> Tag.D_CLEAR_AGGBAD;
          case "trunc" -> Tag.D_TRUNC_AGGBAD;
          default -> Tag.D_NORMALIZE_AGGBAD;
        };
    int id = aggregations.named(name, c.arguments().getFirst(), notAggregation, undefined).id();
    switch (name) {
      case "clear" -> emit(new Action.Clear(id), List.of(), c.span(), into);
      case "denormalize" -> emit(new Action.Denormalize(id), List.of(), c.span(), into);
      case "trunc" -> {
        if (c.arguments().size() == 1) {
          emit(new Action.Truncate(id, false), List.of(), c.span(), into);
        } else {
          emit(new Action.Truncate(id, true), List.of(integer(name, 2, c)), c.span(), into);
        }
      }
      default -> {
        var factor =
            lowering.scalar(
                c.arguments().get(1), Tag.D_NORMALIZE_SCALAR, "the factor of normalize()");
        emit(new Action.Normalize(id), List.of(factor), c.span(), into);
      }
    }
  }
}
