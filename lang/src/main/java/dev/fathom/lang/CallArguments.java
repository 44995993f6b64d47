// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import java.util.ArrayList;
import java.util.List;

/** The arguments of calls: what they say of the function that is meant, and as it takes them. */
final class CallArguments {
  private final Evaluator evaluator;
  private final Program program;
  private final CTypes types;
  private final Numbers numbers;

  CallArguments(Evaluator evaluator, Program program, CTypes types, Numbers numbers) {
    this.evaluator = evaluator;
    this.program = program;
    this.types = types;
    this.numbers = numbers;
  }

  ArrayList<Value> values(Expr.Call c) {
    var values = new ArrayList<Value>();
    c.arguments().forEach(argument -> values.add(evaluator.decayed(argument)));
    return values;
  }

  /** What chooses among functions. */
  List<Overloads.Argument> given(Expr.Call c, List<Value> values) {
    var found = new ArrayList<Overloads.Argument>();
    for (int i = 0; i < values.size(); i++) {
      var argument = c.arguments().get(i);
      var v = values.get(i);
      var type =
          argument instanceof Expr.Text text
              ? program
                  .types()
                  .pointerTo(new QualifiedType(QualifiedType.Qualifier.CONST, text::unit))
              : v.type();
      boolean zero =
          (argument instanceof Expr.Number n && n.value() == 0)
              || (argument instanceof Expr.Name word && word.name().equals("nullptr"));
      found.add(
          new Overloads.Argument(type, !(argument instanceof Expr.Text) && v.isPlace(), zero));
    }
    return found;
  }

  List<Scope.Argument> passed(
      Expr.Call c, List<Value> given, List<FunctionType.Parameter> parameters) {
    var arguments = new ArrayList<Scope.Argument>();
    for (int i = 0; i < given.size(); i++) {
      var argument = c.arguments().get(i);
      var v = given.get(i);
      if (argument instanceof Expr.Text
          && v instanceof Value.Ref text
          && (i >= parameters.size()
              || (parameters.get(i).type().resolved() instanceof PointerType p
                  && !p.isReference()))) {
        arguments.add(new Scope.Text(text.bytes((int) text.type().bytes())));
        continue;
      }
      arguments.add(
          i < parameters.size()
              ? passed(argument, parameters.get(i).type(), v)
              : passed(promoted(argument, v)));
    }
    return arguments;
  }

  static Scope.Passed passed(Value v) {
    return new Scope.Passed(v.type(), v.bytes(Evaluator.VALUE_LIMIT));
  }

  /** An argument for a parameter of that type. */
  private Scope.Argument passed(Expr argument, CType type, Value v) {
    return switch (type.resolved()) {
      case CompositeType c when c.isComplex() -> passed(evaluator.converted(argument, type, v));
      case CompositeType _ -> {
        var object = BaseClasses.part(v, type).orElse(v);
        if (!type.resolved().equals(object.type().resolved())
            && !(object.type().resolved() instanceof CompositeType c
                && type.resolved() instanceof CompositeType wanted
                && !c.name().isEmpty()
                && c.name().equals(wanted.name())
                && c.bytes() == wanted.bytes())) {
          throw Cursor.wrong(
              argument.span(),
              "'" + v.type().text() + "' cannot be passed as a '" + type.text() + "'");
        }
        yield new Scope.Passed(type, object.bytes(Evaluator.VALUE_LIMIT));
      }
      case PointerType p when p.isReference() -> {
        var object = BaseClasses.part(v, p.target()).orElse(v);
        boolean takesNew =
            Methods.isConstant(p.target()) || p.kind() == PointerType.Kind.RVALUE_REFERENCE;
        boolean itself = v.isPlace() && SameTypes.of(v.type(), p.target());
        if (takesNew && !itself && isNumber(p.target()) && isNumber(v.type())) {
          yield new Scope.Text(
              evaluator.converted(argument, p.target(), v).bytes(Evaluator.VALUE_LIMIT));
        }
        if (!SameTypes.of(object.type(), p.target())
            || (v instanceof Value.Ref ref && ref.isPlace() && ref.bitSize() != 0)) {
          throw Cursor.wrong(
              argument.span(),
              "a '"
                  + type.text()
                  + "' cannot refer to a '"
                  + v.type().text()
                  + "'"
                  + Assignments.notMade(p.target().resolved()));
        }
        if (!v.isPlace() && takesNew) {
          yield new Scope.Text(object.bytes(Evaluator.VALUE_LIMIT));
        }
        if (!v.isPlace()) {
          throw Cursor.wrong(argument.span(), "only what stands in memory can be referred to");
        }
        yield passed(numbers.pointer(program.types().pointerTo(p.target()), object.address()));
      }
      case ArrayType a when a.isVector() -> {
        if (!SameTypes.of(v.type(), type)) {
          throw Cursor.wrong(
              argument.span(),
              "'" + v.type().text() + "' cannot be passed as a '" + type.text() + "'");
        }
        yield new Scope.Passed(type, v.bytes(Evaluator.VALUE_LIMIT));
      }
      default -> passed(evaluator.converted(argument, type, v));
    };
  }

  private static boolean isNumber(CType type) {
    return switch (type.resolved()) {
      case IntType _, EnumType _, BoolType _, FloatType _ -> true;
      default -> false;
    };
  }

  /** An argument that has no parameter (C11 section 6.5.2.2). */
  private Value promoted(Expr argument, Value v) {
    return switch (v.type().resolved()) {
      case FloatType f when f.bytes() < CTypes.DOUBLE.bytes() ->
          numbers.real(CTypes.DOUBLE, v.asReal());
      case FloatType _, PointerType _, CompositeType _ -> v;
      case IntType i when i.bytes() > Long.BYTES -> v;
      case ArrayType a when a.isVector() -> v;
      default -> numbers.imm(types.promote(v.type(), argument), v.asLong());
    };
  }
}
