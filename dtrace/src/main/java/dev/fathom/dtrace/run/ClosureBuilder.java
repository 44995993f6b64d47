// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.IrProgram;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.FaultKind;
import dev.fathom.dtrace.record.Item;
import dev.fathom.dtrace.record.Key;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Turns the intermediate form into closures. The program has been verified. */
final class ClosureBuilder {
  private final IrProgram program;
  private final Subroutines subroutines = new Subroutines(this);

  ClosureBuilder(IrProgram program) {
    this.program = program;
  }

  // Statements

  /** A clause's statements, which are numbered from 1 for errors. */
  Code.Action body(List<Stmt> statements) {
    var list = statements.stream().map(this::statement).toArray(Code.Action[]::new);
    if (list.length == 1) {
      var only = list[0];
      return m -> {
        m.statement = 1;
        only.run(m);
      };
    }
    return m -> {
      for (int i = 0; i < list.length && !m.abandoned; i++) {
        m.statement = i + 1;
        list[i].run(m);
      }
    };
  }

  private Code.Action block(List<Stmt> statements) {
    var list = statements.stream().map(this::statement).toArray(Code.Action[]::new);
    return m -> {
      for (int i = 0; i < list.length && !m.abandoned; i++) {
        list[i].run(m);
      }
    };
  }

  private Code.Action statement(Stmt s) {
    return switch (s) {
      case Stmt.Evaluate e -> effect(e.expression());
      case Stmt.If i -> {
        var test = number(i.test());
        var yes = block(i.yes());
        var no = block(i.no());
        yield m -> {
          if (test.get(m) != 0) {
            yes.run(m);
          } else {
            no.run(m);
          }
        };
      }
      case Stmt.Emit e -> {
        int action = e.action();
        var values = values(e.values());
        yield m -> m.items.add(new Item(action, List.of(values.get(m))));
      }
      case Stmt.Aggregate a -> aggregate(a);
      case Stmt.Speculate p -> {
        var id = number(p.id());
        yield m -> {
          long n = m.speculationId(id.get(m));
          if (m.isSpeculation(n)) {
            m.speculation = (int) n;
          } else {
            m.abandoned = true;
          }
        };
      }
      case Stmt.EndSpeculation e -> {
        var id = number(e.id());
        int action = e.action();
        yield m -> {
          long n = m.speculationId(id.get(m));
          if (m.isSpeculation(n)) {
            m.endSpeculation(n);
            m.items.add(new Item(action, List.of(new DValue.Num(n))));
          }
        };
      }
      case Stmt.Exit e -> {
        var status = number(e.status());
        int action = e.action();
        yield m -> {
          m.items.add(new Item(action, List.of(new DValue.Num(status.get(m)))));
          m.exited = true;
        };
      }
      case Stmt.Destroy d -> {
        var what = d.what();
        if (d.arguments().isEmpty()) {
          yield m -> m.context.destroy(what, 0);
        }
        var argument = number(d.arguments().getFirst());
        yield m -> m.context.destroy(what, argument.get(m));
      }
    };
  }

  private Code.Action effect(Expr e) {
    if (e.type().equals(IrType.INT)) {
      var code = number(e);
      return code::get;
    }
    var code = thing(e);
    return code::get;
  }

  /** Values as they are recorded. */
  private interface Values {
    DValue[] get(Machine m);
  }

  private Values values(List<Expr> expressions) {
    var codes = expressions.stream().map(this::recorded).toArray(Recorded[]::new);
    return m -> {
      var all = new DValue[codes.length];
      for (int i = 0; i < codes.length; i++) {
        all[i] = codes[i].get(m);
      }
      return all;
    };
  }

  private interface Recorded {
    DValue get(Machine m);
  }

  private Recorded recorded(Expr e) {
    if (e.type().equals(IrType.INT)) {
      var code = number(e);
      return m -> new DValue.Num(code.get(m));
    }
    if (e.type().equals(IrType.STRING)) {
      var code = thing(e);
      return m -> new DValue.Text((String) code.get(m));
    }
    var code = thing(e);
    return m -> Machine.recorded(code.get(m));
  }

  private Keys keys(List<Expr> expressions) {
    if (expressions.isEmpty()) {
      return _ -> Key.NONE;
    }
    if (expressions.size() == 1) {
      var only = recorded(expressions.getFirst());
      return m -> new Key(only.get(m));
    }
    var values = values(expressions);
    return m -> new Key(values.get(m));
  }

  private interface Keys {
    Key get(Machine m);
  }

