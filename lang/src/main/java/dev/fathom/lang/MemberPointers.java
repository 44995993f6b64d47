// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypedefType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * C++'s pointers to members (C++17 section 8.5). One to a datum is its distance from the start of
 * the object, or -1; one to a function is its address, or 1 more than the distance in the table of
 * virtual functions, and how far the object is moved for it (Itanium C++ ABI, section 2.3).
 */
final class MemberPointers {
  private final Evaluator evaluator;
  private final CallArguments arguments;
  private final Methods methods;
  private final Numbers numbers;
  private final Program program;

  /** A function that a pointer leads to, and the object that it is called for. */
  record Bound(Value.Ref object, long entry, FunctionType type) {}

  MemberPointers(
      Evaluator evaluator,
      CallArguments arguments,
      Methods methods,
      Numbers numbers,
      Program program) {
    this.evaluator = evaluator;
    this.arguments = arguments;
    this.methods = methods;
    this.numbers = numbers;
    this.program = program;
  }

  /** What a type of pointers to members says; empty for any other type. */
  static Optional<TypedefType.MemberPointer> of(CType type) {
    return TypedefType.memberPointerOf(type).flatMap(TypedefType::memberPointer);
  }

  static boolean is(Value value) {
    return of(value.type()).isPresent();
  }

  private static boolean isToFunction(Value value) {
    return of(value.type()).filter(to -> to.member() instanceof FunctionType).isPresent();
  }

  /**
   * Whether two values, one of which is such a pointer, are the same; the other may be 0 or {@code
   * nullptr}, which is what leads to no member.
   */
  static boolean areEqual(Value left, Value right) {
    if (!is(left) || !is(right)) {
      return isNull(left) && isNull(right);
    }
    if (isToFunction(left) && isToFunction(right)) {
      var one = MemberFunction.of(left);
      var other = MemberFunction.of(right);
      return one.isNull() ? other.isNull() : one.equals(other);
    }
    return !isToFunction(left) && !isToFunction(right) && left.asLong() == right.asLong();
  }

  private static boolean isNull(Value value) {
    return isToFunction(value)
        ? MemberFunction.of(value).isNull()
        : is(value) ? value.asLong() == -1 : isZero(value);
  }

  /** Whether a value is the number 0 or {@code nullptr}. */
  private static boolean isZero(Value value) {
    return switch (value.type().resolved()) {
      case IntType _, PointerType _ -> !is(value) && value.asLong() == 0;
      default -> false;
    };
  }

  /** What leads to no member, where 0 or {@code nullptr} is to become a pointer to one. */
  static Optional<Value> nothing(CType type, Value value) {
    return of(type)
        .filter(_ -> isZero(value))
        .map(
            to ->
                to.member() instanceof FunctionType
                    ? held(value.program(), type, new MemberFunction(false, 0, 0))
                    : new Value.Imm(value.program(), type, -1));
  }

  private static Value held(Program program, CType type, MemberFunction function) {
    return Value.held(program, type, function.bytes(program));
  }

  /** {@code object.*pointer}: the member, or the function. */
  Value pointed(Expr.Pointed p) {
    var pointer = evaluator.operand(p.member());
    var to = requireMember(p, pointer);
    if (to.member() instanceof FunctionType) {
      var bound = bound(p, to, pointer);
      return new Value.Ref(program, bound.type(), bound.entry());
    }
    var object = object(p, to);
    long offset = pointer.asLong();
    if (offset == -1) {
      throw Cursor.wrong(p.member().span(), "the pointer leads to no member");
    }
    return new Value.Ref(program, to.member(), object.space(), object.address() + offset, 0, 0);
  }

  /** The function that {@code (object.*pointer)(...)} calls; empty when it leads to no function. */
  Optional<Bound> method(Expr.Pointed p) {
    var pointer = evaluator.operand(p.member());
    var to = requireMember(p, pointer);
    return to.member() instanceof FunctionType
        ? Optional.of(bound(p, to, pointer))
        : Optional.empty();
  }

  private static TypedefType.MemberPointer requireMember(Expr.Pointed p, Value pointer) {
    return of(pointer.type())
        .orElseThrow(
            () ->
                Cursor.wrong(
                    p.member().span(),
                    "'" + pointer.type().text() + "' is not a pointer to a member"));
  }

