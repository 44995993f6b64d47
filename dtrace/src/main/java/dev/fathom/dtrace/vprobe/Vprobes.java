// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.vprobe;

import dev.fathom.base.ProgramException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.syntax.External;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Statement;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.dtrace.syntax.TypeText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Turns a VProbes script into D's syntax tree. Integers and strings become D's global variables, an
 * aggregate the four aggregations that its lines show, a bag an associative array.
 */
public final class Vprobes {
  /** What {@code gueststack} writes is longer than D's usual strings. */
  private static final int STRING_BYTES = 1024;

  private static final int MOST_ARGUMENTS = 10;

  private static final List<String> FIGURES = List.of("avg", "count", "min", "max");

  /** System V's registers for arguments, which are known where a function begins. */
  private static final List<String> ARGUMENT_REGISTERS =
      List.of("RDI", "RSI", "RDX", "RCX", "R8", "R9");

  private static final List<String> ARITHMETIC = List.of("+", "*", "&", "|", "^", "&&", "||");
  private static final List<String> OF_TWO =
      List.of("-", "/", "%", "==", "!=", "<", "<=", ">", ">=", "<<", ">>");

  private enum Kind {
    INTEGER,
    STRING,
    BAG
  }

  private record Aggregate(int integers, int texts) {}

  private final Source source;
  private final Map<String, Kind> variables = new LinkedHashMap<>();
  private final Map<String, Aggregate> aggregates = new LinkedHashMap<>();
  private final List<Statement> initial = new ArrayList<>();
  private final List<External> clauses = new ArrayList<>();
  private Points.Point point = new Points.Point("", "", Points.Kind.LOAD, "");

  private Vprobes(Source source) {
    this.source = source;
  }

  /**
   * Reads a script, in the Lisp form where its first character is a parenthesis, else in Emmett.
   *
   * @throws ProgramException for what is wrong, or cannot be served from outside a guest
   */
  public static List<External> parse(Source source) {
    return new Vprobes(source)
        .run(isLisp(source.text()) ? LispReader.read(source) : EmmettParser.parse(source));
  }

  /** Whether a file of that name has a VProbes script: {@code .vp} (Lisp) or {@code .emt}. */
  public static boolean isScript(String file) {
    return file.endsWith(".vp") || file.endsWith(".emt");
  }

  private static boolean isLisp(String text) {
    for (var line : text.lines().toList()) {
      var bare = line.strip();
      if (!bare.isEmpty() && !bare.startsWith(";")) {
        return bare.startsWith("(");
      }
    }
    return false;
  }

  private List<External> run(List<Form> forms) {
    for (var form : forms) {
      if (!(form instanceof Form.Listed l)) {
        throw syntax(form, "expected a form such as (vprobe PROBE ...)");
      }
      top(l);
    }
    var all = new ArrayList<External>();
    all.add(option("strsize=" + STRING_BYTES));
    all.add(option("quiet"));
    variables.forEach((name, kind) -> all.add(declaration(name, kind)));
    if (!initial.isEmpty()) {
      all.add(clause("dtrace:::BEGIN", initial, Span.at(0)));
    }
    all.addAll(clauses);
    if (!aggregates.isEmpty()) {
      var last = new ArrayList<Statement>();
      aggregates.keySet().forEach(name -> last.add(statement(logged(name, Span.at(0)))));
      all.add(clause("dtrace:::END", last, Span.at(0)));
    }
    return all;
  }

  private static External option(String text) {
    return new External.Pragma("option", List.of(text), Span.at(0));
  }

  private static External clause(String probe, List<Statement> body, Span at) {
    return new External.Clause(
        List.of(new External.ProbeSpec(probe, at)), Optional.empty(), body, at);
  }

