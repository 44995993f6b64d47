// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import dev.fathom.base.EvalException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Proves of a program what engines rely on: every reference leads somewhere, every operand has the
 * type that its operation takes, slots are bound before they are used, values fit their actions,
 * and nothing destructive is there unless the limits allow it.
 */
public final class Verifier {
  private static final int DEPTH_LIMIT = 1200;
  private static final Kind NUMBER = new Kind.Exactly(IrType.INT);
  private static final Kind STRING = new Kind.Exactly(IrType.STRING);
  private static final Kind BLOB = new Kind.AnyBlob();
  private static final Kind ANY = new Kind.Anything();

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
      throw wrong(what);
    }
  }

  private EvalException wrong(String what) {
    return new EvalException("clause " + clause.id() + " (" + clause.description() + "): " + what);
  }

  private void block(List<Stmt> statements, Map<Integer, IrType> bound) {
    enter();
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
    fits(check(e, bound), new Kind.Exactly(wanted));
  }

  private void fits(IrType given, Kind wanted) {
    boolean ok =
        switch (wanted) {
          case Kind.Exactly x -> x.type().equals(given);
          case Kind.AnyBlob _ -> given instanceof IrType.Blob;
          case Kind.Anything _ -> true;
        };
    if (!ok) {
      throw wrong("an operand of type " + text(given) + " where " + wanted.text() + " is taken");
    }
  }

  private static String text(IrType type) {
    return type instanceof IrType.Blob b ? "blob " + b.bytes() : type.toString();
  }

  private void width(int bytes) {
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
      throw wrong("a number of " + bytes + " bytes");
    }
  }

  /** What an operand may be. */
  private sealed interface Kind {
    String text();

    record Exactly(IrType type) implements Kind {
      @Override
      public String text() {
        return Verifier.text(type);
      }
    }

    record AnyBlob() implements Kind {
      @Override
      public String text() {
        return "a blob";
      }
    }

    record Anything() implements Kind {
      @Override
      public String text() {
        return "anything";
      }
    }
  }

  private record Operand(Expr expression, Kind kind) {}

  /**
   * The type of {@code e}, whose parts are checked. This is what recurses, so it is kept small: a
   * compiled method that had every case in it took 4.8 KB of stack for each level; this takes 0.3
   * KB.
   */
  private IrType check(Expr e, Map<Integer, IrType> bound) {
    enter();
    if (e instanceof Expr.Let l) {
      bind(l, check(l.value(), bound), bound);
      check(l.body(), bound);
      bound.remove(l.slot());
    } else {
      itself(e, bound);
      for (var o : operands(e)) {
        fits(check(o.expression(), bound), o.kind());
      }
    }
    depth--;
    return e.type();
  }

  private void enter() {
    if (++depth >= DEPTH_LIMIT) {
      throw wrong("nested deeper than " + DEPTH_LIMIT);
    }
  }

  private void bind(Expr.Let l, IrType type, Map<Integer, IrType> bound) {
    require(
        l.slot() >= 0 && l.slot() < clause.locals(), "slot " + l.slot() + " of " + clause.locals());
    require(bound.put(l.slot(), type) == null, "slot " + l.slot() + " is bound twice");
  }

  /** What must hold of an expression besides its operands' types. */
  private void itself(Expr e, Map<Integer, IrType> bound) {
    switch (e) {
      case Expr.Text t ->
          require(
              t.bytes().chars().allMatch(c -> c > 0 && c < 256), "a string that is not of bytes");
      case Expr.Argument a -> require(a.index() >= 0 && a.index() <= 9, "argument " + a.index());
      case Expr.Get g -> {
        var v = variable(g.variable(), g.keys());
        require(v.type().equals(g.type()), v.text() + " read as " + text(g.type()));
      }
      case Expr.Set s -> variable(s.variable(), s.keys());
      case Expr.Local l -> {
        require(bound.containsKey(l.slot()), "slot " + l.slot() + " is not bound");
        require(
            bound.get(l.slot()).equals(l.type()),
            "slot " + l.slot() + " is used as " + text(l.type()));
      }
      case Expr.Extend x ->
          require(x.bits() > 0 && x.bits() < 64, "extension of " + x.bits() + " bits");
      case Expr.CompareStrings c ->
          require(
              c.op() == Expr.BinaryOp.EQUAL
                  || c.op() == Expr.BinaryOp.NOT_EQUAL
                  || c.op() == Expr.BinaryOp.LESS
                  || c.op() == Expr.BinaryOp.LESS_EQUAL,
              "strings compared by " + c.op());
      case Expr.Load l -> width(l.bytes());
      case Expr.Store s -> width(s.bytes());
      case Expr.Part p -> width(p.bytes());
      case Expr.WithPart w -> width(w.bytes());
      case Expr.Call c -> {
        require(
            c.subroutine().parameters().size() == c.arguments().size(),
            c.subroutine().text() + " takes " + c.subroutine().parameters().size() + " arguments");
        if (c.subroutine().destructive()) {
          destructive(c.subroutine().text());
        }
      }
      case Expr.KernelStack k -> require(k.frames() > 0, "a stack of " + k.frames() + " frames");
      case Expr.UserStack k -> require(k.frames() > 0, "a stack of " + k.frames() + " frames");
      case Expr.Int _,
          Expr.Variable _,
          Expr.Register _,
          Expr.Let _,
          Expr.Sequence _,
          Expr.Unary _,
          Expr.Binary _,
          Expr.And _,
          Expr.Or _,
          Expr.Conditional _,
          Expr.LoadBlob _,
          Expr.LoadBytes _,
          Expr.LoadString _,
          Expr.Slice _,
          Expr.PartString _,
          Expr.WithSlice _,
          Expr.ZeroBlob _,
          Expr.UserAddress _ -> {}
    }
  }

  private static Operand of(Expr e, Kind kind) {
    return new Operand(e, kind);
  }

  private static List<Operand> numbers(Expr a, Expr b) {
    return List.of(of(a, NUMBER), of(b, NUMBER));
  }

  /** The operands of an expression and what they must be, in order of evaluation. */
  private List<Operand> operands(Expr e) {
    return switch (e) {
      case Expr.Int _,
          Expr.Text _,
          Expr.Variable _,
          Expr.Argument _,
          Expr.Local _,
          Expr.ZeroBlob _,
          Expr.KernelStack _,
          Expr.UserStack _ ->
          List.of();
      case Expr.Register r -> List.of(of(r.index(), NUMBER));
      case Expr.Get g -> keys(g.variable(), g.keys());
      case Expr.Set s -> {
        var all = keys(s.variable(), s.keys());
        all.add(of(s.value(), new Kind.Exactly(program.variables().get(s.variable()).type())));
        yield all;
      }
      case Expr.Let l -> List.of(of(l.value(), ANY), of(l.body(), ANY));
      case Expr.Sequence s -> List.of(of(s.first(), ANY), of(s.second(), ANY));
      case Expr.Unary u -> List.of(of(u.operand(), NUMBER));
      case Expr.Extend x -> List.of(of(x.operand(), NUMBER));
      case Expr.Binary b -> numbers(b.left(), b.right());
      case Expr.CompareStrings c -> List.of(of(c.left(), STRING), of(c.right(), STRING));
      case Expr.And a -> numbers(a.left(), a.right());
      case Expr.Or o -> numbers(o.left(), o.right());
      case Expr.Conditional c ->
          List.of(
              of(c.test(), NUMBER), of(c.yes(), ANY), of(c.no(), new Kind.Exactly(c.yes().type())));
      case Expr.Load l -> List.of(of(l.address(), NUMBER));
      case Expr.LoadBlob l -> List.of(of(l.address(), NUMBER));
      case Expr.LoadBytes l -> numbers(l.count(), l.address());
      case Expr.LoadString l -> List.of(of(l.address(), NUMBER));
      case Expr.Store s -> numbers(s.address(), s.value());
      case Expr.Part p -> List.of(of(p.blob(), BLOB), of(p.offset(), NUMBER));
      case Expr.Slice s -> List.of(of(s.blob(), BLOB), of(s.offset(), NUMBER));
      case Expr.PartString p -> List.of(of(p.blob(), BLOB), of(p.offset(), NUMBER));
      case Expr.WithPart w ->
          List.of(of(w.blob(), BLOB), of(w.offset(), NUMBER), of(w.value(), NUMBER));
      case Expr.WithSlice w ->
          List.of(of(w.blob(), BLOB), of(w.offset(), NUMBER), of(w.value(), BLOB));
      case Expr.Call c -> {
        var all = new ArrayList<Operand>();
        for (int i = 0; i < c.arguments().size(); i++) {
          all.add(of(c.arguments().get(i), new Kind.Exactly(c.subroutine().parameters().get(i))));
        }
        yield all;
      }
      case Expr.UserAddress u -> List.of(of(u.address(), NUMBER));
    };
  }

  private List<Operand> keys(int variable, List<Expr> keys) {
    var wanted = program.variables().get(variable).keys();
    var all = new ArrayList<Operand>();
    for (int i = 0; i < keys.size(); i++) {
      all.add(of(keys.get(i), new Kind.Exactly(wanted.get(i))));
    }
    return all;
  }

  private DVariable variable(int id, List<Expr> keys) {
    require(
        id >= 0 && id < program.variables().size(),
        "variable " + id + " of " + program.variables().size());
    var v = program.variables().get(id);
    require(
        keys.size() == v.keys().size(),
        v.text() + " has " + v.keys().size() + " keys, " + keys.size() + " given");
    return v;
  }
}
