// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.type.AliasType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The functions of C++'s classes: which one a name and arguments mean, of virtual ones that of the
 * class which the object is of, and where it is. What is not sure is refused.
 */
final class Methods {
  /** Base classes that are looked through. */
  private static final int NESTING_LIMIT = 1000;

  /** Names of one type. */
  private static final int MAX_NAMES = 64;

  private final Program program;
  private final Overloads overloads;

  Methods(Program program, CTypes types) {
    this.program = program;
    this.overloads = new Overloads(types);
  }

  /**
   * The methods of one name.
   *
   * @param object the part of an object whose class declares them
   * @param constant whether the object is not to be changed
   */
  record Group(Value.Ref object, boolean constant, List<CompositeType.Method> methods) {
    /** Those that take so many arguments beside the object. */
    List<CompositeType.Method> taking(int arguments) {
      return methods.stream()
          .filter(
              method -> {
                int own = parameters(method).size();
                return own == arguments || (method.type().variadic() && own < arguments);
              })
          .toList();
    }
  }

  /** A method, and the part of an object that it is of. */
  record Found(Value.Ref object, CompositeType.Method method) {}

  /** A part of an object: parts of several types may begin at one address. */
  private record Place(CType type, long address) {}

  /** What a method takes beside the object. */
  static List<FunctionType.Parameter> parameters(CompositeType.Method method) {
    var all = method.type().parameters();
    return method.isStatic() || all.isEmpty() ? all : all.subList(1, all.size());
  }

  /** The methods of a name that an object's class declares, or else the first base that does. */
  Optional<Group> named(Value.Ref object, String name) {
    return named(object, name, isConstant(object.type()), new HashSet<>());
  }