  private static External declaration(String name, Kind kind) {
    var at = Span.at(0);
    var base =
        kind == Kind.STRING
            ? new TypeText.Words(List.of("string"))
            : new TypeText.Words(List.of("long"));
    var specifier = new TypeText.Specifier(List.of(), List.of(), base, at);
    var key = new TypeText(specifier, new TypeText.Declarator("", List.of(), at), at);
    return new External.Declaration(
        specifier,
        List.of(
            new TypeText.Declarator(
                name(name),
                kind == Kind.BAG ? List.of(new TypeText.Tuple(List.of(key))) : List.of(),
                at)),
        at);
  }

  /** A script's name in D, where it cannot meet one of D's own. */
  private static String name(String name) {
    return "vp_" + name.replace('!', '_');
  }

  private ProgramException syntax(Form at, String detail) {
    return Characters.syntax(source, at.span(), detail);
  }

  private ProgramException refused(Form at, String what) {
    return source.error(
        at.span(), Tag.D_FUNC_UNDEF, what + " cannot be served from outside the guest");
  }

  // Definitions

  private void top(Form.Listed form) {
    var rest = form.rest();
    switch (form.head()) {
      case "version" -> {}
      case "definteger" -> define(form, Kind.INTEGER);
      case "defstring" -> define(form, Kind.STRING);
      case "defbag" -> variables.put(symbol(form, 1), Kind.BAG);
      case "defaggr" -> aggregates.put(symbol(form, 1), aggregate(form));
      case "vprobe" -> {
        point = Points.of(source, symbol(form, 1), rest.getFirst().span());
        clauses.add(clause(point.probe(), body(rest.subList(1, rest.size())), form.span()));
      }
      default ->
          throw syntax(
              form,
              "'"
                  + form.head()
                  + "' is not supported here; expected version, definteger, defstring, defbag,"
                  + " defaggr or vprobe");
    }
  }

  private void define(Form.Listed form, Kind kind) {
    var name = symbol(form, 1);
    variables.put(name, kind);
    if (form.items().size() > 2) {
      initial.add(statement(assign(name, kind, form.items().get(2), form)));
    }
  }

  private Aggregate aggregate(Form.Listed form) {
    return new Aggregate(count(form, 2), count(form, 3));
  }

  private int count(Form.Listed form, int index) {
    if (form.items().size() > index
        && form.items().get(index) instanceof Form.Number n
        && n.value() >= 0
        && n.value() <= MOST_ARGUMENTS) {
      return (int) n.value();
    }
    throw syntax(form, "expected how many keys " + form.head() + " has, at most " + MOST_ARGUMENTS);
  }

  private String symbol(Form.Listed form, int index) {
    if (form.items().size() > index && form.items().get(index) instanceof Form.Symbol s) {
      return s.name();
    }
    throw syntax(form, form.head() + " takes a name");
  }

  private Form item(Form.Listed form, int index) {
    if (form.items().size() <= index) {
      throw syntax(
          form, form.head() + " takes more than " + (form.items().size() - 1) + " arguments");
    }
    return form.items().get(index);
  }

  // Statements

  private static Statement statement(Node node) {
    return new Statement.Expression(node);
  }

  private List<Statement> body(List<Form> forms) {
    var all = new ArrayList<Statement>();
    forms.forEach(f -> statement(f, all));
    return all;
  }

