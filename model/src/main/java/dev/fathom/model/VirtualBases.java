// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.TypeSystem;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;

/** Members that are in virtual bases, whose place differs from object to object. */
final class VirtualBases {
  /** As many bases as are looked at. */
  private static final int LIMIT = 1000;

  private final Set<CompositeType> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  private VirtualBases() {}

  /** Whether a virtual base, of the class itself or of one of its bases, has the member. */
  static boolean has(TypeSystem types, CType type, String path) {
    return new VirtualBases().search(types, type, path);
  }

  /** The virtual base of an object that has the member. */
  static Optional<Value> holding(Value.Ref object, String path) {
    return new VirtualBases().search(object, path);
  }

  private boolean isNew(CType type) {
    return type.resolved() instanceof CompositeType c && seen.size() < LIMIT && seen.add(c);
  }

  private boolean search(TypeSystem types, CType type, String path) {
    if (!isNew(type) || !(type.resolved() instanceof CompositeType c)) {
      return false;
    }
    for (var base : c.virtualBases()) {
      if (types.member(base.type(), path).isPresent() || search(types, base.type(), path)) {
        return true;
      }
    }
    for (var member : c.members()) {
      if (member.isBase() && search(types, member.type(), path)) {
        return true;
      }
    }
    return false;
  }

  private Optional<Value> search(Value.Ref object, String path) {
    if (!isNew(object.type()) || !(object.type().resolved() instanceof CompositeType c)) {
      return Optional.empty();
    }
    var types = object.program().types();
    for (var base : c.virtualBases()) {
      var part = object.virtualBase(base);
      if (types.member(base.type(), path).isPresent()) {
        return Optional.of(part);
      }
      var inner = part instanceof Value.Ref ref ? search(ref, path) : Optional.<Value>empty();
      if (inner.isPresent()) {
        return inner;
      }
    }
    for (var member : c.members()) {
      if (member.isBase()) {
        var part =
            new Value.Ref(
                object.program(),
                member.type(),
                object.space(),
                object.address() + member.byteOffset(),
                0,
                0);
        var inner = search(part, path);
        if (inner.isPresent()) {
          return inner;
        }
      }
    }
    return Optional.empty();
  }
}