  /** The part of the object on the left that the pointer is for. */
  private Value.Ref object(Expr.Pointed p, TypedefType.MemberPointer to) {
    var base = evaluator.operand(p.base());
    if (p.arrow() && !(base.type().resolved() instanceof PointerType)) {
      throw Cursor.wrong(
          p.base().span(), "'" + base.type().text() + "' is not a pointer: use '.*'");
    }
    // As with members, a dot after a pointer means the arrow.
    var whole = base.type().resolved() instanceof PointerType ? base.deref() : base;
    if (whole instanceof Value.Ref ref
        && ref.type().resolved() instanceof CompositeType own
        && to.owner().resolved() instanceof CompositeType wanted) {
      if (BaseClasses.same(own, wanted)) {
        return ref;
      }
      if (BaseClasses.part(ref, wanted).orElse(null) instanceof Value.Ref part) {
        return part;
      }
    }
    throw Cursor.wrong(
        p.span(),
        "'"
            + whole.type().text()
            + "' is no '"
            + to.owner().text()
            + "', which the pointer is for");
  }

  private Bound bound(Expr.Pointed p, TypedefType.MemberPointer to, Value pointer) {
    var function = MemberFunction.of(pointer);
    if (function.isNull()) {
      throw Cursor.wrong(p.member().span(), "the pointer leads to no member");
    }
    var part = object(p, to);
    long address = part.address() + function.moved();
    var object = new Value.Ref(program, part.type(), part.space(), address, 0, 0);
    long entry = function.code();
    if (function.isVirtual()) {
      int word = (int) program.types().wordBytes();
      long table = object.space().unsigned(address, word);
      entry = program.memory().unsigned(table + function.code(), word);
    }
    return new Bound(object, entry, (FunctionType) to.member());
  }

  /** {@code (object.*pointer)(...)}. */
  Value called(Expr.Call c, Bound bound) {
    var all = bound.type().parameters();
    var parameters = all.isEmpty() ? all : all.subList(1, all.size());
    int given = c.arguments().size();
    if (given < parameters.size() || (!bound.type().variadic() && given > parameters.size())) {
      throw Cursor.wrong(
          c.span(), "the function takes " + parameters.size() + " arguments, not " + given);
    }
    var passed = new ArrayList<Scope.Argument>();
    var object = bound.object();
    passed.add(
        object.isPlace()
            ? CallArguments.passed(
                numbers.pointer(program.types().pointerTo(object.type()), object.address()))
            : new Scope.Text(object.bytes(Evaluator.VALUE_LIMIT)));
    passed.addAll(arguments.passed(c, arguments.values(c), parameters));
    return evaluator.called(c, bound.entry(), bound.type(), passed);
  }

  /**
   * {@code &Class::member}.
   *
   * @param around the scopes that the class may be in
   * @return empty for what is no member of objects
   */
  Optional<Value> to(Expr.Scoped s, List<String> around) {
    var found =
        around.stream()
            .map(scope -> scope + "::" + s.scope())
            .flatMap(name -> program.types().find(TypeName.plain(name)).stream())
            .findFirst()
            .or(() -> program.types().find(TypeName.plain(s.scope())));
    if (s.scope().isEmpty()
        || found.isEmpty()
        || !(found.get().resolved() instanceof CompositeType owner)
        || !owner.isCxx()) {
      return Optional.empty();
    }
    var datum =
        owner.members().stream().filter(m -> m.name().equals(s.name()) && !m.isBase()).findFirst();
    if (datum.isPresent()) {
      var member = datum.get();
      if (member.isBitField()) {
        throw Cursor.wrong(s.span(), "a bit-field has no address");
      }
      return Optional.of(new Value.Imm(program, type(owner, member.type()), member.byteOffset()));
    }
    var all =
        owner.methods().stream().filter(m -> m.name().equals(s.name()) && !m.isStatic()).toList();
    if (all.isEmpty()) {
      return Optional.empty();
    }
    if (all.size() > 1) {
      throw Cursor.wrong(s.span(), "'" + s.name() + "' is " + all.size() + " methods");
    }
    return Optional.of(to(s, owner, all.getFirst()));
  }

  private TypedefType type(CType owner, CType member) {
    return TypedefType.memberPointer(owner, member, program.types().wordBytes());
  }

  private Value to(Expr.Scoped s, CompositeType owner, CompositeType.Method method) {
    var type = type(owner, method.type());
    if (method.isVirtual() && method.slot().isPresent()) {
      long distance = method.slot().getAsLong() * program.types().wordBytes();
      return held(program, type, new MemberFunction(true, distance, 0));
    }
    try {
      var nowhere = new Value.Ref(program, owner, 0);
      long code = methods.function(new Methods.Found(nowhere, method)).address();
      return held(program, type, new MemberFunction(false, code, 0));
    } catch (EvalException | LookupException e) {
      throw Cursor.wrong(s.span(), e.getMessage());
    }
  }
}