  private void statement(Form form, List<Statement> into) {
    if (!(form instanceof Form.Listed l)) {
      into.add(statement(value(form)));
      return;
    }
    var at = l.span();
    switch (l.head()) {
      case "do" -> into.addAll(body(l.rest()));
      case "cond" -> into.addAll(conditions(l.rest(), 0));
      case "setint" -> into.add(statement(assign(symbol(l, 1), Kind.INTEGER, item(l, 2), l)));
      case "setstr" -> into.add(statement(assign(symbol(l, 1), Kind.STRING, item(l, 2), l)));
      case "aggr" -> feed(l, into);
      case "baginsert" ->
          into.add(statement(new Node.Assign("", element(l, item(l, 2)), value(item(l, 3)), at)));
      case "logint" -> into.add(statement(printf(at, "%d\n", value(item(l, 1)))));
      case "logstr" -> into.add(statement(printf(at, "%s\n", value(item(l, 1)))));
      case "printf" -> {
        if (!(item(l, 1) instanceof Form.Text format)) {
          throw syntax(l, "printf takes a format that is a string");
        }
        var values = l.items().subList(2, l.items().size()).stream().map(this::value).toList();
        into.add(statement(printf(at, format.value(), values.toArray(Node[]::new))));
      }
      case "logaggr" -> into.add(statement(logged(known(l), at)));
      case "clearaggr" -> {
        var name = known(l);
        for (var figure : FIGURES) {
          into.add(statement(call(at, "trunc", reference(name, figure, Optional.empty(), at))));
        }
      }
      case "exit" -> into.add(statement(call(at, "exit", number(0, at))));
      case "gueststack" -> {
        if (l.items().size() > 1) {
          into.add(
              statement(
                  new Node.Assign("", variable(symbol(l, 1), Kind.STRING, l), stack(at), at)));
        }
      }
      case "getgueststr" ->
          into.add(
              statement(
                  new Node.Assign(
                      "",
                      variable(symbol(l, 1), Kind.STRING, l),
                      call(
                          at,
                          "substr",
                          new Node.Stringof(pointer("char", value(item(l, 3)), at), at),
                          number(0, at),
                          value(item(l, 2))),
                      at)));
      default -> into.add(statement(value(form)));
    }
  }

  private List<Statement> conditions(List<Form> clauses, int index) {
    if (index == clauses.size()) {
      return List.of();
    }
    if (!(clauses.get(index) instanceof Form.Listed c) || c.items().isEmpty()) {
      throw syntax(clauses.get(index), "cond takes lists of a condition and what is done then");
    }
    var then = body(c.items().subList(1, c.items().size()));
    if (c.items().getFirst() instanceof Form.Number n && n.value() != 0) {
      return then;
    }
    return List.of(
        new Statement.If(
            value(c.items().getFirst()), then, conditions(clauses, index + 1), c.span()));
  }

  private Node assign(String name, Kind kind, Form value, Form.Listed form) {
    return new Node.Assign("", variable(name, kind, form), value(value), form.span());
  }

  private Node variable(String name, Kind kind, Form at) {
    var known = variables.putIfAbsent(name, kind);
    if (known != null && known != kind) {
      throw syntax(
          at,
          "'"
              + name
              + "' is "
              + (known == Kind.STRING
                  ? "a string"
                  : "no " + kind.name().toLowerCase(java.util.Locale.ROOT)));
    }
    return new Node.Name(name(name), at.span());
  }

  private Node element(Form.Listed form, Form key) {
    var name = symbol(form, 1);
    if (variables.get(name) != Kind.BAG) {
      throw syntax(form, "'" + name + "' is no bag");
    }
    return new Node.Index(new Node.Name(name(name), form.span()), List.of(value(key)), form.span());
  }

  private static Node number(long value, Span at) {
    return new Node.IntegerLiteral(value, false, false, value == (int) value ? 0 : 1, at);
  }

  private static Node call(Span at, String function, Node... arguments) {
    return new Node.Call(new Node.Name(function, at), List.of(arguments), at);
  }

  private static Node printf(Span at, String format, Node... values) {
    var all = new ArrayList<Node>();
    all.add(new Node.StringLiteral(format, at));
    all.addAll(List.of(values));
    return new Node.Call(new Node.Name("printf", at), all, at);
  }

  private static Node stack(Span at) {
    return call(at, "gueststack");
  }

  // Aggregates

  private static Node reference(String name, String figure, Optional<List<Node>> keys, Span at) {
    return new Node.AggregationRef(name(name) + "_" + figure, keys, at);
  }

  private String known(Form.Listed form) {
    var name = symbol(form, 1);
    if (!aggregates.containsKey(name)) {
      throw syntax(form, "'" + name + "' is no aggregate");
    }
    return name;
  }

