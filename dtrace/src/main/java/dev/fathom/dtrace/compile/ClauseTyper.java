// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.ir.Space;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.syntax.External;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Statement;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** Types the statements of one clause at one probe description. */
final class ClauseTyper {

  private final Typer typer;
  private final Aggregations aggregations;
  private final List<Action> actions = new ArrayList<>();
  private final String description;
  private final List<Probe> probes;
  private final Shapes shaper;

  ClauseTyper(Typer typer, Aggregations aggregations, String description, List<Probe> probes) {
    this.typer = typer;
    this.aggregations = aggregations;
    this.description = description;
    this.probes = probes;
    this.shaper = new Shapes(typer);
  }

  TypedStatement.TypedClause type(int id, External.Clause clause) {
    typer.enter(description, probes);
    var predicate = Optional.<Typed>empty();
    if (!typer.resolver().bodyFirst()) {
      predicate = predicate(clause);
    }
    var body = block(clause.body());
    if (typer.resolver().bodyFirst()) {
      predicate = predicate(clause);
    }
    return new TypedStatement.TypedClause(
        id,
        description,
        typer.texts().source().line(clause.span().start()),
        predicate,
        body,
        List.copyOf(actions));
  }

  private Optional<Typed> predicate(External.Clause clause) {
    return clause.predicate().map(p -> typer.scalar(p, Tag.D_PRED_SCALAR, "the predicate"));
  }

  private List<TypedStatement> block(List<Statement> statements) {
    var list = new ArrayList<TypedStatement>();
    for (var s : statements) {
      switch (s) {
        case Statement.Expression e -> statement(e.node(), list);
        case Statement.If i -> {
          var test = typer.scalar(i.test(), Tag.D_OP_SCALAR, "the condition of if");
          list.add(new TypedStatement.If(test, block(i.yes()), block(i.no())));
        }
      }
    }
    return list;
  }

