// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.LookupException;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.TypeSystem;
import java.util.Optional;
import java.util.OptionalInt;

/** Asks a kernel's types where its members are. */
public final class Layouts {
  /** Beyond this no structure of the kernel goes; larger offsets are corrupt types. */
  private static final long SIZE_LIMIT = 1 << 26;

  private final TypeSystem types;

  public Layouts(TypeSystem types) {
    this.types = types;
  }

  public TypeSystem types() {
    return types;
  }

  /**
   * The first of {@code paths} that {@code struct tag} has; a path joins members by dots. A kernel
   * without the structure has none of them.
   */
  public Optional<Field> find(String tag, String... paths) {
    var struct = types.findStruct(tag);
    if (struct.isEmpty()) {
      return Optional.empty();
    }
    for (var path : paths) {
      var found = in(struct.get(), tag, path);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  /** As {@link #find}, of a structure at hand, which {@code tag} names in messages. */
  public Optional<Field> in(CompositeType struct, String tag, String path) {
    var member = types.member(struct, path);
    if (member.isEmpty() || member.get().byteOffset() > SIZE_LIMIT) {
      return Optional.empty();
    }
    CType type = member.get().member().type().resolved();
    boolean signed =
        switch (type) {
          case IntType i -> i.signed();
          case EnumType e -> e.signed();
          default -> false;
        };
    int bits = member.get().member().bitSize();
    long bytes = type instanceof BoolType ? 1 : type.bytes();
    if (bytes < 0 || bytes > SIZE_LIMIT || bits > 64) {
      return Optional.empty();
    }
    return Optional.of(
        new Field(
            tag + "." + path,
            (int) member.get().byteOffset(),
            (int) bytes,
            signed,
            bits == 0 ? 0 : (int) (member.get().bitOffset() % 8),
            bits));
  }

  /**
   * The first of {@code paths} that {@code struct tag} has.
   *
   * @throws LookupException when this kernel has none of them
   */
  public Field need(String tag, String... paths) {
    var found = find(tag, paths);
    if (found.isPresent()) {
      return found.get();
    }
    if (types.findStruct(tag).isEmpty()) {
      throw new LookupException("type", "struct " + tag);
    }
    throw new LookupException("member of struct " + tag, String.join(" or ", paths));
  }

  /** The size of {@code struct tag}. */
  public OptionalInt size(String tag) {
    var struct = types.findStruct(tag);
    return struct.isPresent() && struct.get().bytes() > 0 && struct.get().bytes() <= SIZE_LIMIT
        ? OptionalInt.of((int) struct.get().bytes())
        : OptionalInt.empty();
  }
}
