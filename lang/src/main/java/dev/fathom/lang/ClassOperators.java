// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.CxxNames;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/** The operators that classes of C++ have: functions that are called for their objects. */
final class ClassOperators {
  private final Scope scope;
  private final Evaluator evaluator;
  private final CallArguments arguments;
  private final Numbers numbers;

  ClassOperators(Scope scope, Evaluator evaluator, CallArguments arguments, Numbers numbers) {
    this.scope = scope;
    this.evaluator = evaluator;
    this.arguments = arguments;
    this.numbers = numbers;
  }

  /** Whether a value is an object that operators may be made for. */
  static boolean isObject(Value value) {
    return value instanceof Value.Ref
        && value.type().resolved() instanceof CompositeType c
        && c.isCxx()
        && !c.isComplex();
  }

  /** What an object that is used as a pointer leads to: as it keeps that, or by a call. */
  Value pointee(Expr e, Expr of, Value object, String operator) {
    return evaluator
        .methods(object, operator)
        .flatMap(_ -> scope.pointee((Value.Ref) object))
        .orElseGet(() -> operator(e, operator, of, object).referred());
  }

  /** Calls the operator that the class of an operand has, or what is around that has for it. */
  Value operator(Expr e, String name, Expr left, Value object, Expr... right) {
    var first = new Expr.Known(left.span(), object);
    var operands = new ArrayList<Expr>(List.of(first));
    for (var one : right) {
      operands.add(
          one instanceof Expr.Text ? one : new Expr.Known(one.span(), evaluator.operand(one)));
    }
    var rest = operands.subList(1, operands.size());
    var values = operands.stream().map(evaluator::operand).toList();
    var own = evaluator.methods(object, name).filter(group -> !group.taking(rest.size()).isEmpty());
    var outside = functions(name, values);
    var method = new Expr.Call(e.span(), new Expr.Member(left.span(), first, name, false), rest);
    if (own.isPresent()
        && (outside.isEmpty()
            || evaluator.take(own.get(), arguments.given(method, arguments.values(method))))) {
      return evaluator.call(method);
    }
    if (outside.isEmpty()) {
      throw Cursor.wrong(
          e.span(),
          "there is no '"
              + name
              + "' for "
              + String.join(
                  " and ", values.stream().map(v -> "'" + v.type().text() + "'").toList()));
    }
    var call = new Expr.Call(e.span(), new Expr.Name(left.span(), name), operands);
    return Evaluator.within(e.span(), () -> evaluator.call(call, outside, Optional.empty()));
  }

  /** {@code ++object} and its kin: one that comes behind has a number as its argument. */
  Value step(Expr.Step s, Value object) {
    var name = s.by() > 0 ? "operator++" : "operator--";
    var zero = new Expr.Known(s.span(), numbers.imm(CTypes.INT, 0));
    return s.before()
        ? operator(s, name, s.operand(), object, zero)
        : operator(s, name, s.operand(), object);
  }

  /** {@code container[index]}: as it keeps its elements, or by a call. */
  Value index(Expr.Index i, Value.Ref container) {
    var at = new Expr.Known(i.index().span(), evaluator.decayed(i.index()));
    return evaluator
        .methods(container, "operator[]")
        .flatMap(_ -> element(i, container, at.value()))
        .orElseGet(() -> operator(i, "operator[]", i.base(), container, at));
  }

  private Optional<Value> element(Expr.Index i, Value.Ref container, Value index) {
    try {
      return scope.element(container, index);
    } catch (EvalException e) {
      throw Cursor.wrong(i.span(), e.getMessage());
    }
  }

  /**
   * The functions of an operator outside of classes, in what the operands' classes are in (C++17
   * section 6.4.2).
   *
   * @param name such as {@code operator+}
   */
  private List<Scope.Function> functions(String name, List<Value> operands) {
    var names = new LinkedHashSet<String>();
    for (var operand : operands) {
      if (operand.type().resolved() instanceof CompositeType c) {
        int end = CxxNames.scopeEnd(c.name());
        names.add(end < 0 ? name : c.name().substring(0, end) + "::" + name);
      }
    }
    names.add(name);
    var found = new ArrayList<Scope.Function>();
    var seen = new HashSet<Long>();
    for (var whole : names) {
      scope.functions(whole).stream()
          .filter(function -> isCalled(function.name(), whole))
          .filter(function -> seen.add(function.code().address()))
          .forEach(found::add);
    }
    return found;
  }

  /** Whether a function is called so; those that templates made have their result in front. */
  private static boolean isCalled(String function, String name) {
    return function.startsWith(name + "(")
        || function.startsWith(name + "<")
        || function.contains(" " + name + "<");
  }
}
