// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import dev.fathom.base.EvalException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Proves of a program what engines rely on: every reference leads somewhere, every operand has the
 * type that its operation takes, slots are bound before they are used, values fit their actions,
 * and nothing destructive is there unless the limits allow it.
 */
public final class Verifier {
  private static final int DEPTH_LIMIT = 200;

  private final IrProgram program;
  private Clause clause;
  private int depth;

  private Verifier(IrProgram program) {
    this.program = program;
  }

  /**
   * Checks {@code program}.
   *
   * @throws EvalException saying which clause is wrong and how
   */
  public static void verify(IrProgram program) {
    new Verifier(program).run();
  }

  private void run() {
    for (int i = 0; i < program.variables().size(); i++) {
      if (program.variables().get(i).id() != i) {
        throw new EvalException("variable " + i + " has the id " + program.variables().get(i).id());
      }
    }
    for (int i = 0; i < program.aggregations().size(); i++) {
      if (program.aggregations().get(i).id() != i + 1) {
        throw new EvalException(
            "aggregation " + (i + 1) + " has the id " + program.aggregations().get(i).id());
      }
    }
    for (int i = 0; i < program.clauses().size(); i++) {
      clause = program.clauses().get(i);
      depth = 0;
      require(clause.id() == i, "clause " + i + " has the id " + clause.id());
      clause.predicate().ifPresent(p -> typed(p, IrType.INT, new HashMap<>()));
      block(clause.body(), new HashMap<>());
    }
  }

  private void require(boolean condition, String what) {
    if (!condition) {
      throw new EvalException("clause " + clause.id() + " (" + clause.description() + "): " + what);
    }
  }

  private void block(List<Stmt> statements, Map<Integer, IrType> bound) {
    require(++depth < DEPTH_LIMIT, "nested deeper than " + DEPTH_LIMIT);
    for (var s : statements) {
      statement(s, bound);
    }
    depth--;
  }

  private void statement(Stmt s, Map<Integer, IrType> bound) {
    switch (s) {
      case Stmt.Evaluate e -> check(e.expression(), bound);
      case Stmt.If i -> {
        typed(i.test(), IrType.INT, bound);
        block(i.yes(), bound);
        block(i.no(), bound);
      }
      case Stmt.Emit e -> {
        var action = action(e.action());
        require(
            !(action instanceof Action.Exit
                || action instanceof Action.Commit
                || action instanceof Action.Discard),
            "action " + e.action() + " is emitted by a statement of its own");
        if (action instanceof Action.System || action instanceof Action.Freopen) {
          destructive(action.getClass().getSimpleName());
        }
        var shapes = action.shapes();
        require(
            shapes.size() == e.values().size(),
            "action "
                + e.action()
                + " has "
                + shapes.size()
                + " values, "
                + e.values().size()
                + " emitted");
        for (int i = 0; i < shapes.size(); i++) {
          typed(e.values().get(i), shapes.get(i).irType(), bound);
        }
        consumed(action);
      }
      case Stmt.Aggregate a -> aggregate(a, bound);
      case Stmt.Speculate p -> typed(p.id(), IrType.INT, bound);
      case Stmt.EndSpeculation e -> {
        var action = action(e.action());
        require(
            action instanceof Action.Commit || action instanceof Action.Discard,
            "action " + e.action() + " ends no speculation");
        typed(e.id(), IrType.INT, bound);
      }
      case Stmt.Exit e -> {
        require(action(e.action()) instanceof Action.Exit, "action " + e.action() + " is no exit");
        typed(e.status(), IrType.INT, bound);
      }
      case Stmt.Destroy d -> {
        destructive(d.what().text());
        require(
            d.arguments().size() == d.what().parameters(),
            d.what().text() + " takes " + d.what().parameters() + " arguments");
        d.arguments().forEach(x -> typed(x, IrType.INT, bound));
      }
    }
  }

  private void destructive(String what) {
    require(program.limits().destructive(), what + " changes things, which is not allowed");
  }

  private Action action(int index) {
    require(
        index >= 0 && index < clause.actions().size(),
        "action " + index + " of " + clause.actions().size());
    return clause.actions().get(index);
  }

