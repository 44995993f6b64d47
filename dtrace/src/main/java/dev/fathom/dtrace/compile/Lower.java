// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.compile.TypedStatement.TypedClause;
import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.ir.Expr;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.model.type.CType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Turns a typed clause into the intermediate form: places become loads and stores, bit-fields
 * shifts and masks, conversions extensions. Nothing can be wrong here any more.
 */
final class Lower {
  private static final Set<Integer> WORDS = Set.of(1, 2, 4, 8);

  private final int strsize;
  private int locals;

  /** What {@link Typed.Old} is in the update at work. */
  private Optional<Expr> old = Optional.empty();

  private Lower(int strsize) {
    this.strsize = strsize;
  }

  static Clause lower(TypedClause clause, int strsize) {
    return new Lower(strsize).clause(clause);
  }

  private Clause clause(TypedClause c) {
    var predicate = c.predicate().map(this::code);
    var body = block(c.body());
    return new Clause(c.id(), c.description(), c.line(), predicate, body, c.actions(), locals);
  }

  private List<Stmt> block(List<TypedStatement> statements) {
    return statements.stream().map(this::statement).toList();
  }

  private Stmt statement(TypedStatement statement) {
    return switch (statement) {
      case TypedStatement.Evaluate e -> new Stmt.Evaluate(code(e.value()));
      case TypedStatement.If i -> new Stmt.If(code(i.test()), block(i.yes()), block(i.no()));
      case TypedStatement.Emit e -> new Stmt.Emit(e.action(), codes(e.values()));
      case TypedStatement.Aggregate a ->
          new Stmt.Aggregate(
              a.aggregation(),
              codes(a.keys()),
              a.value().map(this::code),
              a.increment().map(this::code));
      case TypedStatement.Speculate s -> new Stmt.Speculate(code(s.id()));
      case TypedStatement.EndSpeculation e -> new Stmt.EndSpeculation(e.action(), code(e.id()));
      case TypedStatement.Exit e -> new Stmt.Exit(e.action(), code(e.status()));
      case TypedStatement.Destroy d -> new Stmt.Destroy(d.what(), codes(d.arguments()));
    };
  }

  private List<Expr> codes(List<Typed> values) {
    return values.stream().map(this::code).toList();
  }

  private static IrType irType(CType type) {
    return DTypes.irType(type).orElseThrow();
  }

  private Expr code(Typed v) {
    return switch (v) {
      case Typed.Int i -> new Expr.Int(i.value());
      case Typed.Nothing n -> new Expr.ZeroBlob(((IrType.Blob) irType(n.type())).bytes());
      case Typed.Text t -> new Expr.Text(t.bytes());
      case Typed.BuiltinValue b -> new Expr.Variable(b.builtin());
      case Typed.Argument a -> new Expr.Argument(a.index());
      case Typed.Register r -> new Expr.Register(code(r.index()));
      case Typed.Narrow n -> Codes.narrow(code(n.value()), n.type());
      case Typed.Retyped r -> code(r.value());
      case Typed.Unary u -> Codes.unary(u.op(), code(u.operand()));
      case Typed.Binary b -> Codes.binary(b.op(), code(b.left()), code(b.right()));
      case Typed.Logical l ->
          l.and()
              ? new Expr.And(code(l.left()), code(l.right()))
              : new Expr.Or(code(l.left()), code(l.right()));
      case Typed.CompareStrings c ->
          new Expr.CompareStrings(c.op(), code(c.left()), code(c.right()));
      case Typed.Conditional c -> new Expr.Conditional(code(c.test()), code(c.yes()), code(c.no()));
      case Typed.Sequence s -> new Expr.Sequence(code(s.first()), code(s.second()));
      case Typed.StringAt s -> new Expr.LoadString(s.space(), s.limit(), code(s.address()));
      case Typed.StringIn s -> new Expr.PartString(code(s.whole()), code(s.offset()), s.limit());
      case Typed.Bytes b -> new Expr.LoadBlob(b.space(), b.bytes(), code(b.address()));
      case Typed.Counted c ->
          new Expr.LoadBytes(
              dev.fathom.dtrace.ir.Space.KERNEL, c.limit(), code(c.count()), code(c.address()));
      case Typed.Call c -> new Expr.Call(c.subroutine(), codes(c.arguments()));
      case Typed.KernelStack s -> new Expr.KernelStack(s.frames());
      case Typed.UserStack s -> new Expr.UserStack(s.frames());
      case Typed.UserAddress u -> new Expr.UserAddress(code(u.address()));
      case Typed.Variable x -> new Expr.Get(x.id(), codes(x.keys()), irType(x.type()));
      case Typed.Memory m -> load(m, code(m.address()));
      case Typed.Part p -> part(p, code(p.whole()), code(p.offset()));
      case Typed.Update u -> update(u);
      case Typed.Old _ -> old.orElseThrow();
      case Typed.Translated _, Typed.Array _ ->
          throw new IllegalStateException("not a value: " + v);
    };
  }

