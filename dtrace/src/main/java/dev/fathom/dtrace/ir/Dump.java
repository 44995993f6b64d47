// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;
import java.util.stream.Collectors;

/** Writes programs of the intermediate form for people, one statement a line. */
public final class Dump {
  private final StringBuilder out = new StringBuilder();
  private final IrProgram program;

  private Dump(IrProgram program) {
    this.program = program;
  }

  public static String of(IrProgram program) {
    return new Dump(program).run();
  }

  private String run() {
    for (var v : program.variables()) {
      line(
          0,
          "var "
              + v.text()
              + (v.keys().isEmpty()
                  ? ""
                  : v.keys().stream().map(Dump::type).collect(Collectors.joining(", ", "[", "]")))
              + " : "
              + type(v.type()));
    }
    for (var a : program.aggregations()) {
      line(
          0,
          "agg @"
              + a.name()
              + a.keys().stream()
                  .map(k -> k.form().toString().toLowerCase(java.util.Locale.ROOT))
                  .collect(Collectors.joining(", ", "[", "]"))
              + " = "
              + a.function().text()
              + a.parameters().stream()
                  .map(Object::toString)
                  .collect(Collectors.joining(", ", "(", ")")));
    }
    for (var c : program.clauses()) {
      line(0, "clause " + c.id() + " " + c.description() + " line " + c.line());
      c.predicate().ifPresent(p -> line(1, "when " + text(p)));
      block(c.body(), 1, c);
    }
    return out.toString();
  }

  private void line(int depth, String text) {
    out.append("  ".repeat(depth)).append(text).append('\n');
  }

  private void block(List<Stmt> statements, int depth, Clause clause) {
    for (var s : statements) {
      switch (s) {
        case Stmt.Evaluate e -> line(depth, text(e.expression()));
        case Stmt.If i -> {
          line(depth, "if " + text(i.test()));
          block(i.yes(), depth + 1, clause);
          if (!i.no().isEmpty()) {
            line(depth, "else");
            block(i.no(), depth + 1, clause);
          }
        }
        case Stmt.Emit e ->
            line(depth, "emit " + action(clause, e.action()) + " " + list(e.values()));
        case Stmt.Aggregate a ->
            line(
                depth,
                "aggregate @"
                    + program.aggregation(a.aggregation()).name()
                    + list(a.keys())
                    + a.value().map(v -> " value " + text(v)).orElse("")
                    + a.increment().map(v -> " by " + text(v)).orElse(""));
        case Stmt.Speculate p -> line(depth, "speculate " + text(p.id()));
        case Stmt.EndSpeculation e -> line(depth, action(clause, e.action()) + " " + text(e.id()));
        case Stmt.Exit e -> line(depth, "exit " + text(e.status()));
        case Stmt.Destroy d -> line(depth, d.what().text() + " " + list(d.arguments()));
      }
    }
  }

  private String action(Clause clause, int index) {
    var action = clause.actions().get(index);
    var name = action.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
    return switch (action) {
      case Action.Printf p -> name + quoted(p.format().text());
      case Action.System p -> name + quoted(p.format().text());
      case Action.Freopen p -> name + quoted(p.format().text());
      case Action.Printa p ->
          name
              + p.format().map(f -> quoted(f.text())).orElse("")
              + p.aggregations().stream()
                  .map(a -> " @" + program.aggregation(a).name())
                  .collect(Collectors.joining());
      case Action.Setopt s -> name + quoted(s.name()) + s.value().map(Dump::quoted).orElse("");
      case Action.Normalize n -> name + " @" + program.aggregation(n.aggregation()).name();
      case Action.Denormalize n -> name + " @" + program.aggregation(n.aggregation()).name();
      case Action.Clear c -> name + " @" + program.aggregation(c.aggregation()).name();
      case Action.Truncate t -> name + " @" + program.aggregation(t.aggregation()).name();
      case Action.Trace t -> name + " " + shape(t.shape());
      case Action.TraceMemory t -> name + " " + shape(t.bytes());
      case Action.Print p -> name + " " + shape(p.value());
      case Action.Pcap p -> name + " " + shape(p.bytes());
      case Action.Ftruncate _, Action.Exit _, Action.Commit _, Action.Discard _ -> name;
    };
  }

  private static String shape(Shape s) {
    return s.form().toString().toLowerCase(java.util.Locale.ROOT) + " " + s.bytes();
  }