  private Optional<Group> named(Value.Ref object, String name, boolean constant, Set<Place> seen) {
    if (!(object.type().resolved() instanceof CompositeType c) || !enter(object, c, seen)) {
      return Optional.empty();
    }
    var declared =
        c.methods().stream()
            .filter(m -> m.name().equals(name) || m.name().startsWith(name + "<"))
            .toList();
    if (!declared.isEmpty()) {
      return Optional.of(new Group(object, constant, declared));
    }
    for (var base : BaseClasses.of(object)) {
      var found = named(base, name, constant, seen);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a member of the name that is no method hides methods: one of a class nearer to that of
   * the object.
   */
  boolean isHidden(Group group, Value object, String name) {
    var own = group.object();
    return (object.has(name) && !own.has(name)) || (isShared(object, name) && !isShared(own, name));
  }

  private boolean isShared(Value object, String name) {
    return object.type().resolved() instanceof CompositeType c
        && ClassNames.in(program, c, name).isPresent();
  }

  private static boolean enter(Value.Ref object, CompositeType type, Set<Place> seen) {
    return seen.size() < NESTING_LIMIT && seen.add(new Place(type, object.address()));
  }

  /** Whether a type is of what is not to be changed. */
  static boolean isConstant(CType type) {
    var at = type;
    for (int i = 0; i < MAX_NAMES && at instanceof AliasType alias; i++) {
      if (alias instanceof QualifiedType q && q.qualifier() == QualifiedType.Qualifier.CONST) {
        return true;
      }
      at = alias.target();
    }
    return false;
  }

  /**
   * The one of several methods that arguments mean, and that is for such an object.
   *
   * @throws EvalException when there is none, or not only one
   */
  CompositeType.Method meant(
      Group group, List<CompositeType.Method> several, List<Overloads.Argument> arguments) {
    var best = overloads.meant(several, Methods::signature, arguments);
    if (best.size() > 1) {
      best = best.stream().filter(method -> isForConstant(method) == group.constant()).toList();
    }
    if (best.size() != 1) {
      throw new EvalException(
          "'"
              + several.getFirst().name()
              + "' is one of "
              + several.size()
              + " methods that take "
              + arguments.size()
              + " arguments: cast these to just the types of one");
    }
    return best.getFirst();
  }

  /** Whether one of the methods takes such arguments. */
  boolean take(Group group, List<Overloads.Argument> arguments) {
    return !overloads
        .meant(group.taking(arguments.size()), Methods::signature, arguments)
        .isEmpty();
  }

  private static Overloads.Signature signature(CompositeType.Method method) {
    var types = parameters(method).stream().map(FunctionType.Parameter::type).toList();
    return new Overloads.Signature(types, method.type().variadic());
  }

  private static boolean isForConstant(CompositeType.Method method) {
    var all = method.type().parameters();
    return !method.isStatic()
        && !all.isEmpty()
        && all.getFirst().type().resolved() instanceof PointerType p
        && isConstant(p.target());
  }

  /**
   * What a virtual method is of the class that the object is of.
   *
   * @param object as the expression sees it
   * @param own what its class, or one of its bases, declares
   */
  Found dynamic(Value.Ref object, Found own) {
    if (!(DynamicTypes.of(object).orElse(null) instanceof Value.Ref whole)) {
      return own;
    }
    var all = new ArrayList<Found>();
    overriding(whole, own, all, new HashSet<>());
    if (all.isEmpty()) {
      return own;
    }
    return all.stream()
        .filter(last -> all.stream().allMatch(at -> holds(last.object(), at.object())))
        .findFirst()
        .orElseThrow(
            () ->
                new EvalException(
                    "it is not clear which '" + own.method().name() + "' the object has"));
  }

  /** Adds the methods of classes between the whole object and the part. */
  private void overriding(Value.Ref at, Found own, List<Found> all, Set<Place> seen) {
    if (!(at.type().resolved() instanceof CompositeType c)
        || !enter(at, c, seen)
        || isSame(at, own.object())
        || !holds(at, own.object())) {
      return;
    }
    c.methods().stream()
        .filter(method -> overrides(method, own.method()))
        .forEach(method -> all.add(new Found(at, method)));
    for (var base : BaseClasses.of(at)) {
      overriding(base, own, all, seen);
    }
  }

  private static boolean overrides(CompositeType.Method method, CompositeType.Method own) {
    var mine = parameters(method);
    var others = parameters(own);
    boolean same =
        method.name().equals(own.name())
            && !method.isStatic()
            && mine.size() == others.size()
            && isForConstant(method) == isForConstant(own);
    for (int i = 0; same && i < mine.size(); i++) {
      same = SameTypes.of(mine.get(i).type(), others.get(i).type());
    }
    return same;
  }

  private static boolean isSame(Value.Ref a, Value.Ref b) {
    return a.address() == b.address() && SameTypes.of(a.type(), b.type());
  }

  /** Whether a part of an object is the other, or has it as a base. */
  private boolean holds(Value.Ref at, Value.Ref part) {
    return holds(at, part, new HashSet<>());
  }

  private boolean holds(Value.Ref at, Value.Ref part, Set<Place> seen) {
    if (isSame(at, part)) {
      return true;
    }
    if (!(at.type().resolved() instanceof CompositeType c) || !enter(at, c, seen)) {
      return false;
    }
    return BaseClasses.of(at).stream().anyMatch(base -> holds(base, part, seen));
  }

  /**
   * Where a method is: by the symbol that its declaration names, else by the one that is called as
   * the class and the method.
   *
   * @throws EvalException when there is none, or more than one
   */
  Value.Ref function(Found found) {
    var method = found.method();
    var whole = ((CompositeType) found.object().type().resolved()).name() + "::" + method.name();
    var symbols = program.symbols();
    var named =
        method.linkageName().isPresent()
            ? symbols.named(method.linkageName().get())
            : symbols.named(whole).stream()
                .filter(s -> s.name().equals(whole) || s.name().startsWith(whole + "("))
                .toList();
    var code = named.stream().filter(s -> s.kind() == Symbol.Kind.TEXT).toList();
    if (code.isEmpty()) {
      throw new EvalException("'" + whole + "' was inlined or is not there: it has no symbol");
    }
    // One that several objects have is the same in all of them, unless each keeps it for itself.
    boolean shared =
        method.linkageName().isPresent()
            && code.stream().allMatch(s -> Character.isUpperCase(s.letter()));
    if (!shared && code.stream().mapToLong(Symbol::address).distinct().count() > 1) {
      throw new EvalException("there is more than one '" + whole + "': call one by its address");
    }
    var symbol = code.getFirst();
    return new Value.Ref(program, type(method, symbol), symbol.address());
  }

  /** Whether the declaration tells what it returns. */
  static boolean tellsResult(CompositeType.Method method) {
    return !(method.type().result().resolved() instanceof OpaqueType);
  }

  /** As the class declares it; what it returns only the definition may tell, as of {@code auto}. */
  private FunctionType type(CompositeType.Method method, Symbol symbol) {
    if (tellsResult(method)) {
      return method.type();
    }
    try {
      return program.global(symbol).type().resolved() instanceof FunctionType defined
          ? defined
          : method.type();
    } catch (LookupException e) {
      return method.type(); // whose result nobody knows, which the call says
    }
  }
}
