// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import java.util.Optional;

/** C++'s way from an object to the parts that are its base classes, and back. */
final class BaseClasses {
  private static final int NESTING_LIMIT = 64;

  private BaseClasses() {}

  /** The part of an object that is its base of that type; empty when there is none. */
  static Optional<Value> part(Value object, CType base) {
    return base.resolved() instanceof CompositeType wanted && object instanceof Value.Ref ref
        ? part(ref, wanted, 0)
        : Optional.empty();
  }

  private static Optional<Value> part(Value.Ref object, CompositeType wanted, int depth) {
    if (depth > NESTING_LIMIT || !(object.type().resolved() instanceof CompositeType own)) {
      return Optional.empty();
    }
    if (same(own, wanted)) {
      return depth == 0 ? Optional.empty() : Optional.of(object);
    }
    for (var member : own.members()) {
      if (member.isBase()) {
        var base =
            new Value.Ref(
                object.program(),
                member.type(),
                object.space(),
                object.address() + member.byteOffset(),
                0,
                0);
        var found = part(base, wanted, depth + 1);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    for (var base : own.virtualBases()) {
      // Only what leads to the base is read.
      boolean leads =
          base.type().resolved() instanceof CompositeType c
              && (same(c, wanted) || hasBase(c, wanted, depth + 1));
      if (leads && object.virtualBase(base) instanceof Value.Ref inner) {
        return part(inner, wanted, depth + 1);
      }
    }
    return Optional.empty();
  }

  private static boolean hasBase(CompositeType type, CompositeType wanted, int depth) {
    if (depth > NESTING_LIMIT) {
      return false;
    }
    for (var member : type.members()) {
      if (member.isBase()
          && member.type().resolved() instanceof CompositeType c
          && (same(c, wanted) || hasBase(c, wanted, depth + 1))) {
        return true;
      }
    }
    for (var base : type.virtualBases()) {
      if (base.type().resolved() instanceof CompositeType c
          && (same(c, wanted) || hasBase(c, wanted, depth + 1))) {
        return true;
      }
    }
    return false;
  }

  /** Types of the same name are the same, whichever source has them. */
  private static boolean same(CompositeType a, CompositeType b) {
    return a == b || (!a.name().isEmpty() && a.name().equals(b.name()));
  }

  /** The bits of a pointer when it points to another class: those of a base, or from a base. */
  static long moved(Value pointer, PointerType to) {
    long bits = pointer.asLong();
    if (bits == 0
        || !(pointer.type().resolved() instanceof PointerType from)
        || !(from.target().resolved() instanceof CompositeType own)
        || !(to.target().resolved() instanceof CompositeType wanted)
        || !own.isCxx()
        || same(own, wanted)) {
      return bits;
    }
    var base = part(new Value.Ref(pointer.program(), own, bits), wanted, 0);
    if (base.isPresent()) {
      return base.get().address();
    }
    return bits - below(wanted, own, 0).orElse(0L);
  }

  /** Where in a derived class its base is, if it is at the same place in every object. */
  private static Optional<Long> below(CompositeType derived, CompositeType base, int depth) {
    if (depth > NESTING_LIMIT) {
      return Optional.empty();
    }
    for (var member : derived.members()) {
      if (member.isBase() && member.type().resolved() instanceof CompositeType c) {
        var inner = same(c, base) ? Optional.of(0L) : below(c, base, depth + 1);
        if (inner.isPresent()) {
          return Optional.of(member.byteOffset() + inner.get());
        }
      }
    }
    return Optional.empty();
  }
}