  // Reading places

  private Expr load(Typed.Memory m, Expr address) {
    if (m.bits() > 0) {
      return bitField(m, address);
    }
    if (DTypes.isScalar(m.type())) {
      int bytes = (int) m.type().bytes();
      return WORDS.contains(bytes)
          ? new Expr.Load(m.space(), bytes, DTypes.isSigned(m.type()), address)
          : new Expr.LoadBlob(m.space(), bytes, address);
    }
    return new Expr.LoadBlob(m.space(), ((IrType.Blob) irType(m.type())).bytes(), address);
  }

  /** A bit-field: the bytes that it is in, shifted and extended. Bit 0 is the lowest. */
  private static Expr bitField(Typed.Memory m, Expr address) {
    int shift = m.bitOffset() % 8;
    var word =
        new Expr.Load(
            m.space(),
            unit(shift + m.bits()),
            false,
            Codes.binary(BinaryOp.ADD, address, new Expr.Int(m.bitOffset() / 8)));
    return Codes.extend(
        shift == 0
            ? word
            : new Expr.Binary(BinaryOp.SHIFT_RIGHT_UNSIGNED, word, new Expr.Int(shift)),
        m.bits(),
        DTypes.isSigned(m.type()));
  }

  private static int unit(int bits) {
    return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
  }

  private Expr part(Typed.Part p, Expr blob, Expr offset) {
    var type = p.type();
    if (DTypes.isString(type)) {
      return new Expr.PartString(blob, offset, Math.min(strsize, (int) type.bytes()));
    }
    if (!DTypes.isScalar(type)) {
      return new Expr.Slice(blob, offset, ((IrType.Blob) irType(type)).bytes());
    }
    if (p.bits() == 0) {
      return new Expr.Part(blob, offset, (int) type.bytes(), DTypes.isSigned(type));
    }
    int shift = p.bitOffset() % 8;
    var word =
        new Expr.Part(
            blob,
            Codes.binary(BinaryOp.ADD, offset, new Expr.Int(p.bitOffset() / 8)),
            unit(shift + p.bits()),
            false);
    return Codes.extend(
        new Expr.Binary(BinaryOp.SHIFT_RIGHT_UNSIGNED, word, new Expr.Int(shift)),
        p.bits(),
        DTypes.isSigned(type));
  }

  // Changing places

  private Expr update(Typed.Update u) {
    return switch (u.place()) {
      case Typed.Variable v ->
          simple(u)
              ? new Expr.Set(v.id(), codes(v.keys()), code(u.value()))
              : once(codes(v.keys()), keys -> store(u, v, keys, Optional.empty()));
      case Typed.Part p -> {
        var whole = (Typed.Variable) p.whole();
        var fixed = new ArrayList<>(codes(whole.keys()));
        fixed.add(code(p.offset()));
        yield once(
            fixed,
            all -> store(u, whole, all.subList(0, all.size() - 1), Optional.of(all.getLast())));
      }
      case Typed.Memory m ->
          simple(u) && m.bits() == 0
              ? new Expr.Store((int) m.type().bytes(), code(m.address()), code(u.value()))
              : once(List.of(code(m.address())), a -> storeMemory(u, m, a.getFirst()));
      default -> throw new IllegalStateException("not a place: " + u.place());
    };
  }

  /** Whether the place is only written, so that its keys or address are needed once. */
  private static boolean simple(Typed.Update u) {
    return !u.after() && !hasOld(u.value());
  }