  private void statement(Node node, List<TypedStatement> into) {
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
          throw typer.error(
              a.span(),
              Tag.D_AGG_NULL,
              "the statement does nothing with the aggregation; expected = and a function");
      default -> into.add(new TypedStatement.Evaluate(effect(node)));
    }
  }

  private static boolean isStatement(String name) {
    return Names.isAction(name)
        || Set.of(
                "stack", "ustack", "jstack", "sym", "func", "mod", "usym", "ufunc", "umod", "uaddr")
            .contains(name);
  }

  private Typed effect(Node node) {
    var o = typer.operand(node);
    return o instanceof Typed.Translated
        ? new Typed.Int(DTypes.INT, 0)
        : typer.load(o, node.span());
  }

  private RuntimeException error(Span at, Tag tag, String detail) {
    return typer.error(at, tag, detail);
  }

  // Aggregations

  private void aggregate(Node.Assign a, Node.AggregationRef ref, List<TypedStatement> into) {
    if (!a.op().isEmpty()) {
      throw error(
          a.span(),
          Tag.D_OP_LVAL,
          "operator '" + a.op() + "=' does not go with an aggregation; expected '='");
    }
    into.add(aggregations.type(ref, a.value(), a.span()));
  }

  // Actions

  private int add(Action action) {
    actions.add(action);
    return actions.size() - 1;
  }

  private void emit(Action action, List<Typed> values, Node.Call c, List<TypedStatement> into) {
    var name = ((Node.Name) c.function()).name();
    into.add(new TypedStatement.Emit(name, add(action), values, c.span()));
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

  private void action(String name, Node.Call c, List<TypedStatement> into) {
    switch (name) {
      case "stack", "ustack", "jstack", "sym", "func", "mod", "usym", "ufunc", "umod", "uaddr" -> {
        var v = typer.value(c);
        emit(new Action.Trace(shaper.of(v.type(), c.span())), List.of(v), c, into);
      }
      case "trace" -> trace(c, into);
      case "tracemem" -> tracemem(c, into);
      case "print" -> print(c, into);
      case "printm" -> printm(c, into);
      case "pcap" -> pcap(c, into);
      case "printf" -> {
        var args = formatted(name, c);
        emit(new Action.Printf(args.format(), args.shapes()), args.values(), c, into);
      }
      case "system" -> {
        var args = formatted(name, c);
        emit(new Action.System(args.format(), args.shapes()), args.values(), c, into);
      }
      case "freopen" -> {
        if (c.arguments().isEmpty()) {
          throw error(c.span(), Tag.D_FREOPEN_INVALID, "freopen() takes a file's name");
        }
        var args = formatted(name, c);
        emit(new Action.Freopen(args.format(), args.shapes()), args.values(), c, into);
      }
      case "ftruncate" -> {
        requireArguments(name, c, 0, 0, Tag.D_PROTO_LEN);
        emit(new Action.Ftruncate(), List.of(), c, into);
      }
      case "setopt" -> setopt(c, into);
      case "printa" -> printa(c, into);
      case "clear", "denormalize", "normalize", "trunc" -> processing(name, c, into);
      case "exit" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        var status = integer(name, 1, c);
        into.add(
            new TypedStatement.Exit(
                add(new Action.Exit()), Typed.narrow(status, DTypes.INT), c.span()));
      }
      case "speculate" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        into.add(new TypedStatement.Speculate(integer(name, 1, c), c.span()));
      }
      case "commit" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        into.add(
            new TypedStatement.EndSpeculation(
                true, add(new Action.Commit()), integer(name, 1, c), c.span()));
      }
      case "discard" -> {
        requireArguments(name, c, 1, 1, Tag.D_PROTO_LEN);
        into.add(
            new TypedStatement.EndSpeculation(
                false, add(new Action.Discard()), integer(name, 1, c), c.span()));
      }
      default -> destroy(name, c, into);
    }
  }

  private Typed integer(String name, int number, Node.Call c) {
    var node = c.arguments().get(number - 1);
    var v = typer.value(node);
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
    return v;
  }

  private void destroy(String name, Node.Call c, List<TypedStatement> into) {
    for (var d : Stmt.Destruction.values()) {
      if (d.text().equals(name)) {
        requireArguments(name, c, d.parameters(), d.parameters(), Tag.D_PROTO_LEN);
        if (!typer.environment().destructions().contains(d)) {
          throw error(
              c.span(), Tag.D_FUNC_UNDEF, name + "() is not available on what is traced here");
        }
        into.add(
            new TypedStatement.Destroy(
                d, d.parameters() == 0 ? List.of() : List.of(integer(name, 1, c)), c.span()));
        return;
      }
    }
    throw error(c.span(), Tag.D_FUNC_UNDEF, "there is no action '" + name + "'");
  }

  private void setopt(Node.Call c, List<TypedStatement> into) {
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
        c,
        into);
  }

  // Values that are recorded

  /** A value to record: whole arrays and structures are their bytes. */
  private Typed recorded(Node node, Tag ofVoid) {
    if (node instanceof Node.AggregationRef) {
      throw error(node.span(), Tag.D_TRACE_DYN, "an aggregation is shown by printa()");
    }
    var o = typer.operand(node);
    if (o instanceof Typed.Memory p
        && DTypes.isArray(p.type())
        && p.type().bytes() > 0
        && p.type().bytes() <= Shapes.MOST_RECORDED) {
      return new Typed.Bytes(p.type(), p.space(), (int) p.type().bytes(), p.address());
    }
    if (o instanceof Typed.Translated || o instanceof Typed.Array) {
      throw error(
          node.span(),
          Tag.D_TRACE_DYN,
          "a value of type " + DTypes.text(o.type()) + " cannot be recorded whole");
    }
    var v = typer.load(o, node.span());
    if (DTypes.isVoid(v.type())) {
      throw error(node.span(), ofVoid, "there is no value: the expression is of type void");
    }
    return typer.operators().cut(v);
  }

  private void trace(Node.Call c, List<TypedStatement> into) {
    requireArguments("trace", c, 1, 1, Tag.D_PROTO_LEN);
    var v = recorded(c.arguments().getFirst(), Tag.D_TRACE_VOID);
    emit(new Action.Trace(shaper.of(v.type(), c.span())), List.of(v), c, into);
  }

  private void tracemem(Node.Call c, List<TypedStatement> into) {
    requireArguments("tracemem", c, 2, 3, Tag.D_PROTO_LEN);
    var node = c.arguments().getFirst();
    var address = typer.value(node);
    if (!DTypes.isPointer(address.type()) && !DTypes.isInteger(address.type())) {
      throw error(
          node.span(),
          Tag.D_TRACEMEM_ADDR,
          "the address of tracemem() must be a pointer or an integer, not "
              + DTypes.text(address.type()));
    }
    var size = typer.constant(c.arguments().get(1));
    if (size.isEmpty() || size.getAsLong() <= 0 || size.getAsLong() > Shapes.MOST_RECORDED) {
      throw error(
          c.arguments().get(1).span(),
          Tag.D_TRACEMEM_SIZE,
          "the size of tracemem() must be a constant from 1 to " + Shapes.MOST_RECORDED);
    }
    int bytes = (int) size.getAsLong();
    var shape = new Shape(Shape.Form.BYTES, bytes);
    if (c.arguments().size() == 3) {
      var count = integer("tracemem", 3, c);
      // The count is needed twice: as a limit of what is read, and by the consumer.
      emit(
          new Action.TraceMemory(shape, true),
          List.of(new Typed.Counted(bytes, count, address), count),
          c,
          into);
      return;
    }
    emit(new Action.TraceMemory(shape, false), List.of(bytes(bytes, address)), c, into);
  }

  /** FreeBSD's: the bytes that a {@code memref()} refers to, at most so many, as a hex dump. */
  private void printm(Node.Call c, List<TypedStatement> into) {
    requireArguments("printm", c, 2, 2, Tag.D_PROTO_LEN);
    var size = typer.constant(c.arguments().getFirst());
    if (size.isEmpty() || size.getAsLong() <= 0 || size.getAsLong() > Shapes.MOST_RECORDED) {
      throw error(
          c.arguments().getFirst().span(),
          Tag.D_PRINTM_SIZE,
          "the size of printm() must be a constant from 1 to " + Shapes.MOST_RECORDED);
    }
    var node = c.arguments().get(1);
    var reference = typer.value(node);
    if (!DTypes.isPointer(reference.type())) {
      throw error(
          node.span(),
          Tag.D_PRINTM_ADDR,
          "argument 2 of printm() must be a memref(), not " + DTypes.text(reference.type()));
    }
    int bytes = (int) size.getAsLong();
    var count = word(reference, 8);
    emit(
        new Action.TraceMemory(new Shape(Shape.Form.BYTES, bytes), true),
        List.of(new Typed.Counted(bytes, count, word(reference, 0)), count),
        c,
        into);
  }

  private static Typed word(Typed address, long offset) {
    return new Typed.Memory(
        DTypes.ULONG,
        Typed.binary(DTypes.ULONG, BinaryOp.ADD, address, new Typed.Int(DTypes.LONG, offset)),
        Space.KERNEL);
  }

  private static Typed bytes(int count, Typed address) {
    var type = new ArrayType(() -> DTypes.CHAR, OptionalLong.of(count));
    return new Typed.Bytes(type, Space.KERNEL, count, address);
  }

  private void print(Node.Call c, List<TypedStatement> into) {
    requireArguments("print", c, 1, 1, Tag.D_PROTO_LEN);
    var node = c.arguments().getFirst();
    var v = recorded(node, Tag.D_TRACE_VOID);
    if (v.type().resolved() instanceof PointerType p
        && (p.target().resolved() instanceof OpaqueType
            || (DTypes.isComposite(p.target()) && p.target().bytes() == 0))) {
      throw error(
          node.span(),
          Tag.D_PRINT_SIZE,
          "print() of " + DTypes.text(p.target()) + ", whose size is not known or 0");
    }
    // A pointer prints what it points to.
    if (v.type().resolved() instanceof PointerType p
        && !DTypes.isStringLike(v.type())
        && !DTypes.isVoid(p.target())
        && p.target().bytes() > 0) {
      if (p.target().bytes() > Shapes.MOST_RECORDED) {
        throw error(
            node.span(),
            Tag.D_PRINT_SIZE,
            "print() of " + p.target().bytes() + " bytes; at most " + Shapes.MOST_RECORDED);
      }
      var target = p.target();
      int bytes = (int) target.bytes();
      emit(
          new Action.Print(new Shape(Shape.Form.BYTES, bytes, Optional.of(target))),
          List.of(new Typed.Bytes(target, Space.KERNEL, bytes, v)),
          c,
          into);
      return;
    }
    var shape = shaper.of(v.type(), node.span());
    emit(
        new Action.Print(new Shape(shape.form(), shape.bytes(), Optional.of(v.type()))),
        List.of(v),
        c,
        into);
  }

  private void pcap(Node.Call c, List<TypedStatement> into) {
    requireArguments("pcap", c, 2, 2, Tag.D_PCAP_PROTO);
    var address = typer.value(c.arguments().getFirst());
    if (!DTypes.isPointer(address.type())) {
      throw error(
          c.arguments().getFirst().span(),
          Tag.D_PCAP_ADDR,
          "the address of pcap() must be a pointer, not " + DTypes.text(address.type()));
    }
    var protocol = typer.constant(c.arguments().get(1));
    int most = 1514;
    emit(
        new Action.Pcap(
            new Shape(Shape.Form.BYTES, most),
            protocol.isPresent()
                ? OptionalInt.of((int) protocol.getAsLong())
                : OptionalInt.empty()),
        List.of(bytes(most, address), new Typed.Int(DTypes.LONG, most)),
        c,
        into);
  }

  // Formats

  private record Formatted(Format format, List<Shape> shapes, List<Typed> values) {}

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
    var values = new ArrayList<Typed>();
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
        var v = typer.value(c.arguments().get(next));
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
        values.add(Typed.narrow(v, DTypes.INT));
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
      List<Typed> values) {
    if (conversion.letter() != 's' && conversion.letter() != 'S') {
      var v = recorded(node, Tag.D_PRINTF_ARG_TYPE);
      check(name, conversion, v.type(), number, node.span());
      shapes.add(shaper.of(v.type(), node.span()));
      values.add(v);
      return;
    }
    if (node instanceof Node.AggregationRef) {
      throw error(node.span(), Tag.D_PRINTF_ARG_TYPE, "an aggregation is shown by printa()");
    }
    var o = typer.operand(node);
    if (!DTypes.isStringLike(o.type()) && !DTypes.isSpecial(o.type())) {
      throw wrongType(name, conversion, number, "a string", o.type(), node.span());
    }
    if (DTypes.isSpecial(o.type())) {
      var v = typer.load(o, node.span());
      shapes.add(shaper.of(v.type(), node.span()));
      values.add(v);
    } else {
      shapes.add(new Shape(Shape.Form.STRING, typer.limits().strsize()));
      values.add(typer.string(o, node.span(), Tag.D_PRINTF_ARG_TYPE, "argument " + number));
    }
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

  private void printa(Node.Call c, List<TypedStatement> into) {
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
    emit(new Action.Printa(format, ids), List.of(), c, into);
  }

  private void processing(String name, Node.Call c, List<TypedStatement> into) {
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
      case "clear" -> emit(new Action.Clear(id), List.of(), c, into);
      case "denormalize" -> emit(new Action.Denormalize(id), List.of(), c, into);
      case "trunc" -> {
        if (c.arguments().size() == 1) {
          emit(new Action.Truncate(id, false), List.of(), c, into);
        } else {
          emit(new Action.Truncate(id, true), List.of(integer(name, 2, c)), c, into);
        }
      }
      default -> {
        var factor =
            typer.scalar(c.arguments().get(1), Tag.D_NORMALIZE_SCALAR, "the factor of normalize()");
        emit(new Action.Normalize(id), List.of(factor), c, into);
      }
    }
  }
}
