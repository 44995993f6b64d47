// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.FathomException;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What objects of C++ are that are seen as one of their bases. The first word of an object with
 * virtual functions leads into its class's table, whose symbol names the class; the table says how
 * far the whole object begins before the part (Itanium C++ ABI, section 2.5.2).
 */
public final class DynamicTypes {
  private static final String TABLE = "vtable for ";

  /** Base classes that are looked through, those of bases included. */
  private static final int MOST_BASES = 1 << 10;

  private DynamicTypes() {}

  /**
   * The whole object that a value is the base part of, or a pointer or reference to it in place of
   * one to the part.
   *
   * @return empty where the value is no part of another object, and where that cannot be told
   */
  public static Optional<Value> of(Value value) {
    try {
      if (value.type().resolved() instanceof PointerType p
          && p.target().resolved() instanceof CompositeType
          && value.asLong() != 0) {
        return other((Value.Ref) value.deref()).map(object -> leading(object, p));
      }
      return value instanceof Value.Ref ref && ref.isComposite()
          ? other(ref).map(object -> object)
          : Optional.empty();
    } catch (FathomException e) {
      return Optional.empty(); // The object or its table cannot be read; whoever shows it says so.
    }
  }

  private static Optional<Value.Ref> other(Value.Ref part) {
    return whole(part)
        .filter(
            object ->
                !BaseClasses.same(
                    (CompositeType) object.type().resolved(),
                    (CompositeType) part.type().resolved()));
  }

  private static Value leading(Value.Ref object, PointerType as) {
    CType type = object.type();
    return new Value.Imm(
        object.program(), new PointerType(as.kind(), as.bytes(), () -> type), object.address());
  }

  /**
   * The whole object that a part of one is of, which may be the part itself.
   *
   * @return empty where that cannot be told
   * @throws FathomException when the object or its table cannot be read
   */
  static Optional<Value.Ref> whole(Value.Ref part) {
    if (!(part.type().resolved() instanceof CompositeType type)
        || !type.isCxx()
        || !isDynamic(type)
        || !part.space().equals(part.program().memory())) {
      return Optional.empty();
    }
    var memory = part.program().memory();
    int word = memory.layout().wordBytes();
    long table = memory.unsigned(part.address(), word);
    // A table without functions ends where the pointer leads; the word before is always in it.
    var symbol = part.program().symbols().at(table - word);
    if (symbol.isEmpty() || !symbol.get().symbol().name().startsWith(TABLE)) {
      return Optional.empty();
    }
    var own = symbol.get().symbol().name().substring(TABLE.length());
    var found = part.program().types().find(TypeName.struct(own));
    if (!(found.orElse(null) instanceof CompositeType real)) {
      return Optional.empty();
    }
    long before = memory.unsigned(table - 2L * word, word);
    var object =
        new Value.Ref(part.program(), real, part.address() + (word == 4 ? (int) before : before));
    // A table that something else left in memory leads to no object with this part.
    return BaseClasses.all(object, type).stream().anyMatch(at -> at.address() == part.address())
        ? Optional.of(object)
        : Optional.empty();
  }

  /** Whether objects of a class have a table of virtual functions, which is then at their start. */
  static boolean isDynamic(CompositeType type) {
    return isDynamic(type, new HashSet<>());
  }

  private static boolean isDynamic(CompositeType type, Set<CompositeType> seen) {
    if (!type.virtualBases().isEmpty()
        || type.methods().stream().anyMatch(CompositeType.Method::isVirtual)) {
      return true;
    }
    for (var member : type.members()) {
      if (member.name().startsWith("_vptr")
          || (member.isBase()
              && member.type().resolved() instanceof CompositeType base
              && seen.size() < MOST_BASES
              && seen.add(base)
              && isDynamic(base, seen))) {
        return true;
      }
    }
    return false;
  }
}
