// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * Which of several functions a call means by the types of its arguments, as C++ has it (C++17
 * section 16.3): for each argument the same type is better than a promotion, that than another
 * conversion; the function is meant that is nowhere worse than another and somewhere better.
 * Conversions by constructors and operators of classes are not looked for.
 */
final class Overloads {
  // How far an argument is from a parameter; less is better.
  private static final int SAME = 0;
  private static final int MORE_CONSTANT = 1;
  private static final int SAME_BITS = 2;
  private static final int PROMOTION = 1_000;
  private static final int CONVERSION = 2_000;
  private static final int TO_VOID = 2_900;
  private static final int TO_BOOL = 2_950;
  private static final int VARIADIC = 3_000;

  private final CTypes types;

  Overloads(CTypes types) {
    this.types = types;
  }

  /**
   * An argument.
   *
   * @param type of an array or function that of the pointer to it
   * @param place whether it stands in memory, so that a reference to it may change it
   * @param zero whether it is the constant 0, which is a pointer to nothing as well
   */
  record Argument(CType type, boolean place, boolean zero) {}

  /** What a function takes. */
  record Signature(List<CType> parameters, boolean variadic) {
    static Signature of(FunctionType type) {
      return new Signature(
          type.parameters().stream().map(FunctionType.Parameter::type).toList(), type.variadic());
    }
  }

  /**
   * Those that are meant: one where it is plain, none where no function takes such arguments,
   * several where it is not clear.
   */
  <T> List<T> meant(List<T> several, Function<T, Signature> signature, List<Argument> arguments) {
    var rated = new ArrayList<Rated<T>>();
    for (var function : several) {
      distances(signature.apply(function), arguments)
          .ifPresent(distances -> rated.add(new Rated<>(function, distances)));
    }
    return rated.stream()
        .filter(one -> rated.stream().noneMatch(one::isWorseThan))
        .map(Rated::function)
        .toList();
  }

  private record Rated<T>(T function, List<Integer> distances) {
    boolean isWorseThan(Rated<T> other) {
      boolean worse = false;
      for (int i = 0; i < distances.size(); i++) {
        if (distances.get(i) < other.distances.get(i)) {
          return false;
        }
        worse |= distances.get(i) > other.distances.get(i);
      }
      return worse;
    }
  }

  /** Of each argument; empty when the function does not take them. */
  private Optional<List<Integer>> distances(Signature signature, List<Argument> arguments) {
    int own = signature.parameters().size();
    if (arguments.size() < own || (arguments.size() > own && !signature.variadic())) {
      return Optional.empty();
    }
    var found = new ArrayList<Integer>();
    for (int i = 0; i < arguments.size(); i++) {
      var one =
          i < own
              ? distance(arguments.get(i), signature.parameters().get(i))
              : OptionalInt.of(VARIADIC);
      if (one.isEmpty()) {
        return Optional.empty();
      }
      found.add(one.getAsInt());
    }
    return Optional.of(found);
  }

  private OptionalInt distance(Argument argument, CType parameter) {
    if (!(parameter.resolved() instanceof PointerType p && p.isReference())) {
      return value(argument, parameter);
    }
    boolean constant = Methods.isConstant(p.target());
    boolean toLasting = p.kind() == PointerType.Kind.REFERENCE;
    boolean takesIt = argument.place() ? toLasting : constant || !toLasting;
    if (!takesIt || (Methods.isConstant(argument.type()) && !constant)) {
      return OptionalInt.empty();
    }
    var direct = direct(argument.type(), p.target());
    // What is converted is another object, which nobody can want to change.
    var found = direct.isPresent() || !constant ? direct : value(argument, p.target());
    boolean more = constant && !Methods.isConstant(argument.type());
    return found.isPresent() && more ? OptionalInt.of(found.getAsInt() + MORE_CONSTANT) : found;
  }

  /** Between an object and one that it is, or has as a base. */
  private static OptionalInt direct(CType argument, CType wanted) {
    if (SameTypes.of(argument, wanted)) {
      return OptionalInt.of(sameName(argument, wanted) ? SAME : SAME_BITS);
    }
    var depth =
        argument.resolved() instanceof CompositeType derived
                && wanted.resolved() instanceof CompositeType base
            ? BaseClasses.depth(derived, base)
            : OptionalInt.empty();
    return depth.isPresent() ? OptionalInt.of(CONVERSION + depth.getAsInt()) : depth;
  }

  private OptionalInt value(Argument argument, CType wanted) {
    var from = argument.type().resolved();
    var to = wanted.resolved();
    if (from instanceof PointerType a && to instanceof PointerType b) {
      return pointers(argument, a, b);
    }
    var direct = direct(from, to);
    if (direct.isPresent()) {
      return direct;
    }
    if (to instanceof PointerType) {
      return argument.zero() ? OptionalInt.of(CONVERSION) : OptionalInt.empty();
    }
    if (from instanceof PointerType) {
      return to instanceof BoolType ? OptionalInt.of(TO_BOOL) : OptionalInt.empty();
    }
    if (!isNumber(from) || !(to instanceof IntType || to instanceof FloatType || isBool(to))) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(promotes(from, to) ? PROMOTION : CONVERSION);
  }

  /** The numbers of most enumerations are an {@code int}, whatever debug information counts in. */
  private boolean promotes(CType from, CType to) {
    return SameTypes.of(promoted(from), to)
        || (from instanceof EnumType e && e.bytes() <= 4 && SameTypes.of(CTypes.INT, to));
  }

  private static OptionalInt pointers(Argument argument, PointerType from, PointerType to) {
    if (Methods.isConstant(from.target()) && !Methods.isConstant(to.target())) {
      return OptionalInt.empty();
    }
    int more = Methods.isConstant(to.target()) && !Methods.isConstant(from.target()) ? 1 : 0;
    var direct = direct(from.target(), to.target());
    if (direct.isPresent()) {
      return OptionalInt.of(direct.getAsInt() + more * MORE_CONSTANT);
    }
    if (to.target().resolved() instanceof VoidType) {
      return OptionalInt.of(TO_VOID);
    }
    return argument.zero() ? OptionalInt.of(CONVERSION) : OptionalInt.empty();
  }

  /** Enumerations of {@code enum class} are no numbers. */
  private static boolean isNumber(CType type) {
    return switch (type) {
      case IntType _, FloatType _, BoolType _ -> true;
      case EnumType e -> e.cxx().map(cxx -> !cxx.isClass()).orElse(true);
      default -> false;
    };
  }

  private static boolean isBool(CType type) {
    return type instanceof BoolType;
  }

  private CType promoted(CType type) {
    return switch (type) {
      case FloatType f when f.bytes() < CTypes.DOUBLE.bytes() -> CTypes.DOUBLE;
      case FloatType f -> f;
      default -> types.promoted(type).map(CType.class::cast).orElse(type);
    };
  }

  /** Types of one size that are not one: {@code char} and {@code signed char}, the two longs. */
  private static boolean sameName(CType one, CType other) {
    return !(one.resolved() instanceof IntType a && other.resolved() instanceof IntType b)
        || (a.name().contains("long long") == b.name().contains("long long")
            && (a.bytes() > 1 || a.name().startsWith("signed") == b.name().startsWith("signed")));
  }
}
