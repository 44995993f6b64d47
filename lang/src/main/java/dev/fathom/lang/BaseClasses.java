// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.Member;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/** C++'s way from an object to the parts that are its base classes. */
final class BaseClasses {
  /** Deeper than classes derive from each other. */
  private static final int NESTING_LIMIT = 64;

  /** More than the bases of any class. */
  private static final int CLASSES_LIMIT = 1000;

  private BaseClasses() {}

  static Set<CompositeType> noneSeen() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  /** The types of a class's own bases, virtual ones last. */
  static List<CType> of(CompositeType type) {
    var found = new ArrayList<CType>();
    type.members().stream().filter(Member::isBase).forEach(member -> found.add(member.type()));
    type.virtualBases().forEach(base -> found.add(base.type()));
    return found;
  }

  /** The parts of an object that are its class's own bases; virtual ones only in memory. */
  static List<Value.Ref> of(Value.Ref object) {
    var found = new ArrayList<Value.Ref>();
    if (!(object.type().resolved() instanceof CompositeType type)) {
      return found;
    }
    for (var member : type.members()) {
      if (member.isBase()) {
        found.add(at(object, member));
      }
    }
    if (object.isPlace()) {
      for (var base : type.virtualBases()) {
        if (object.virtualBase(base) instanceof Value.Ref part) {
          found.add(part);
        }
      }
    }
    return found;
  }

  private static Value.Ref at(Value.Ref object, Member base) {
    long address = object.address() + base.byteOffset();
    return new Value.Ref(object.program(), base.type(), object.space(), address, 0, 0);
  }

  /** The object itself and all its parts that are of a class. */
  static List<Value.Ref> all(Value.Ref object, CompositeType wanted) {
    var found = new ArrayList<Value.Ref>();
    var seen = new HashSet<Place>();
    var queue = new ArrayDeque<>(List.of(object));
    while (!queue.isEmpty() && seen.size() < CLASSES_LIMIT) {
      var at = queue.removeFirst();
      if (at.type().resolved() instanceof CompositeType own
          && seen.add(new Place(own.name(), at.address()))) {
        if (same(own, wanted)) {
          found.add(at);
        } else {
          queue.addAll(of(at));
        }
      }
    }
    return found;
  }

  /** A part of an object: parts of several classes may begin at one address. */
  private record Place(String type, long address) {}

  /** The part of an object that is its base of that type; empty when there is none. */
  static Optional<Value> part(Value object, CType base) {
    return base.resolved() instanceof CompositeType wanted && object instanceof Value.Ref ref
        ? part(ref, wanted)
        : Optional.empty();
  }

  /**
   * The part of an object that is its base of that name, which may lack scopes in front; the object
   * itself when its own class is called so. The nearest of several bases.
   */
  static Optional<Value> named(Value object, String name) {
    if (!(object instanceof Value.Ref)
        || !(object.type().resolved() instanceof CompositeType own)) {
      return Optional.empty();
    }
    var seen = noneSeen();
    var queue = new ArrayDeque<CompositeType>(List.of(own));
    while (!queue.isEmpty() && seen.size() < CLASSES_LIMIT) {
      var at = queue.removeFirst();
      if (!seen.add(at)) {
        continue;
      }
      if (at.name().equals(name) || at.name().endsWith("::" + name)) {
        return at == own ? Optional.of(object) : part(object, at);
      }
      for (var one : of(at)) {
        if (one.resolved() instanceof CompositeType base) {
          queue.add(base);
        }
      }
    }
    return Optional.empty();
  }

  /** The names of a class's bases and theirs, the nearest first. */
  static List<String> names(CompositeType type) {
    var seen = noneSeen();
    var names = new LinkedHashSet<String>();
    var queue = new ArrayDeque<>(List.of(type));
    while (!queue.isEmpty() && seen.size() < CLASSES_LIMIT) {
      var at = queue.removeFirst();
      if (seen.add(at)) {
        names.add(at.name());
        of(at).stream()
            .flatMap(
                one -> one.resolved() instanceof CompositeType c ? Stream.of(c) : Stream.empty())
            .forEach(queue::add);
      }
    }
    names.remove(type.name());
    return List.copyOf(names);
  }

  /** How many classes a base is away, at the least; empty where it is no base, 0 of itself. */
  static OptionalInt depth(CompositeType derived, CompositeType base) {
    var seen = noneSeen();
    List<CompositeType> level = List.of(derived);
    for (int depth = 0; depth < NESTING_LIMIT && !level.isEmpty(); depth++) {
      var next = new ArrayList<CompositeType>();
      for (var at : level) {
        if (same(at, base)) {
          return OptionalInt.of(depth);
        }
        if (seen.size() < CLASSES_LIMIT && seen.add(at)) {
          of(at).stream()
              .flatMap(
                  one -> one.resolved() instanceof CompositeType c ? Stream.of(c) : Stream.empty())
              .forEach(next::add);
        }
      }
      level = next;
    }
    return OptionalInt.empty();
  }

  /** From base to base, each of which has the wanted one; only virtual bases take a read. */
  private static Optional<Value> part(Value.Ref object, CompositeType wanted) {
    var at = object;
    for (int depth = 0; depth < NESTING_LIMIT; depth++) {
      if (!(at.type().resolved() instanceof CompositeType own) || same(own, wanted)) {
        return depth == 0 ? Optional.empty() : Optional.of(at);
      }
      var next = step(at, own, wanted);
      if (!(next.orElse(null) instanceof Value.Ref base)) {
        return Optional.empty();
      }
      at = base;
    }
    return Optional.empty();
  }

  private static Optional<Value> step(Value.Ref object, CompositeType own, CompositeType wanted) {
    for (var member : own.members()) {
      if (member.isBase() && leads(member.type(), wanted, true)) {
        return Optional.of(at(object, member));
      }
    }
    for (var base : own.virtualBases()) {
      if (leads(base.type(), wanted, true)) {
        return Optional.of(object.virtualBase(base));
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a class is the wanted one or has it as a base.
   *
   * @param virtual whether by virtual bases as well
   */
  static boolean leads(CType type, CompositeType wanted, boolean virtual) {
    return leads(type, wanted, noneSeen(), virtual);
  }

  private static boolean leads(
      CType type, CompositeType wanted, Set<CompositeType> seen, boolean virtual) {
    if (!(type.resolved() instanceof CompositeType own) || !seen.add(own)) {
      return false;
    }
    if (same(own, wanted)) {
      return true;
    }
    if (seen.size() > CLASSES_LIMIT) {
      return false;
    }
    for (var member : own.members()) {
      if (member.isBase() && leads(member.type(), wanted, seen, virtual)) {
        return true;
      }
    }
    for (var base : own.virtualBases()) {
      if (virtual && leads(base.type(), wanted, seen, true)) {
        return true;
      }
    }
    return false;
  }

  /** Types of the same name are the same, whichever source has them. */
  static boolean same(CompositeType a, CompositeType b) {
    return a == b || (!a.name().isEmpty() && a.name().equals(b.name()));
  }
}
