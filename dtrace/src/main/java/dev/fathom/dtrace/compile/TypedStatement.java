// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Stmt;
import java.util.List;
import java.util.Optional;

/**
 * A statement of a clause, typed. Those that belong to an action give its index in the clause's
 * list.
 */
sealed interface TypedStatement {

  record Evaluate(Typed value) implements TypedStatement {}

  record If(Typed test, List<TypedStatement> yes, List<TypedStatement> no)
      implements TypedStatement {}

  record Emit(String name, int action, List<Typed> values, Span at) implements TypedStatement {}

  record Aggregate(
      int aggregation, List<Typed> keys, Optional<Typed> value, Optional<Typed> increment, Span at)
      implements TypedStatement {}

  record Speculate(Typed id, Span at) implements TypedStatement {}

  /** {@code commit} or {@code discard}. */
  record EndSpeculation(boolean commits, int action, Typed id, Span at) implements TypedStatement {}

  record Exit(int action, Typed status, Span at) implements TypedStatement {}

  record Destroy(Stmt.Destruction what, List<Typed> arguments, Span at) implements TypedStatement {}

  /** A clause at one probe description. */
  record TypedClause(
      int id,
      String description,
      int line,
      Optional<Typed> predicate,
      List<TypedStatement> body,
      List<Action> actions) {}
}
