// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeSystem;
import java.util.List;
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
    return evaluate(parse(text, scope), scope);
  }

  /** The value of a parsed expression; as {@link #evaluate(String, Scope)}. */
  public static Value evaluate(Expr expression, Scope scope) {
    return new Evaluator(scope).value(expression);
  }

  /** Whether an expression's value is not zero. */
  public static boolean isTrue(Expr expression, Scope scope) {
    return new Evaluator(scope).truth(expression);
  }

  /**
   * Looks for names that nothing has, without evaluating.
   *
   * @throws dev.fathom.base.LookupException for the first of them
   */
  public static void requireKnown(Expr expression, Scope scope) {
    new Evaluator(scope).requireKnown(expression);
  }

  /**
   * What would change something, or run code of the target, when the expression is evaluated: the
   * first assignment, {@code ++}, {@code --} or call in it.
   */
  public static Optional<Expr> change(Expr expression) {
    return Changes.first(expression);
  }

  /**
   * The value as C has it in an operator: arrays and functions are pointers to them, all else is
   * itself.
   */
  public static Value decayed(Value value, Scope scope) {
    return new Evaluator(scope).decay(value);
  }

  /** The alignment in bytes that a type has as a part of a structure. */
  public static long alignmentOf(CType type, TypeSystem types) {
    return Alignment.of(type, DataModel.of(types));
  }

  /** Parses without a program: {@code typeof(expression)} is an error. */
  public static Expr parse(String text, TypeSystem types) {
    return Parser.expression(text, types, Parser.Hooks.NONE);
  }

  public static Expr parse(String text, Scope scope) {
    return Parser.expression(text, scope.program().types(), hooks(scope));
  }

  /** The expressions that commas separate; none in empty text. */
  public static List<Expr> parseAll(String text, Scope scope) {
    return Parser.expressions(text, scope.program().types(), hooks(scope));
  }

  /**
   * The type that {@code text} names, such as {@code struct page **}; empty when it does not begin
   * as a type name.
   */
  public static Optional<CType> type(String text, TypeSystem types) {
    return Parser.typeName(text, types, Parser.Hooks.NONE);
  }

  /** As {@link #type(String, TypeSystem)}, with {@code typeof(expression)}. */
  public static Optional<CType> type(String text, Scope scope) {
    return Parser.typeName(text, scope.program().types(), hooks(scope));
  }

  private static Parser.Hooks hooks(Scope scope) {
    return new Parser.Hooks(
        Optional.of(e -> new Evaluator(new WithoutEffects(scope)).value(e).type()),
        name -> !scope.functions(name).isEmpty(),
        name -> new Evaluator(scope).isValue(name));
  }
}
