// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Expr.BinaryOp;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/** Types what is inside something: elements of arrays, members, the probe's typed arguments. */
final class Elements {
  /** The registers of 64-bit Arm; x86-64 has fewer. */
  private static final int MOST_REGISTERS = 34;

  private final Typer typer;

  Elements(Typer typer) {
    this.typer = typer;
  }

  private RuntimeException error(Span at, Tag tag, String detail) {
    return typer.error(at, tag, detail);
  }

  private static Typed plus(Typed offset, Typed bytes) {
    return Typed.binary(DTypes.ULONG, BinaryOp.ADD, offset, bytes);
  }

  /** A part of something that is a place or a value. */
  private Typed part(CType type, Typed whole, Typed offset, int bitOffset, int bits, Span at) {
    return switch (whole) {
      case Typed.Memory m ->
          new Typed.Memory(type, plus(m.address(), offset), m.space(), bitOffset, bits, m.symbol());
      case Typed.Part p ->
          new Typed.Part(type, p.whole(), plus(p.offset(), offset), bitOffset, bits);
      case Typed.Translated _, Typed.Array _ ->
          throw error(at, Tag.D_OP_SOU, "neither a structure nor an array in memory");
      default -> new Typed.Part(type, whole, offset, bitOffset, bits);
    };
  }

  Typed index(Node.Index i) {
    if (i.base() instanceof Node.Name || i.base() instanceof Node.Scoped) {
      var meaning = typer.resolver().meaning(i.base());
      switch (meaning) {
        case Meaning.Arguments _ -> {
          return argument(i);
        }
        case Meaning.Registers _ -> {
          return register(i);
        }
        case Meaning.Variable v when v.declared().associative() -> {
          return element(v.declared(), i);
        }
        case Meaning.Inlined l when !l.inline().keys().isEmpty() -> {
          return inlineElement(l.inline(), i);
        }
        case Meaning.Variable _,
            Meaning.Inlined _,
            Meaning.Parameter _,
            Meaning.BuiltIn _,
            Meaning.Argument _,
            Meaning.Enumerator _,
            Meaning.KernelSymbol _ -> {}
      }
    }
    var base = typer.operand(i.base());
    if (i.indexes().size() > 1) {
      throw error(
          i.span(),
          Tag.D_ARR_BADREF,
          "expected an associative array before several keys, not " + DTypes.text(base.type()));
    }
    var number = typer.value(i.indexes().getFirst());
    if (!DTypes.isInteger(number.type())) {
      throw error(
          i.indexes().getFirst().span(),
          Tag.D_OP_INT,
          "an index must be an integer, not " + DTypes.text(number.type()));
    }
    if (DTypes.isArray(base.type())) {
      return arrayElement(base, (ArrayType) base.type().resolved(), number, i);
    }
    var v = typer.load(base, i.base().span());
    if (DTypes.isString(v.type())) {
      return character(v, number, i);
    }
    if (!(v.type().resolved() instanceof PointerType)) {
      throw error(
          i.span(),
          Tag.D_ARR_BADREF,
          "expected an array or a pointer before '[', not " + DTypes.text(v.type()));
    }
    return typer
        .operators()
        .dereference(typer.operators().pointerArithmetic("+", v, number, i.span()), i.span());
  }

  private Typed character(Typed text, Typed number, Node.Index i) {
    if (number instanceof Typed.Int n && (n.value() < 0 || n.value() >= typer.limits().strsize())) {
      throw error(
          i.span(),
          Tag.D_ARR_BOUNDS,
          "index "
              + n.value()
              + " is outside of a string, which has at most "
              + typer.limits().strsize()
              + " bytes");
    }
    return Typed.narrow(
        new Typed.Call(DTypes.LONG, Subroutine.CHARACTER, List.of(text, number), i.span()),
        DTypes.CHAR);
  }

  private Typed arrayElement(Typed base, ArrayType array, Typed number, Node.Index i) {
    long count = array.count().orElse(Long.MAX_VALUE);
    if (number instanceof Typed.Int n && (n.value() < 0 || (n.value() >= count && count > 0))) {
      throw error(
          i.span(),
          Tag.D_ARR_BOUNDS,
          "index " + n.value() + " is outside of " + DTypes.text(base.type()));
    }
    var bytes =
        Typed.binary(
            DTypes.LONG,
            BinaryOp.MULTIPLY,
            number,
            new Typed.Int(DTypes.LONG, array.element().bytes()));
    return part(array.element(), base, bytes, 0, 0, i.span());
  }

