// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.compile.TypedStatement.TypedClause;
import java.util.List;
import java.util.stream.Collectors;

/** Typed clauses as text, for people who look at what the compiler makes. */
final class TypedText {
  private TypedText() {}

  static String of(TypedClause clause) {
    var out = new StringBuilder();
    out.append("clause ").append(clause.id()).append(' ').append(clause.description()).append('\n');
    clause.predicate().ifPresent(p -> out.append("  if ").append(text(p)).append('\n'));
    block(clause.body(), "  ", out);
    return out.toString();
  }

  private static void block(List<TypedStatement> statements, String indent, StringBuilder out) {
    for (var s : statements) {
      out.append(indent);
      switch (s) {
        case TypedStatement.Evaluate e -> out.append(text(e.value()));
        case TypedStatement.If i -> {
          out.append("if ").append(text(i.test())).append('\n');
          block(i.yes(), indent + "  ", out);
          out.append(indent).append("else\n");
          block(i.no(), indent + "  ", out);
          continue;
        }
        case TypedStatement.Emit e -> out.append(e.name()).append(list(e.values()));
        case TypedStatement.Aggregate a -> {
          out.append('@').append(a.aggregation()).append(list(a.keys()));
          a.value().ifPresent(v -> out.append(" of ").append(text(v)));
          a.increment().ifPresent(v -> out.append(" by ").append(text(v)));
        }
        case TypedStatement.Speculate p -> out.append("speculate ").append(text(p.id()));
        case TypedStatement.EndSpeculation e ->
            out.append(e.commits() ? "commit " : "discard ").append(text(e.id()));
        case TypedStatement.Exit e -> out.append("exit ").append(text(e.status()));
        case TypedStatement.Destroy d -> out.append(d.what().text()).append(list(d.arguments()));
      }
      out.append('\n');
    }
  }

  private static String list(List<Typed> values) {
    return values.stream().map(TypedText::text).collect(Collectors.joining(", ", "(", ")"));
  }

  /** An expression with the type of each of its parts. */
  static String text(Typed v) {
    return "(" + shape(v) + " : " + DTypes.text(v.type()) + ")";
  }

  private static String shape(Typed v) {
    return switch (v) {
      case Typed.Nothing _ -> "zeros";
      case Typed.Int i -> Long.toString(i.value());
      case Typed.Text t -> '"' + t.bytes() + '"';
      case Typed.BuiltinValue b -> b.builtin().text();
      case Typed.Argument a -> "arg" + a.index();
      case Typed.Unary u -> u.op().text() + text(u.operand());
      case Typed.Binary b -> text(b.left()) + " " + b.op().text() + " " + text(b.right());
      case Typed.Variable x -> "v" + x.id() + (x.keys().isEmpty() ? "" : list(x.keys()));
      case Typed.Call c -> c.subroutine().text() + list(c.arguments());
      case Typed.Update u -> text(u.place()) + (u.after() ? " after = " : " = ") + text(u.value());
      case Typed.Array a -> a.name();
      case Typed.KernelStack s -> "stack " + s.frames();
      case Typed.UserStack s -> "ustack " + s.frames();
      case Typed.Memory m ->
          "at "
              + text(m.address())
              + (m.bits() > 0 ? " bits " + m.bitOffset() + "+" + m.bits() : "");
      case Typed.Part p ->
          text(p.whole())
              + " at "
              + text(p.offset())
              + (p.bits() > 0 ? " bits " + p.bitOffset() + "+" + p.bits() : "");
      case Typed.Logical l -> text(l.left()) + (l.and() ? " && " : " || ") + text(l.right());
      case Typed.CompareStrings c -> text(c.left()) + " " + c.op().text() + " " + text(c.right());
      case Typed.Register _,
          Typed.Narrow _,
          Typed.Retyped _,
          Typed.Conditional _,
          Typed.Sequence _,
          Typed.StringAt _,
          Typed.StringIn _,
          Typed.Bytes _,
          Typed.Counted _,
          Typed.UserAddress _,
          Typed.Translated _,
          Typed.Old _ ->
          v.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT) + list(Typed.parts(v));
    };
  }
}