  /** The aggregations of an action exist. */
  private void consumed(Action action) {
    switch (action) {
      case Action.Printa p -> p.aggregations().forEach(this::aggregation);
      case Action.Normalize n -> aggregation(n.aggregation());
      case Action.Denormalize n -> aggregation(n.aggregation());
      case Action.Clear c -> aggregation(c.aggregation());
      case Action.Truncate t -> aggregation(t.aggregation());
      case Action.Trace _,
          Action.TraceMemory _,
          Action.Print _,
          Action.Printf _,
          Action.System _,
          Action.Freopen _,
          Action.Ftruncate _,
          Action.Setopt _,
          Action.Exit _,
          Action.Commit _,
          Action.Discard _,
          Action.Pcap _ -> {}
    }
  }

  private Aggregation aggregation(int id) {
    require(
        id >= 1 && id <= program.aggregations().size(),
        "aggregation " + id + " of " + program.aggregations().size());
    return program.aggregation(id);
  }

  private void aggregate(Stmt.Aggregate a, Map<Integer, IrType> bound) {
    var aggregation = aggregation(a.aggregation());
    require(
        a.keys().size() == aggregation.keys().size(),
        "aggregation "
            + a.aggregation()
            + " has "
            + aggregation.keys().size()
            + " keys, "
            + a.keys().size()
            + " given");
    for (int i = 0; i < a.keys().size(); i++) {
      typed(a.keys().get(i), aggregation.keys().get(i).irType(), bound);
    }
    require(
        a.value().isPresent() == aggregation.function().takesValue(),
        aggregation.function().text() + "() and its value do not agree");
    require(
        a.increment().isEmpty() || aggregation.function().takesIncrement(),
        aggregation.function().text() + "() takes no increment");
    a.value().ifPresent(v -> typed(v, IrType.INT, bound));
    a.increment().ifPresent(v -> typed(v, IrType.INT, bound));
  }

  private void typed(Expr e, IrType wanted, Map<Integer, IrType> bound) {
    var given = check(e, bound);
    require(
        given.equals(wanted),
        "an operand of type " + text(given) + " where " + text(wanted) + " is taken");
  }

  private void blob(Expr e, Map<Integer, IrType> bound) {
    var given = check(e, bound);
    require(given instanceof IrType.Blob, "an operand of type " + text(given) + ", not a blob");
  }

  private static String text(IrType type) {
    return type instanceof IrType.Blob b ? "blob " + b.bytes() : type.toString();
  }

  private void width(int bytes) {
    require(
        bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8, "a number of " + bytes + " bytes");
  }