  private Typed element(Scope.Declared d, Node.Index i) {
    var name = d.name();
    if (d.keys().size() != i.indexes().size()) {
      throw error(
          i.span(),
          Tag.D_PROTO_LEN,
          name + " has " + d.keys().size() + " keys, " + i.indexes().size() + " given");
    }
    var keys = new ArrayList<Typed>();
    for (int k = 0; k < d.keys().size(); k++) {
      var node = i.indexes().get(k);
      var v = typer.arrayKey(node);
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
          DTypes.isInteger(wanted) ? Typed.narrow(v, wanted) : convertKey(v, wanted, node.span()));
    }
    return new Typed.Variable(d.type(), d.id(), keys);
  }

  private static boolean matchesKey(CType given, CType wanted) {
    return DTypes.isString(wanted)
        ? DTypes.isStringLike(given)
        : DTypes.isSpecial(wanted)
            ? given.text().equals(wanted.text())
            : DTypes.isComposite(wanted) && DTypes.same(given, wanted);
  }

  private Typed convertKey(Typed v, CType wanted, Span at) {
    return DTypes.isString(wanted) ? typer.convert(v, wanted, at) : v;
  }

  private Typed inlineElement(Scope.Inline inline, Node.Index i) {
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
    var arguments = new HashMap<String, Typed>();
    for (int k = 0; k < inline.keys().size(); k++) {
      var text = inline.keys().get(k);
      var node = i.indexes().get(k);
      arguments.put(
          text.declarator().name(),
          typer.convert(typer.value(node), typer.types().resolve(text), node.span()));
    }
    return typer.inline(inline, arguments, i.span());
  }

  private Typed register(Node.Index i) {
    if (i.indexes().size() != 1) {
      throw error(i.span(), Tag.D_PROTO_LEN, "uregs has one key, the register's number");
    }
    var v = typer.value(i.indexes().getFirst());
    if (!DTypes.isInteger(v.type())) {
      throw error(i.span(), Tag.D_REGS_IDX, "a register's number must be an integer");
    }
    if (v instanceof Typed.Int n && (n.value() < 0 || n.value() >= MOST_REGISTERS)) {
      throw error(i.span(), Tag.D_UNKNOWN, "uregs[" + n.value() + "] is no register");
    }
    return new Typed.Register(v);
  }

  private Typed argument(Node.Index i) {
    if (i.indexes().size() != 1) {
      throw error(i.span(), Tag.D_PROTO_LEN, "args has one key, the argument's number");
    }
    var node = i.indexes().getFirst();
    var number = typer.constant(node);
    if (number.isEmpty()) {
      throw error(node.span(), Tag.D_ARGS_TYPE, "the index of args[] must be a constant integer");
    }
    int index = Math.clamp(number.getAsLong(), -1, Integer.MAX_VALUE);
    if (typer.probes().isEmpty()) {
      throw error(
          i.span(),
          Tag.D_ARGS_NONE,
          "args[] of " + typer.description() + ", which matches no probe");
    }
    var first = typer.probes().getFirst();
    for (var p : typer.probes()) {
      if (!sameArgument(first.arguments(), p.arguments(), index)) {
        throw error(
            i.span(),
            Tag.D_ARGS_MULTI,
            "args["
                + index
                + "] differs between the probes of "
                + typer.description()
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
    typer.useArguments();
    var a = first.arguments().get(index);
    var raw = new Typed.Argument(a.type(), a.source());
    var given = DTypes.isInteger(a.type()) ? Typed.narrow(raw, a.type()) : raw;
    if (a.translated().isEmpty()) {
      if (DTypes.isComposite(a.type()) || DTypes.isVoid(a.type())) {
        throw error(
            i.span(),
            Tag.D_ARGS_TYPE,
            "args[" + index + "] of type " + DTypes.text(a.type()) + " has no value in a register");
      }
      return given;
    }
    var wanted = typer.translators().namedType(a.translated().get(), i.span());
    if (DTypes.isString(wanted) || (DTypes.isScalar(a.type()) && DTypes.isInteger(wanted))) {
      return typer.convert(given, wanted, i.span());
    }
    return typer.translators().translate(wanted, given, i.span());
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

  Typed member(Node.Member m) {
    var base = typer.operand(m.base());
    if (base instanceof Typed.Translated t) {
      boolean pointer = DTypes.isPointer(t.type());
      if (pointer != m.arrow()) {
        throw error(
            m.span(),
            m.arrow() ? Tag.D_OP_PTR : Tag.D_OP_SOU,
            "expected '" + (pointer ? "->" : ".") + "' after " + DTypes.text(t.type()));
      }
      return typer.translators().member(t, m.name(), m.span());
    }
    Typed whole = base;
    if (m.arrow()) {
      var v = typer.load(base, m.base().span());
      if (!(v.type().resolved() instanceof PointerType)) {
        throw error(
            m.span(),
            Tag.D_OP_PTR,
            "operand of '->' must be a pointer, not " + DTypes.text(v.type()));
      }
      whole = typer.operators().dereference(v, m.span());
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
        typer
            .types()
            .member(composite, m.name())
            .orElseThrow(() -> noMember(composite, m.name(), m.span()));
    var type = found.member().type();
    int bits = found.member().bitSize();
    var offset = new Typed.Int(DTypes.LONG, bits > 0 ? 0 : found.byteOffset());
    return part(type, whole, offset, bits > 0 ? (int) found.bitOffset() : 0, bits, m.span());
  }

  RuntimeException noMember(CompositeType type, String name, Span at) {
    return error(
        at,
        Tag.D_TYPE_MEMBER,
        "'"
            + name
            + "' is no member of "
            + type.text()
            + Near.text(name, typer.types().memberNames(type)));
  }
}
