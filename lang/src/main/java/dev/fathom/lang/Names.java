// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import java.util.List;
import java.util.stream.Stream;

/** Finds the names in an expression that must mean something. */
final class Names {
  private Names() {}

  /** All but those that are called, in their order. */
  static Stream<Expr.Name> in(Expr expression) {
    return expression instanceof Expr.Name name
        ? Stream.of(name)
        : parts(expression).stream().flatMap(Names::in);
  }

  private static List<Expr> parts(Expr expression) {
    return switch (expression) {
      case Expr.Name _,
          Expr.Number _,
          Expr.Fraction _,
          Expr.Text _,
          Expr.Quoted _,
          Expr.Scoped _,
          Expr.Dollar _,
          Expr.TypeName _,
          Expr.SizeOfType _,
          Expr.AlignOfType _,
          Expr.OffsetOf _ ->
          List.of();
      case Expr.Unary u -> List.of(u.operand());
      case Expr.Step s -> List.of(s.operand());
      case Expr.Binary b -> List.of(b.left(), b.right());
      case Expr.Assign a -> List.of(a.target(), a.value());
      case Expr.Conditional c -> List.of(c.test(), c.then(), c.otherwise());
      case Expr.Cast c -> List.of(c.operand());
      case Expr.At a -> List.of(a.address());
      case Expr.SizeOf s -> List.of(s.operand());
      case Expr.AlignOf a -> List.of(a.operand());
      case Expr.ContainerOf c -> List.of(c.pointer());
      case Expr.PerCpu p -> List.of(p.cpu());
      case Expr.Member m -> List.of(m.base());
      case Expr.Index i -> List.of(i.base(), i.index());
      case Expr.Slice s -> List.of(s.first(), s.count());
      case Expr.Call c -> c.arguments();
    };
  }
}
