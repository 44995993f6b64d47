// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where types come from: BTF, DWARF, CTF, C text. Named, and can be switched off in a {@link
 * TypeSystem}.
 */
public interface TypeSource {
  /** {@code btf}, {@code btf:virtio_blk}, {@code dwarf}, ... */
  String name();

  /**
   * A definition where there is one, else a declaration. A {@code PLAIN} name finds typedefs and
   * base types only.
   */
  Optional<CType> find(TypeName name);

  /**
   * Whether the source knows, without looking far, that a name is a variable's, function's or
   * enumerator's, so that C has no type that is called so without a keyword.
   */
  default boolean isValue(String name) {
    return false;
  }

  /** The type of a variable or function, where the source knows it. */
  Optional<CType> ofSymbol(String symbol);

  /**
   * The type of the variable or function of that name at an address of the target: where the source
   * knows several of the name and their places, of that one.
   */
  default Optional<CType> ofSymbol(String symbol, long address) {
    return ofSymbol(symbol);
  }

  /**
   * Whether the source knows every variable and function as it is in the program, so that it is
   * asked about them before others.
   */
  default boolean knowsSymbols() {
    return false;
  }

  /**
   * The class made of a template with these first arguments and with others that follow them, as
   * {@code std::vector<int>} is short for; the one of the shortest name if there are several.
   */
  default Optional<CType> findTemplate(String name) {
    return Optional.empty();
  }

  /**
   * A variable with its place.
   *
   * @param address in the target
   */
  record Placed(CType type, long address) {}

  /**
   * The variables of that name, where the source knows their places: also those that a function
   * keeps between its calls, as {@code function::variable}, and those of anonymous namespaces.
   */
  default List<Placed> placed(String variable) {
    return List.of();
  }

  /**
   * A variable of which each thread has its own.
   *
   * @param object where in the target the object begins that has it
   * @param offset where it is in the storage that a thread has for the object
   */
  record InThread(CType type, long object, long offset) {}

  /** As {@link #placed}, the variables of that name of which each thread has its own. */
  default List<InThread> inThread(String variable) {
    return List.of();
  }

  /** All named types, in the source's order. */
  Stream<CType> stream();

  /**
   * What is known of a type before it is decoded.
   *
   * @param name its name, found under this kind
   * @param text as {@link CType#text()} of the type
   */
  record Named(TypeName name, String text) {
    /** Of a type that is decoded; empty where it has no name of its own. */
    public static Optional<Named> of(CType type) {
      return switch (type) {
        case CompositeType c ->
            named(
                c.kind() == CompositeType.Kind.UNION ? TypeName.Kind.UNION : TypeName.Kind.STRUCT,
                c.name(),
                c.text());
        case EnumType e -> named(TypeName.Kind.ENUM, e.name(), e.text());
        case TypedefType t -> named(TypeName.Kind.PLAIN, t.name(), t.text());
        case IntType _, FloatType _, BoolType _ ->
            named(TypeName.Kind.PLAIN, type.text(), type.text());
        default -> Optional.empty();
      };
    }

    private static Optional<Named> named(TypeName.Kind kind, String name, String text) {
      return name.isEmpty()
          ? Optional.empty()
          : Optional.of(new Named(new TypeName(kind, name), text));
    }
  }

  /**
   * The names of all types that the source defines; a source that knows them without decoding each
   * type does. A name may come more than once. What is too damaged to have a name is left out.
   */
  default Stream<Named> typeNames() {
    return stream().flatMap(type -> Named.of(type).stream());
  }

  /**
   * The names of all enumerators, with the first enumeration that has each. Made anew at each call;
   * a source that can do it without looking at every type does. {@link TypeSystem} keeps it.
   */
  default Map<String, EnumType> enumerators() {
    var found = new HashMap<String, EnumType>();
    try (var all = stream()) {
      all.forEach(
          type -> {
            if (type.resolved() instanceof EnumType e) {
              e.enumerators().forEach(item -> found.putIfAbsent(item.name(), e));
            }
          });
    }
    return found;
  }
}
