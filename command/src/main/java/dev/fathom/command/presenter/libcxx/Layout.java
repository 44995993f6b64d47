// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.base.LookupException;
import dev.fathom.command.presenter.Parts;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import java.util.List;

/** Where things are in the library's classes. */
final class Layout {
  private Layout() {}

  /** The first member of several spellings, without the pair that it may be in. */
  static Value member(Value object, String... names) {
    for (var name : names) {
      if (object.has(name)) {
        var found = object.member(name);
        return found.has("__value_") ? found.member("__value_") : found;
      }
    }
    throw new LookupException("member of " + object.type().text(), names[0]);
  }

  /** Where an element is in a list's or table's node, behind its two words. */
  static long behindLinks(Program program, CType element) {
    return Parts.aligned(program, 2 * program.types().wordBytes(), element);
  }

  /** Where an element is in a tree's node, behind three links and a colour. */
  static long behindTree(Program program, CType element) {
    return Parts.aligned(program, 3 * program.types().wordBytes() + 1, element);
  }

  /** Where key and value of a map are, of which the key begins at {@code start} or behind it. */
  record Pair(CType key, long keyAt, CType value, long valueAt) {
    static Pair of(Program program, CompositeType map, long start) {
      var key = Parts.typeArgument(map, 0);
      var value = Parts.typeArgument(map, 1);
      long at = Math.max(Parts.aligned(program, start, key), Parts.aligned(program, start, value));
      return new Pair(key, at, value, Parts.aligned(program, at + key.bytes(), value));
    }
  }

  /** Parts of a class that are its bases, in order. */
  static List<Value.Ref> bases(Value.Ref object) {
    return object.type().resolved() instanceof CompositeType c
        ? c.members().stream()
            .filter(member -> member.isBase())
            .map(
                member ->
                    new Value.Ref(
                        object.program(),
                        member.type(),
                        object.space(),
                        object.address() + member.byteOffset(),
                        0,
                        0))
            .toList()
        : List.of();
  }
}