  private static boolean hasOld(Typed v) {
    return v instanceof Typed.Old
        || (!(v instanceof Typed.Update) && Typed.parts(v).stream().anyMatch(Lower::hasOld))
        || (v instanceof Typed.Update u && hasOld(u.place()));
  }

  private Expr store(Typed.Update u, Typed.Variable v, List<Expr> keys, Optional<Expr> offset) {
    var whole = new Expr.Get(v.id(), keys, irType(v.type()));
    if (offset.isEmpty()) {
      return changed(u, whole, value -> new Expr.Set(v.id(), keys, value));
    }
    var p = (Typed.Part) u.place();
    return changed(
        u,
        part(p, whole, offset.get()),
        value -> bind(value, local -> set(p, v.id(), keys, whole, offset.get(), local)));
  }

  private Expr set(
      Typed.Part p, int variable, List<Expr> keys, Expr whole, Expr offset, Expr value) {
    Expr changed;
    if (!DTypes.isScalar(p.type())) {
      changed = new Expr.WithSlice(whole, offset, value);
    } else if (p.bits() == 0) {
      changed = new Expr.WithPart(whole, offset, (int) p.type().bytes(), value);
    } else {
      int shift = p.bitOffset() % 8;
      int bytes = unit(shift + p.bits());
      var at = Codes.binary(BinaryOp.ADD, offset, new Expr.Int(p.bitOffset() / 8));
      changed =
          new Expr.WithPart(
              whole,
              at,
              bytes,
              merged(new Expr.Part(whole, at, bytes, false), value, shift, p.bits()));
    }
    return new Expr.Sequence(new Expr.Set(variable, keys, changed), value);
  }

  private Expr storeMemory(Typed.Update u, Typed.Memory m, Expr address) {
    return changed(
        u,
        load(m, address),
        value -> {
          if (m.bits() == 0) {
            return new Expr.Store((int) m.type().bytes(), address, value);
          }
          int shift = m.bitOffset() % 8;
          int bytes = unit(shift + m.bits());
          var at = Codes.binary(BinaryOp.ADD, address, new Expr.Int(m.bitOffset() / 8));
          return new Expr.Store(
              bytes,
              at,
              merged(new Expr.Load(m.space(), bytes, false, at), value, shift, m.bits()));
        });
  }

  /** Computes the new value from the old one and stores it. */
  private Expr changed(Typed.Update u, Expr before, Function<Expr, Expr> store) {
    if (!u.after()) {
      return store.apply(value(u, before));
    }
    return bind(before, local -> new Expr.Sequence(store.apply(value(u, local)), local));
  }

  private Expr value(Typed.Update u, Expr before) {
    var outer = old;
    old = Optional.of(before);
    try {
      return code(u.value());
    } finally {
      old = outer;
    }
  }

  private static Expr merged(Expr old, Expr value, int shift, int bits) {
    long mask = (bits >= 64 ? -1L : (1L << bits) - 1) << shift;
    return Codes.binary(
        BinaryOp.OR,
        Codes.binary(BinaryOp.AND, old, new Expr.Int(~mask)),
        Codes.binary(
            BinaryOp.AND,
            Codes.binary(BinaryOp.SHIFT_LEFT, value, new Expr.Int(shift)),
            new Expr.Int(mask)));
  }

  // Evaluating once

  private Expr bind(Expr value, Function<Expr, Expr> use) {
    int slot = locals++;
    return new Expr.Let(slot, value, use.apply(new Expr.Local(slot, value.type())));
  }

  private Expr once(List<Expr> codes, Function<List<Expr>, Expr> use) {
    return once(codes, 0, new ArrayList<>(), use);
  }

  private Expr once(List<Expr> codes, int index, List<Expr> done, Function<List<Expr>, Expr> use) {
    if (index == codes.size()) {
      return use.apply(List.copyOf(done));
    }
    var code = codes.get(index);
    if (code instanceof Expr.Int || code instanceof Expr.Text || code instanceof Expr.Local) {
      done.add(code);
      return once(codes, index + 1, done, use);
    }
    return bind(
        code,
        local -> {
          done.add(local);
          return once(codes, index + 1, done, use);
        });
  }
}