  private static String type(IrType type) {
    return switch (type) {
      case IrType.Word w -> w.toString().toLowerCase(java.util.Locale.ROOT);
      case IrType.Blob b -> "blob " + b.bytes();
    };
  }

  private static String list(List<Expr> values) {
    return values.stream().map(Dump::text).collect(Collectors.joining(", ", "[", "]"));
  }

  private static String quoted(String bytes) {
    var text = new StringBuilder(" \"");
    for (char c : bytes.toCharArray()) {
      switch (c) {
        case '\n' -> text.append("\\n");
        case '\t' -> text.append("\\t");
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        default -> text.append(c < 32 || c > 126 ? String.format("\\x%02x", (int) c) : c);
      }
    }
    return text.append('"').toString();
  }

  private static String at(Space space, Expr address) {
    return (space == Space.USER ? "user " : "") + "[" + text(address) + "]";
  }

  private static String width(int bytes, boolean signed) {
    return (signed ? "s" : "u") + bytes * 8;
  }

  private static String text(Expr e) {
    return switch (e) {
      case Expr.Int i -> Long.toString(i.value());
      case Expr.Text t -> quoted(t.bytes()).substring(1);
      case Expr.Variable v -> v.builtin().text();
      case Expr.Argument a -> "arg" + a.index();
      case Expr.Register r -> "uregs[" + text(r.index()) + "]";
      case Expr.Get g -> "v" + g.variable() + (g.keys().isEmpty() ? "" : list(g.keys()));
      case Expr.Set s ->
          "(v"
              + s.variable()
              + (s.keys().isEmpty() ? "" : list(s.keys()))
              + " = "
              + text(s.value())
              + ")";
      case Expr.Local l -> "t" + l.slot();
      case Expr.Let l ->
          "(let t" + l.slot() + " = " + text(l.value()) + " in " + text(l.body()) + ")";
      case Expr.Sequence s -> "(" + text(s.first()) + ", " + text(s.second()) + ")";
      case Expr.Unary u -> u.op().text() + text(u.operand());
      case Expr.Extend x -> (x.signed() ? "s" : "u") + x.bits() + "(" + text(x.operand()) + ")";
      case Expr.Binary b ->
          "(" + text(b.left()) + " " + b.op().text() + " " + text(b.right()) + ")";
      case Expr.CompareStrings c ->
          "(" + text(c.left()) + " " + c.op().text() + "s " + text(c.right()) + ")";
      case Expr.And a -> "(" + text(a.left()) + " && " + text(a.right()) + ")";
      case Expr.Or o -> "(" + text(o.left()) + " || " + text(o.right()) + ")";
      case Expr.Conditional c ->
          "(" + text(c.test()) + " ? " + text(c.yes()) + " : " + text(c.no()) + ")";
      case Expr.Load l -> width(l.bytes(), l.signed()) + at(l.space(), l.address());
      case Expr.LoadBlob l -> "blob" + l.bytes() + at(l.space(), l.address());
      case Expr.LoadBytes l ->
          "blob" + l.limit() + at(l.space(), l.address()) + " of " + text(l.count());
      case Expr.LoadString l -> "string" + at(l.space(), l.address());
      case Expr.Store s ->
          "(" + width(s.bytes(), false) + "[" + text(s.address()) + "] = " + text(s.value()) + ")";
      case Expr.Part p ->
          text(p.blob()) + "." + width(p.bytes(), p.signed()) + "@" + text(p.offset());
      case Expr.Slice s -> text(s.blob()) + ".blob" + s.bytes() + "@" + text(s.offset());
      case Expr.PartString p -> text(p.blob()) + ".string@" + text(p.offset());
      case Expr.WithPart w ->
          "("
              + text(w.blob())
              + " with "
              + width(w.bytes(), false)
              + "@"
              + text(w.offset())
              + " = "
              + text(w.value())
              + ")";
      case Expr.WithSlice w ->
          "(" + text(w.blob()) + " with @" + text(w.offset()) + " = " + text(w.value()) + ")";
      case Expr.ZeroBlob z -> "zero" + z.bytes();
      case Expr.Call c ->
          c.subroutine().text()
              + c.arguments().stream().map(Dump::text).collect(Collectors.joining(", ", "(", ")"));
      case Expr.KernelStack k -> "stack(" + k.frames() + ")";
      case Expr.UserStack k -> "ustack(" + k.frames() + ")";
      case Expr.UserAddress u -> "uaddr(" + text(u.address()) + ")";
    };
  }
}