  private Code.Action aggregate(Stmt.Aggregate a) {
    int id = a.aggregation();
    var keys = keys(a.keys());
    if (a.value().isEmpty()) {
      return m -> m.sink.aggregate(id, keys.get(m), m.context::cpu, 1, 1);
    }
    var value = number(a.value().get());
    if (a.increment().isEmpty()) {
      return m -> {
        var key = keys.get(m);
        m.sink.aggregate(id, key, m.context::cpu, value.get(m), 1);
      };
    }
    var increment = number(a.increment().get());
    return m -> {
      var key = keys.get(m);
      long v = value.get(m);
      m.sink.aggregate(id, key, m.context::cpu, v, increment.get(m));
    };
  }

  // Numbers

  Code.Number number(Expr e) {
    return switch (e) {
      case Expr.Int i -> {
        long value = i.value();
        yield _ -> value;
      }
      case Expr.Variable v -> builtin(v.builtin());
      case Expr.Argument a -> {
        int index = a.index();
        yield m -> m.context.argument(index);
      }
      case Expr.Register r -> {
        var index = number(r.index());
        yield m -> {
          long n = index.get(m);
          if (n < 0 || n > 4096) {
            throw m.fail(FaultKind.BAD_INDEX, n);
          }
          return m.context.register((int) n);
        };
      }
      case Expr.Get g -> getNumber(g);
      case Expr.Set s -> setNumber(s);
      case Expr.Local l -> {
        int slot = l.slot();
        yield m -> m.numbers[slot];
      }
      case Expr.Let l -> {
        var bind = bind(l);
        var body = number(l.body());
        yield m -> {
          bind.run(m);
          return body.get(m);
        };
      }
      case Expr.Sequence s -> {
        var first = effect(s.first());
        var second = number(s.second());
        yield m -> {
          first.run(m);
          return second.get(m);
        };
      }
      case Expr.Unary u -> {
        var operand = number(u.operand());
        yield switch (u.op()) {
          case NEGATE -> m -> -operand.get(m);
          case COMPLEMENT -> m -> ~operand.get(m);
          case NOT -> m -> operand.get(m) == 0 ? 1 : 0;
        };
      }
      case Expr.Extend x -> {
        var operand = number(x.operand());
        int unused = 64 - x.bits();
        yield x.signed()
            ? m -> operand.get(m) << unused >> unused
            : m -> operand.get(m) << unused >>> unused;
      }
      case Expr.Binary b -> binary(b);
      case Expr.CompareStrings c -> compare(c);
      case Expr.And a -> {
        var left = number(a.left());
        var right = number(a.right());
        yield m -> left.get(m) != 0 && right.get(m) != 0 ? 1 : 0;
      }
      case Expr.Or o -> {
        var left = number(o.left());
        var right = number(o.right());
        yield m -> left.get(m) != 0 || right.get(m) != 0 ? 1 : 0;
      }
      case Expr.Conditional c -> {
        var test = number(c.test());
        var yes = number(c.yes());
        var no = number(c.no());
        yield m -> test.get(m) != 0 ? yes.get(m) : no.get(m);
      }
      case Expr.Load l -> load(l);
      case Expr.Store s -> {
        var address = number(s.address());
        var value = number(s.value());
        int bytes = s.bytes();
        yield m -> {
          long at = address.get(m);
          long v = value.get(m);
          m.store(at, bytes, v);
          return v;
        };
      }
      case Expr.Part p -> {
        var blob = thing(p.blob());
        var offset = number(p.offset());
        int bytes = p.bytes();
        int unused = 64 - bytes * 8;
        boolean signed = p.signed();
        yield m -> {
          var all = (byte[]) blob.get(m);
          long v = m.number(all, inside(m, all, offset.get(m), bytes), bytes) << unused;
          return signed ? v >> unused : v >>> unused;
        };
      }
      case Expr.Call c -> subroutines.number(c);
      case Expr.Text _,
          Expr.LoadBlob _,
          Expr.LoadBytes _,
          Expr.LoadString _,
          Expr.Slice _,
          Expr.PartString _,
          Expr.WithPart _,
          Expr.WithSlice _,
          Expr.ZeroBlob _,
          Expr.KernelStack _,
          Expr.UserStack _,
          Expr.UserAddress _ ->
          throw new IllegalStateException("no number: " + e);
    };
  }

  private static int inside(Machine m, byte[] all, long offset, int bytes) {
    if (offset < 0 || offset > all.length - bytes) {
      throw m.fail(FaultKind.BAD_INDEX, offset);
    }
    return (int) offset;
  }

  private static String limited(Machine m, String text) {
    return text.length() > m.strsize ? text.substring(0, m.strsize) : text;
  }

