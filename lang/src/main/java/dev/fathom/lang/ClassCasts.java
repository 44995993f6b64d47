// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import java.util.List;
import java.util.Optional;

/**
 * Casts between the classes of one hierarchy, which move a pointer or reference to where the other
 * class's part of the object is (C++17 sections 8.2.7 and 8.2.9). Where only the object itself can
 * tell, and does not, they are refused.
 */
final class ClassCasts {
  private ClassCasts() {}

  /**
   * The part of an object that is of a class which its own derives from; else the whole that has
   * the object as its base; else the same place, seen as that type.
   *
   * @throws EvalException when the object is a virtual base of such a class, and it cannot be told
   *     of which object
   */
  static Value moved(Value object, CType type) {
    if (!(object instanceof Value.Ref ref)
        || !(object.type().resolved() instanceof CompositeType own)
        || !(type.resolved() instanceof CompositeType wanted)
        || !own.isCxx()
        || BaseClasses.same(own, wanted)) {
      return object.as(type);
    }
    var base = BaseClasses.part(object, type);
    if (base.isPresent()) {
      return base.get();
    }
    if (BaseClasses.leads(wanted, own, false)) {
      long start = ref.address() - below(wanted, own);
      return new Value.Ref(ref.program(), type, ref.space(), start, 0, 0);
    }
    return BaseClasses.leads(wanted, own, true) ? derived(ref, own, wanted) : object.as(type);
  }

  /** The bits of a pointer when it points to another class. */
  static long moved(Value pointer, PointerType to) {
    long bits = pointer.asLong();
    return bits != 0
            && pointer.type().resolved() instanceof PointerType from
            && from.target().resolved() instanceof CompositeType
            && moved(pointer.deref(), to.target()) instanceof Value.Ref object
        ? object.address()
        : bits;
  }

  /**
   * Where in a derived class its base is, which is at the same place in every object.
   *
   * @throws EvalException when its bases derive from it
   */
  private static long below(CompositeType derived, CompositeType base) {
    long offset = 0;
    var at = derived;
    var seen = BaseClasses.noneSeen();
    while (!BaseClasses.same(at, base)) {
      if (!seen.add(at)) {
        throw new EvalException("'" + at.name() + "' is said to be a base of itself");
      }
      var next =
          at.members().stream()
              .filter(member -> member.isBase() && BaseClasses.leads(member.type(), base, false))
              .findFirst()
              .orElseThrow(() -> new EvalException(derived.name() + " has too many bases"));
      offset += next.byteOffset();
      at = (CompositeType) next.type().resolved();
    }
    return offset;
  }

  /** From a virtual base, whose distance differs from class to class. */
  private static Value.Ref derived(Value.Ref object, CompositeType own, CompositeType wanted) {
    var whole =
        object.isPlace() ? DynamicTypes.whole(inMemory(object)) : Optional.<Value.Ref>empty();
    var found = whole.map(w -> around(w, object, wanted)).orElse(List.of());
    if (found.size() != 1) {
      throw new EvalException(
          "'"
              + own.name()
              + "' is a virtual base of '"
              + wanted.name()
              + "', and the object does not tell of which one: "
              + whole.map(w -> "it is a '" + w.type().text() + "'").orElse("its class is unknown"));
    }
    return found.getFirst();
  }

  private static Value.Ref inMemory(Value.Ref object) {
    return new Value.Ref(object.program(), object.type(), object.address());
  }

  /** The parts of a class in a whole object that have another part as their base. */
  private static List<Value.Ref> around(Value.Ref whole, Value.Ref part, CompositeType wanted) {
    var own = (CompositeType) part.type().resolved();
    return BaseClasses.all(whole, wanted).stream()
        .filter(
            at ->
                BaseClasses.all(at, own).stream()
                    .anyMatch(base -> base.address() == part.address()))
        .toList();
  }

  /**
   * C++'s {@code dynamic_cast}, by what the object really is.
   *
   * @param object in memory
   * @param type a class, or {@code void} for the whole object
   * @return empty where the object has no such part, or more than one
   * @throws EvalException for what is no class, or without virtual functions, or when it cannot be
   *     told what the object is
   */
  static Optional<Value.Ref> dynamic(Value object, CType type) {
    var target = type.resolved();
    if (!(object instanceof Value.Ref ref)
        || !(object.type().resolved() instanceof CompositeType own)
        || !(target instanceof CompositeType || target instanceof VoidType)) {
      throw new EvalException("dynamic_cast is for pointers and references to classes");
    }
    if (target instanceof CompositeType wanted && BaseClasses.leads(own, wanted, true)) {
      return moved(ref, type) instanceof Value.Ref base ? Optional.of(base) : Optional.empty();
    }
    if (!DynamicTypes.isDynamic(own)) {
      throw new EvalException(
          "'" + own.name() + "' has no virtual functions, so that its objects do not tell more");
    }
    var whole =
        DynamicTypes.whole(inMemory(ref))
            .orElseThrow(
                () ->
                    new EvalException(
                        "the object at 0x"
                            + Long.toHexString(ref.address())
                            + " does not tell what it is"));
    if (!(target instanceof CompositeType wanted)) {
      return Optional.of(whole);
    }
    var nearest = around(whole, ref, wanted);
    var found = nearest.size() == 1 ? nearest : BaseClasses.all(whole, wanted);
    return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
  }
}