  private void feed(Form.Listed form, List<Statement> into) {
    var name = known(form);
    var shape = aggregates.get(name);
    var keys = new ArrayList<Node>();
    keys(form, item(form, 2), shape.integers(), keys);
    keys(form, item(form, 3), shape.texts(), keys);
    var value = value(item(form, 4));
    var at = form.span();
    for (var figure : FIGURES) {
      var function = figure.equals("count") ? call(at, figure) : call(at, figure, value);
      into.add(
          statement(
              new Node.Assign(
                  "",
                  reference(
                      name, figure, keys.isEmpty() ? Optional.empty() : Optional.of(keys), at),
                  function,
                  at)));
    }
  }

  private void keys(Form.Listed form, Form given, int wanted, List<Node> into) {
    int count = given instanceof Form.Listed l ? l.items().size() : -1;
    if (count != wanted) {
      throw syntax(
          given, "'" + symbol(form, 1) + "' has " + wanted + " keys here, " + count + " given");
    }
    ((Form.Listed) given).items().forEach(k -> into.add(value(k)));
  }

  /** A line for each value: {@code name[keys] == avg A count C min M max X}. */
  private Node logged(String name, Span at) {
    var shape = aggregates.get(name);
    var keys = new ArrayList<String>();
    for (int i = 0; i < shape.integers(); i++) {
      keys.add("%d");
    }
    for (int i = 0; i < shape.texts(); i++) {
      keys.add("%s");
    }
    var format = new StringBuilder(name.replace("%", "%%"));
    if (!keys.isEmpty()) {
      format.append('[').append(String.join(", ", keys)).append(']');
    }
    format.append(" ==");
    FIGURES.forEach(f -> format.append(' ').append(f).append(" %@d"));
    format.append('\n');
    var arguments = new ArrayList<Node>();
    arguments.add(new Node.StringLiteral(format.toString(), at));
    FIGURES.forEach(f -> arguments.add(reference(name, f, Optional.empty(), at)));
    return new Node.Call(new Node.Name("printa", at), arguments, at);
  }

  // Values

  private Node value(Form form) {
    return switch (form) {
      case Form.Number n -> number(n.value(), n.span());
      case Form.Text t -> new Node.StringLiteral(t.value(), t.span());
      case Form.Symbol s -> named(s);
      case Form.Listed l -> computed(l);
    };
  }

  private Node named(Form.Symbol s) {
    var at = s.span();
    if (variables.containsKey(s.name())) {
      return new Node.Name(name(s.name()), at);
    }
    int argument =
        s.name().matches("ARG[0-9]")
            ? s.name().charAt(3) - '0'
            : point.kind() == Points.Kind.ENTRY ? ARGUMENT_REGISTERS.indexOf(s.name()) : -1;
    if (argument >= 0) {
      return new Node.Name("arg" + argument, at);
    }
    switch (s.name()) {
      case "VCPUID" -> {
        return new Node.Name("cpu", at);
      }
      case "PROBENAME" -> {
        return new Node.StringLiteral(point.name(), at);
      }
      case "RIP" -> {
        return programCounter(s);
      }
      case "RAX" -> {
        if (point.kind() == Points.Kind.RETURN) {
          return new Node.Name("arg1", at);
        }
        throw refused(s, "RAX at " + point.name());
      }
      default -> {
        if (s.name().matches("[A-Z][A-Z0-9_]+")) {
          throw refused(s, s.name() + " at " + point.name());
        }
        return variable(s.name(), Kind.INTEGER, s);
      }
    }
  }

  private Node programCounter(Form.Symbol s) {
    var at = s.span();
    return switch (point.kind()) {
      case TIMER ->
          new Node.Ternary(
              new Node.Name("arg0", at), new Node.Name("arg0", at), new Node.Name("arg1", at), at);
      case ENTRY -> address(point.function(), at);
      case LOAD, RETURN -> throw refused(s, "RIP at " + point.name());
    };
  }