  private Code.Number builtin(Builtin b) {
    return switch (b) {
      case CALLER -> m -> m.context.caller();
      case CPU -> m -> m.context.cpu();
      case CURTHREAD -> m -> m.context.curthread();
      case EPID -> m -> m.enabled.epid();
      case ERRNO -> m -> m.context.errno();
      case GID -> m -> m.context.gid();
      case ID -> m -> m.enabled.probe().id();
      case IPL -> m -> m.context.ipl();
      case PID -> m -> m.context.pid();
      case PPID -> m -> m.context.ppid();
      case STACKDEPTH -> m -> m.context.stack(8192).length;
      case TID -> m -> m.context.tid();
      case TIMESTAMP -> m -> m.context.timestamp();
      case UCALLER -> m -> m.context.ucaller();
      case UID -> m -> m.context.uid();
      case USTACKDEPTH -> m -> m.context.ustack(8192).length;
      case VTIMESTAMP -> m -> m.context.vtimestamp();
      case WALLTIMESTAMP -> m -> m.context.walltimestamp();
      case CWD, EXECARGS, EXECNAME, ROOT, PROBEFUNC, PROBEMOD, PROBENAME, PROBEPROV ->
          throw new IllegalStateException("no number: " + b);
    };
  }

  private Code.Number binary(Expr.Binary b) {
    var left = number(b.left());
    if (b.right() instanceof Expr.Int i) {
      var withConstant = withConstant(b.op(), left, i.value());
      if (withConstant != null) {
        return withConstant;
      }
    }
    var right = number(b.right());
    return switch (b.op()) {
      case ADD -> m -> left.get(m) + right.get(m);
      case SUBTRACT -> m -> left.get(m) - right.get(m);
      case MULTIPLY -> m -> left.get(m) * right.get(m);
      case DIVIDE -> m -> left.get(m) / right.get(m);
      case DIVIDE_UNSIGNED -> m -> Long.divideUnsigned(left.get(m), right.get(m));
      case REMAINDER -> m -> left.get(m) % right.get(m);
      case REMAINDER_UNSIGNED -> m -> Long.remainderUnsigned(left.get(m), right.get(m));
      case AND -> m -> left.get(m) & right.get(m);
      case OR -> m -> left.get(m) | right.get(m);
      case XOR -> m -> left.get(m) ^ right.get(m);
      case SHIFT_LEFT -> m -> left.get(m) << right.get(m);
      case SHIFT_RIGHT -> m -> left.get(m) >> right.get(m);
      case SHIFT_RIGHT_UNSIGNED -> m -> left.get(m) >>> right.get(m);
      case EQUAL -> m -> left.get(m) == right.get(m) ? 1 : 0;
      case NOT_EQUAL -> m -> left.get(m) != right.get(m) ? 1 : 0;
      case LESS -> m -> left.get(m) < right.get(m) ? 1 : 0;
      case LESS_UNSIGNED -> m -> Long.compareUnsigned(left.get(m), right.get(m)) < 0 ? 1 : 0;
      case LESS_EQUAL -> m -> left.get(m) <= right.get(m) ? 1 : 0;
      case LESS_EQUAL_UNSIGNED -> m -> Long.compareUnsigned(left.get(m), right.get(m)) <= 0 ? 1 : 0;
    };
  }

  /** The commonest operations with a constant; null for the others. */
  private static Code.Number withConstant(Expr.BinaryOp op, Code.Number left, long value) {
    return switch (op) {
      case ADD -> m -> left.get(m) + value;
      case SUBTRACT -> m -> left.get(m) - value;
      case AND -> m -> left.get(m) & value;
      case EQUAL -> m -> left.get(m) == value ? 1 : 0;
      case NOT_EQUAL -> m -> left.get(m) != value ? 1 : 0;
      case LESS -> m -> left.get(m) < value ? 1 : 0;
      case SHIFT_RIGHT_UNSIGNED -> m -> left.get(m) >>> value;
      case MULTIPLY,
          DIVIDE,
          DIVIDE_UNSIGNED,
          REMAINDER,
          REMAINDER_UNSIGNED,
          OR,
          XOR,
          SHIFT_LEFT,
          SHIFT_RIGHT,
          LESS_UNSIGNED,
          LESS_EQUAL,
          LESS_EQUAL_UNSIGNED ->
          null;
    };
  }

  private Code.Number compare(Expr.CompareStrings c) {
    var left = thing(c.left());
    var right = thing(c.right());
    return switch (c.op()) {
      case EQUAL -> m -> left.get(m).equals(right.get(m)) ? 1 : 0;
      case NOT_EQUAL -> m -> left.get(m).equals(right.get(m)) ? 0 : 1;
      case LESS -> m -> order(left, right, m) < 0 ? 1 : 0;
      default -> m -> order(left, right, m) <= 0 ? 1 : 0;
    };
  }

