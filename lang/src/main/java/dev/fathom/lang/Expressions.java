// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeSystem;
import java.util.Optional;

/** Evaluates C expressions and reads C type names. */
public final class Expressions {
  private Expressions() {}

  /**
   * The value of {@code text}. A place in memory is not read, so that the caller decides how.
   *
   * @throws dev.fathom.base.EvalException where the text is wrong; it names the column
   * @throws dev.fathom.base.LookupException for names that nothing answers to
   * @throws dev.fathom.base.FaultException for memory that the expression needs and that cannot be
   *     read
   */
  public static Value evaluate(String text, Scope scope) {
    return new Evaluator(scope).value(parse(text, scope.program().types()));
  }

  /** Whether an expression's value is not zero. */
  public static boolean isTrue(Expr expression, Scope scope) {
    return new Evaluator(scope).truth(expression);
  }

  public static Expr parse(String text, TypeSystem types) {
    return Parser.expression(text, types);
  }

  /**
   * The type that {@code text} names, such as {@code struct page **}; empty when it does not begin
   * as a type name.
   */
  public static Optional<CType> type(String text, TypeSystem types) {
    return Parser.typeName(text, types);
  }
}