  private static Node address(String symbol, Span at) {
    var type = new TypeText.Words(List.of("unsigned", "long"));
    return new Node.Cast(
        new TypeText(
            new TypeText.Specifier(List.of(), List.of(), type, at),
            new TypeText.Declarator("", List.of(), at),
            at),
        new Node.Prefix("&", new Node.Symbol("", symbol, at), at),
        at);
  }

  private static Node pointer(String type, Node address, Span at) {
    return new Node.Cast(
        new TypeText(
            new TypeText.Specifier(List.of(), List.of(), new TypeText.Words(List.of(type)), at),
            new TypeText.Declarator("", List.of(new TypeText.Pointer(List.of())), at),
            at),
        address,
        at);
  }

  private static String integer(long bytes) {
    return bytes == 1 ? "char" : bytes == 2 ? "short" : bytes == 4 ? "int" : "long";
  }

  private Node computed(Form.Listed l) {
    var at = l.span();
    var head = l.head();
    if (ARITHMETIC.contains(head)) {
      var node = value(item(l, 1));
      for (var f : l.items().subList(2, l.items().size())) {
        node = new Node.Infix(head, node, value(f), at);
      }
      return node;
    }
    if (OF_TWO.contains(head)) {
      return head.equals("-") && l.items().size() == 2
          ? new Node.Prefix("-", value(item(l, 1)), at)
          : new Node.Infix(head, value(item(l, 1)), value(item(l, 2)), at);
    }
    return switch (head) {
      case "!", "~" -> new Node.Prefix(head, value(item(l, 1)), at);
      case "strcmp" -> compared(value(item(l, 1)), value(item(l, 2)), at);
      case "gueststack" -> stack(at);
      case "guestsym" -> address(((Form.Text) item(l, 1)).value(), at);
      case "getguest" -> new Node.Prefix("*", pointer("long", value(item(l, 1)), at), at);
      case "load" ->
          new Node.Prefix(
              "*", pointer(integer(((Form.Number) item(l, 1)).value()), value(item(l, 2)), at), at);
      case "low" ->
          new Node.Cast(
              new TypeText(
                  new TypeText.Specifier(
                      List.of(),
                      List.of(),
                      new TypeText.Words(List.of(integer(((Form.Number) item(l, 1)).value()))),
                      at),
                  new TypeText.Declarator("", List.of(), at),
                  at),
              value(item(l, 2)),
              at);
      case "getsystemtime" -> new Node.Name("timestamp", at);
      case "bagremove" -> removed(l);
      case "cond" -> chosen(l.rest(), 0, at);
      default -> throw refused(l, head.isEmpty() ? "this form" : head + "()");
    };
  }

  private static Node compared(Node a, Node b, Span at) {
    return new Node.Ternary(
        new Node.Infix("==", a, b, at),
        number(0, at),
        new Node.Ternary(
            new Node.Infix("<", a, b, at),
            new Node.Prefix("-", number(1, at), at),
            number(1, at),
            at),
        at);
  }

  /** Reading an element of a bag takes it out. */
  private Node removed(Form.Listed l) {
    var at = l.span();
    var taken = variable("taken", Kind.INTEGER, l);
    var place = element(l, item(l, 2));
    return new Node.Comma(
        new Node.Assign("", taken, place, at),
        new Node.Comma(new Node.Assign("", element(l, item(l, 2)), number(0, at), at), taken, at),
        at);
  }

  private Node chosen(List<Form> clauses, int index, Span at) {
    if (index == clauses.size()) {
      return number(0, at);
    }
    if (!(clauses.get(index) instanceof Form.Listed c) || c.items().size() != 2) {
      throw syntax(clauses.get(index), "cond as a value takes lists of a condition and a value");
    }
    return new Node.Ternary(
        value(c.items().getFirst()), value(c.items().get(1)), chosen(clauses, index + 1, at), at);
  }
}