  private static int order(Code.Thing left, Code.Thing right, Machine m) {
    return ((String) left.get(m)).compareTo((String) right.get(m));
  }

  private Code.Number load(Expr.Load l) {
    var address = number(l.address());
    var space = l.space();
    int bytes = l.bytes();
    int unused = 64 - bytes * 8;
    return l.signed() && unused > 0
        ? m -> m.load(space, address.get(m), bytes) << unused >> unused
        : m -> m.load(space, address.get(m), bytes);
  }

  // Variables

  private Keys arrayKeys(DVariable v, List<Expr> keys) {
    if (v.scope() != DVariable.Scope.THREAD) {
      return keys(keys);
    }
    var values = values(keys);
    return m -> {
      var own = values.get(m);
      var all = Arrays.copyOf(own, own.length + 1);
      all[own.length] = new DValue.Num(m.context.thread());
      return new Key(all);
    };
  }

  private Code.Number getNumber(Expr.Get g) {
    int id = g.variable();
    var v = program.variables().get(id);
    if (!v.keys().isEmpty()) {
      var keys = arrayKeys(v, g.keys());
      return m -> m.element(id, keys.get(m)) instanceof Long n ? n : 0;
    }
    return switch (v.scope()) {
      case GLOBAL -> m -> m.globalNumbers[id];
      case THREAD -> m -> m.threadNumber(id);
      case CLAUSE -> m -> m.clauseNumbers[id];
    };
  }

  private Code.Number setNumber(Expr.Set s) {
    int id = s.variable();
    var v = program.variables().get(id);
    var value = number(s.value());
    if (!v.keys().isEmpty()) {
      var keys = arrayKeys(v, s.keys());
      return m -> {
        var key = keys.get(m);
        long n = value.get(m);
        m.setElement(id, key, n);
        return n;
      };
    }
    return switch (v.scope()) {
      case GLOBAL -> m -> m.globalNumbers[id] = value.get(m);
      case CLAUSE -> m -> m.clauseNumbers[id] = value.get(m);
      case THREAD ->
          m -> {
            long n = value.get(m);
            m.setThreadNumber(id, n);
            return n;
          };
    };
  }

  private Code.Thing getThing(Expr.Get g) {
    int id = g.variable();
    var v = program.variables().get(id);
    var nothing = Machine.nothing(v.type());
    if (!v.keys().isEmpty()) {
      var keys = arrayKeys(v, g.keys());
      return m -> orNothing(m.element(id, keys.get(m)), nothing);
    }
    return switch (v.scope()) {
      case GLOBAL -> m -> orNothing(m.globalThings[id], nothing);
      case THREAD -> m -> orNothing(m.threadThing(id), nothing);
      case CLAUSE -> m -> orNothing(m.clauseThings[id], nothing);
    };
  }

  private static Object orNothing(Object value, Object nothing) {
    return value == null ? nothing : value;
  }

  private Code.Thing setThing(Expr.Set s) {
    int id = s.variable();
    var v = program.variables().get(id);
    var value = thing(s.value());
    if (!v.keys().isEmpty()) {
      var keys = arrayKeys(v, s.keys());
      return m -> {
        var key = keys.get(m);
        var o = value.get(m);
        m.setElement(id, key, o);
        return o;
      };
    }
    return switch (v.scope()) {
      case GLOBAL -> m -> m.globalThings[id] = value.get(m);
      case CLAUSE -> m -> m.clauseThings[id] = value.get(m);
      case THREAD ->
          m -> {
            var o = value.get(m);
            m.setThreadThing(id, o);
            return o;
          };
    };
  }

  private Code.Action bind(Expr.Let l) {
    int slot = l.slot();
    if (l.value().type().equals(IrType.INT)) {
      var value = number(l.value());
      return m -> m.numbers[slot] = value.get(m);
    }
    var value = thing(l.value());
    return m -> m.things[slot] = value.get(m);
  }

  // Strings, blobs, stacks

