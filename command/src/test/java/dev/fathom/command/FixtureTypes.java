// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** The types of {@link Fixture}: small C declarations with one of everything. */
final class FixtureTypes implements TypeSource {
  static final CType CHAR = new IntType("char", 1, true, true);
  static final CType INT = new IntType("int", 4, true, false);
  static final CType UNSIGNED = new IntType("unsigned int", 4, false, false);
  static final CType LONG = new IntType("long", 8, true, false);
  static final CType UNSIGNED_LONG = new IntType("unsigned long", 8, false, false);
  static final CType BOOL = new BoolType("_Bool", 1);

  private final Map<TypeName, CType> types = new LinkedHashMap<>();

  FixtureTypes() {
    for (var base : List.of(CHAR, INT, UNSIGNED, LONG, UNSIGNED_LONG, BOOL)) {
      types.put(TypeName.plain(base.text()), base);
    }
    typedef("pid_t", INT);
    typedef("uintptr_t", UNSIGNED_LONG);
    enumeration(
        "state",
        new EnumType.Enumerator("RUNNING", 0),
        new EnumType.Enumerator("SLEEPING", 1),
        new EnumType.Enumerator("STOPPED", 4));
    enumeration(
        "mask",
        new EnumType.Enumerator("READ", 1),
        new EnumType.Enumerator("WRITE", 2),
        new EnumType.Enumerator("EXEC", 4));
    types.put(new TypeName(TypeName.Kind.STRUCT, "secret"), new OpaqueType("struct secret"));
    struct(
        "list_head",
        16,
        member("next", pointer("list_head"), 0),
        member("prev", pointer("list_head"), 8));
    // A structure of mdb's own tests.
    struct(
        "gift",
        0x28,
        member("stone", array(plain("uintptr_t"), 4), 0),
        member("white", to(to(VoidType.VOID)), 0x20));
    types.put(
        new TypeName(TypeName.Kind.UNION, "word"),
        new CompositeType(
            CompositeType.Kind.UNION,
            "word",
            8,
            () -> List.of(member("whole", LONG, 0), member("half", INT, 0))));
    struct("point", 8, member("x", INT, 0), member("y", INT, 4));
    struct(
        "task",
        0x80,
        member("tasks", struct("list_head"), 0),
        member("pid", plain("pid_t"), 0x10),
        member("state", named(TypeName.Kind.ENUM, "state"), 0x14),
        member("comm", array(CHAR, 16), 0x18),
        member("parent", pointer("task"), 0x28),
        member("name", to(CHAR), 0x30),
        new Member("dead", UNSIGNED, 0x38 * 8, 1),
        new Member("level", INT, 0x38 * 8 + 1, 5),
        member("mask", named(TypeName.Kind.ENUM, "mask"), 0x3c),
        new Member("", union(), 0x40 * 8, 0),
        member("points", array(struct("point"), 2), 0x48),
        member("numbers", array(INT, 3), 0x58),
        member("on", BOOL, 0x64),
        member("letter", CHAR, 0x65),
        member("hidden", pointer("secret"), 0x68),
        member("handler", to(VoidType.VOID), 0x70),
        member("tail", new ArrayType(() -> LONG, OptionalLong.empty()), 0x80));
    // Its last page is not in the dump.
    struct(
        "wide",
        0x1010,
        member("first", LONG, 0),
        member("filler", array(CHAR, 0x1000), 8),
        member("last", LONG, 0x1008));
  }

  private static CType union() {
    return new CompositeType(
        CompositeType.Kind.UNION,
        "",
        8,
        () -> List.of(member("small", INT, 0), member("big", LONG, 0)));
  }

  private static Member member(String name, CType type, long offset) {
    return new Member(name, type, offset * 8, 0);
  }

  private static CType to(CType target) {
    return new PointerType(8, () -> target);
  }

  private CType pointer(String tag) {
    return new PointerType(8, () -> types.get(TypeName.struct(tag)));
  }

  private static CType array(CType element, long count) {
    return new ArrayType(() -> element, OptionalLong.of(count));
  }

  private CType plain(String name) {
    return types.get(TypeName.plain(name));
  }

  private CType named(TypeName.Kind kind, String name) {
    return types.get(new TypeName(kind, name));
  }

  private CType struct(String tag) {
    return types.get(TypeName.struct(tag));
  }

  private void typedef(String name, CType target) {
    types.put(TypeName.plain(name), new TypedefType(name, () -> target));
  }

  private void enumeration(String name, EnumType.Enumerator... enumerators) {
    types.put(
        new TypeName(TypeName.Kind.ENUM, name), new EnumType(name, 4, false, List.of(enumerators)));
  }

  private void struct(String tag, long bytes, Member... members) {
    types.put(
        TypeName.struct(tag),
        new CompositeType(CompositeType.Kind.STRUCT, tag, bytes, () -> List.of(members)));
  }

  @Override
  public String name() {
    return "fixture";
  }

  @Override
  public Optional<CType> find(TypeName name) {
    return Optional.ofNullable(types.get(name));
  }

  @Override
  public Optional<CType> ofSymbol(String symbol) {
    return switch (symbol) {
      case "head" -> Optional.of(struct("list_head"));
      case "first_task", "queue", "second_task", "third_task" -> Optional.of(struct("task"));
      case "table" -> Optional.of(array(struct("point"), 3));
      case "counter" -> Optional.of(LONG);
      default -> Optional.empty();
    };
  }

  @Override
  public Stream<CType> stream() {
    return types.values().stream();
  }
}
