// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

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
        || (expression instanceof Expr.Call c && ComplexNumbers.part(c.function()).isEmpty())) {
      return Optional.of(expression);
    }
    if (expression instanceof Expr.SizeOf || expression instanceof Expr.AlignOf) {
      return Optional.empty();
    }
    return expression.parts().stream().flatMap(part -> first(part).stream()).findFirst();
  }
}