  Code.Thing thing(Expr e) {
    return switch (e) {
      case Expr.Text t -> {
        int most = program.limits().strsize();
        var text = t.bytes().length() > most ? t.bytes().substring(0, most) : t.bytes();
        yield _ -> text;
      }
      case Expr.Variable v ->
          switch (v.builtin()) {
            case CWD -> m -> limited(m, m.context.cwd());
            case EXECARGS -> m -> limited(m, m.context.execargs());
            case EXECNAME -> m -> m.context.execname();
            case ROOT -> m -> limited(m, m.context.root());
            case PROBEFUNC -> m -> limited(m, m.enabled.probe().name().function());
            case PROBEMOD -> m -> limited(m, m.enabled.probe().name().module());
            case PROBENAME -> m -> limited(m, m.enabled.probe().name().name());
            case PROBEPROV -> m -> limited(m, m.enabled.probe().name().provider());
            default -> throw new IllegalStateException("a number: " + v);
          };
      case Expr.Get g -> getThing(g);
      case Expr.Set s -> setThing(s);
      case Expr.Local l -> {
        int slot = l.slot();
        yield m -> m.things[slot];
      }
      case Expr.Let l -> {
        var bind = bind(l);
        var body = thing(l.body());
        yield m -> {
          bind.run(m);
          return body.get(m);
        };
      }
      case Expr.Sequence s -> {
        var first = effect(s.first());
        var second = thing(s.second());
        yield m -> {
          first.run(m);
          return second.get(m);
        };
      }
      case Expr.Conditional c -> {
        var test = number(c.test());
        var yes = thing(c.yes());
        var no = thing(c.no());
        yield m -> test.get(m) != 0 ? yes.get(m) : no.get(m);
      }
      case Expr.LoadBlob l -> {
        var address = number(l.address());
        var space = l.space();
        int bytes = l.bytes();
        yield m -> m.bytes(space, address.get(m), bytes);
      }
      case Expr.LoadBytes l -> {
        var address = number(l.address());
        var count = number(l.count());
        var space = l.space();
        int limit = l.limit();
        yield m -> {
          int n = (int) Math.clamp(count.get(m), 0L, (long) limit);
          return Arrays.copyOf(m.bytes(space, address.get(m), n), limit);
        };
      }
      case Expr.LoadString l -> {
        var address = number(l.address());
        var space = l.space();
        int limit = l.limit();
        yield m -> m.string(space, address.get(m), limit);
      }
      case Expr.Slice s -> {
        var blob = thing(s.blob());
        var offset = number(s.offset());
        int bytes = s.bytes();
        yield m -> {
          var all = (byte[]) blob.get(m);
          int from = inside(m, all, offset.get(m), bytes);
          return Arrays.copyOfRange(all, from, from + bytes);
        };
      }
      case Expr.PartString p -> {
        var blob = thing(p.blob());
        var offset = number(p.offset());
        int limit = p.limit();
        yield m -> {
          var all = (byte[]) blob.get(m);
          int from = inside(m, all, offset.get(m), 0);
          return Machine.latin(all, from, Math.min(limit, all.length - from));
        };
      }
      case Expr.WithPart w -> {
        var blob = thing(w.blob());
        var offset = number(w.offset());
        var value = number(w.value());
        int bytes = w.bytes();
        yield m -> {
          var copy = ((byte[]) blob.get(m)).clone();
          int at = inside(m, copy, offset.get(m), bytes);
          m.put(copy, at, bytes, value.get(m));
          return copy;
        };
      }
      case Expr.WithSlice w -> {
        var blob = thing(w.blob());
        var offset = number(w.offset());
        var value = thing(w.value());
        yield m -> {
          var copy = ((byte[]) blob.get(m)).clone();
          long at = offset.get(m);
          var part = (byte[]) value.get(m);
          System.arraycopy(part, 0, copy, inside(m, copy, at, part.length), part.length);
          return copy;
        };
      }
      case Expr.ZeroBlob z -> {
        var zeros = new byte[z.bytes()];
        yield _ -> zeros;
      }
      case Expr.Call c -> subroutines.string(c);
      case Expr.KernelStack k -> {
        int frames = k.frames();
        yield m -> m.stack(frames);
      }
      case Expr.UserStack k -> {
        int frames = k.frames();
        yield m -> new DValue.UserStack(m.context.pid(), m.context.ustack(frames));
      }
      case Expr.UserAddress u -> {
        var address = number(u.address());
        yield m -> new DValue.UserAddress(m.context.pid(), address.get(m));
      }
      case Expr.Int _,
          Expr.Argument _,
          Expr.Register _,
          Expr.Unary _,
          Expr.Extend _,
          Expr.Binary _,
          Expr.CompareStrings _,
          Expr.And _,
          Expr.Or _,
          Expr.Load _,
          Expr.Store _,
          Expr.Part _ ->
          throw new IllegalStateException("a number: " + e);
    };
  }

  List<Code.Number> numbers(List<Expr> all) {
    var list = new ArrayList<Code.Number>();
    all.forEach(e -> list.add(number(e)));
    return list;
  }
}