  /** The type of {@code e}, whose parts are checked. */
  private IrType check(Expr e, Map<Integer, IrType> bound) {
    require(++depth < DEPTH_LIMIT, "nested deeper than " + DEPTH_LIMIT);
    switch (e) {
      case Expr.Int _ -> {}
      case Expr.Text t ->
          require(
              t.bytes().chars().allMatch(c -> c > 0 && c < 256), "a string that is not of bytes");
      case Expr.Variable _ -> {}
      case Expr.Argument a -> require(a.index() >= 0 && a.index() <= 9, "argument " + a.index());
      case Expr.Register r -> typed(r.index(), IrType.INT, bound);
      case Expr.Get g -> {
        var v = variable(g.variable(), g.keys(), bound);
        require(v.type().equals(g.type()), v.text() + " read as " + text(g.type()));
      }
      case Expr.Set s -> {
        var v = variable(s.variable(), s.keys(), bound);
        typed(s.value(), v.type(), bound);
      }
      case Expr.Local l -> {
        require(bound.containsKey(l.slot()), "slot " + l.slot() + " is not bound");
        require(
            bound.get(l.slot()).equals(l.type()),
            "slot " + l.slot() + " is used as " + text(l.type()));
      }
      case Expr.Let l -> {
        require(
            l.slot() >= 0 && l.slot() < clause.locals(),
            "slot " + l.slot() + " of " + clause.locals());
        var type = check(l.value(), bound);
        require(bound.put(l.slot(), type) == null, "slot " + l.slot() + " is bound twice");
        check(l.body(), bound);
        bound.remove(l.slot());
      }
      case Expr.Sequence s -> {
        check(s.first(), bound);
        check(s.second(), bound);
      }
      case Expr.Unary u -> typed(u.operand(), IrType.INT, bound);
      case Expr.Extend x -> {
        require(x.bits() > 0 && x.bits() < 64, "extension of " + x.bits() + " bits");
        typed(x.operand(), IrType.INT, bound);
      }
      case Expr.Binary b -> {
        typed(b.left(), IrType.INT, bound);
        typed(b.right(), IrType.INT, bound);
      }
      case Expr.CompareStrings c -> {
        require(
            c.op() == Expr.BinaryOp.EQUAL
                || c.op() == Expr.BinaryOp.NOT_EQUAL
                || c.op() == Expr.BinaryOp.LESS
                || c.op() == Expr.BinaryOp.LESS_EQUAL,
            "strings compared by " + c.op());
        typed(c.left(), IrType.STRING, bound);
        typed(c.right(), IrType.STRING, bound);
      }
      case Expr.And a -> {
        typed(a.left(), IrType.INT, bound);
        typed(a.right(), IrType.INT, bound);
      }
      case Expr.Or o -> {
        typed(o.left(), IrType.INT, bound);
        typed(o.right(), IrType.INT, bound);
      }
      case Expr.Conditional c -> {
        typed(c.test(), IrType.INT, bound);
        typed(c.no(), check(c.yes(), bound), bound);
      }
      case Expr.Load l -> {
        width(l.bytes());
        typed(l.address(), IrType.INT, bound);
      }
      case Expr.LoadBlob l -> typed(l.address(), IrType.INT, bound);
      case Expr.LoadBytes l -> {
        typed(l.count(), IrType.INT, bound);
        typed(l.address(), IrType.INT, bound);
      }
      case Expr.LoadString l -> typed(l.address(), IrType.INT, bound);
      case Expr.Store s -> {
        width(s.bytes());
        typed(s.address(), IrType.INT, bound);
        typed(s.value(), IrType.INT, bound);
      }
      case Expr.Part p -> {
        width(p.bytes());
        blob(p.blob(), bound);
        typed(p.offset(), IrType.INT, bound);
      }
      case Expr.Slice s -> {
        blob(s.blob(), bound);
        typed(s.offset(), IrType.INT, bound);
      }
      case Expr.PartString p -> {
        blob(p.blob(), bound);
        typed(p.offset(), IrType.INT, bound);
      }
      case Expr.WithPart w -> {
        width(w.bytes());
        blob(w.blob(), bound);
        typed(w.offset(), IrType.INT, bound);
        typed(w.value(), IrType.INT, bound);
      }
      case Expr.WithSlice w -> {
        blob(w.blob(), bound);
        typed(w.offset(), IrType.INT, bound);
        blob(w.value(), bound);
      }
      case Expr.ZeroBlob _ -> {}
      case Expr.Call c -> {
        var parameters = c.subroutine().parameters();
        require(
            parameters.size() == c.arguments().size(),
            c.subroutine().text() + " takes " + parameters.size() + " arguments");
        for (int i = 0; i < parameters.size(); i++) {
          typed(c.arguments().get(i), parameters.get(i), bound);
        }
        if (c.subroutine().destructive()) {
          destructive(c.subroutine().text());
        }
      }
      case Expr.KernelStack k -> require(k.frames() > 0, "a stack of " + k.frames() + " frames");
      case Expr.UserStack k -> require(k.frames() > 0, "a stack of " + k.frames() + " frames");
      case Expr.UserAddress u -> typed(u.address(), IrType.INT, bound);
    }
    depth--;
    return e.type();
  }

  private DVariable variable(int id, List<Expr> keys, Map<Integer, IrType> bound) {
    require(
        id >= 0 && id < program.variables().size(),
        "variable " + id + " of " + program.variables().size());
    var v = program.variables().get(id);
    require(
        keys.size() == v.keys().size(),
        v.text() + " has " + v.keys().size() + " keys, " + keys.size() + " given");
    for (int i = 0; i < keys.size(); i++) {
      typed(keys.get(i), v.keys().get(i), bound);
    }
    return v;
  }
}
