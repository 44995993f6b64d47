// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;
import java.util.Optional;

/**
 * A clause for one of its probe descriptions.
 *
 * @param id its index in {@link IrProgram#clauses()}
 * @param description the probe description, all four fields: {@code syscall::read:entry}
 * @param line the line of the source that it starts on, from 1
 * @param predicate a number; the body runs when it is absent or not 0
 * @param actions what the body's {@link Stmt.Emit}, {@link Stmt.Exit} and {@link
 *     Stmt.EndSpeculation} refer to
 * @param locals the number of slots that {@link Expr.Let} uses
 */
public record Clause(
    int id,
    String description,
    int line,
    Optional<Expr> predicate,
    List<Stmt> body,
    List<Action> actions,
    int locals) {
  public Clause {
    body = List.copyOf(body);
    actions = List.copyOf(actions);
  }

  /**
   * Whether each firing makes a record, even one without values, which shows only the probe. A
   * clause that does nothing but aggregate makes none.
   */
  public boolean records() {
    return !actions.isEmpty() || !aggregates(body);
  }

  private static boolean aggregates(List<Stmt> statements) {
    for (var s : statements) {
      if (s instanceof Stmt.Aggregate
          || (s instanceof Stmt.If i && (aggregates(i.yes()) || aggregates(i.no())))) {
        return true;
      }
    }
    return false;
  }
}
