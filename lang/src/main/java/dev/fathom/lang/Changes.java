// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds what in an expression would change the target, or run its code. */
final class Changes {
  private Changes() {}

  /**
   * The first assignment, {@code ++}, {@code --} or call; operands of {@code sizeof} do nothing.
   */
  static Optional<Expr> first(Expr expression) {
    if (expression instanceof Expr.Assign
        || expression instanceof Expr.Step
        || expression instanceof Expr.Call) {
      return Optional.of(expression);
    }
    for (var part : parts(expression)) {
      var found = first(part);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  /** What is evaluated for an expression, from left to right. */
  private static List<Expr> parts(Expr expression) {
    return switch (expression) {
      case Expr.Number _,
          Expr.Fraction _,
          Expr.Text _,
          Expr.Quoted _,
          Expr.Name _,
          Expr.Scoped _,
          Expr.Dollar _,
          Expr.TypeName _,
          Expr.SizeOfType _,
          Expr.SizeOf _,
          Expr.AlignOfType _,
          Expr.AlignOf _,
          Expr.OffsetOf _ ->
          List.of();
      case Expr.Unary u -> List.of(u.operand());
      case Expr.Step s -> List.of(s.operand());
      case Expr.Binary b -> List.of(b.left(), b.right());
      case Expr.Assign a -> List.of(a.target(), a.value());
      case Expr.Conditional c -> List.of(c.test(), c.then(), c.otherwise());
      case Expr.Cast c -> List.of(c.operand());
      case Expr.At a -> List.of(a.address());
      case Expr.ContainerOf c -> List.of(c.pointer());
      case Expr.PerCpu p -> List.of(p.variable(), p.cpu());
      case Expr.Member m -> List.of(m.base());
      case Expr.Index i -> List.of(i.base(), i.index());
      case Expr.Slice s -> List.of(s.first(), s.count());
      case Expr.Call c -> {
        var all = new ArrayList<Expr>(List.of(c.function()));
        all.addAll(c.arguments());
        yield all;
      }
    };
  }
}
