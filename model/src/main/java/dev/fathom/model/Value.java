// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;

/**
 * A typed value of the target: a place in its memory, of which nothing has been read yet, or a
 * number at hand.
 */
public sealed interface Value {
  Program program();

  CType type();

  /**
   * A place in memory.
   *
   * @param bitOffset bits to skip from {@code address}, below 8 for bit-fields, else 0
   * @param bitSize the width of a bit-field; 0 when it is none
   */
  record Ref(
      Program program, CType type, AddressSpace space, long address, int bitOffset, int bitSize)
      implements Value {
    public Ref(Program program, CType type, long address) {
      this(program, type, program.memory(), address, 0, 0);
    }
  }

  /**
   * A number, pointer or enum; {@code bits} is extended to 64 bits as its type's signedness says.
   */
  record Imm(Program program, CType type, long bits) implements Value {}

  /**
   * The number: integers and enums extended to 64 bits as their signedness says, pointers, bools.
   * Reads memory.
   */
  default long asLong() {
    return switch (this) {
      case Imm imm -> imm.bits();
      case Ref ref -> {
        var type = ref.type().resolved();
        boolean signed =
            switch (type) {
              case IntType i -> i.signed();
              case EnumType e -> e.signed();
              case BoolType _, PointerType _ -> false;
              default -> throw new EvalException(ref.type().text() + " is not a number");
            };
        int size = (int) type.bytes();
        if (ref.bitSize() != 0) {
          yield bitField(ref, signed);
        }
        if (size != 1 && size != 2 && size != 4 && size != 8) {
          throw new EvalException(
              ref.type().text() + " of " + size + " bytes does not fit a number");
        }
        long raw = ref.space().unsigned(ref.address(), size);
        int unused = 64 - size * 8;
        yield signed ? raw << unused >> unused : raw;
      }
    };
  }

  private static long bitField(Ref ref, boolean signed) {
    int size = (ref.bitOffset() + ref.bitSize() + 7) / 8;
    long low = ref.space().unsigned(ref.address(), 1);
    long raw = low >>> ref.bitOffset();
    for (int i = 1; i < size; i++) {
      raw |= ref.space().unsigned(ref.address() + i, 1) << (i * 8 - ref.bitOffset());
    }
    int unused = 64 - ref.bitSize();
    return signed ? raw << unused >> unused : raw << unused >>> unused;
  }

  /** Where it stands in memory. */
  default long address() {
    return switch (this) {
      case Ref ref -> ref.address();
      case Imm _ -> throw new EvalException("the value has no address");
    };
  }

  /** The member at {@code path} of a structure, or of the structure that a pointer leads to. */
  default Value member(String path) {
    var base = type().resolved() instanceof PointerType ? deref() : this;
    if (!(base instanceof Ref ref)) {
      throw new EvalException(type().text() + " has no members");
    }
    var found =
        program()
            .types()
            .member(ref.type(), path)
            .orElseThrow(() -> new LookupException("member of " + ref.type().text(), path));
    var m = found.member();
    return new Ref(
        program(),
        m.type(),
        ref.space(),
        ref.address() + found.byteOffset(),
        (int) (found.bitOffset() % 8),
        m.bitSize());
  }

  /** Whether the structure, or the one that a pointer leads to, has a member at {@code path}. */
  default boolean has(String path) {
    var type = type().resolved() instanceof PointerType p ? p.target() : type();
    return program().types().member(type, path).isPresent();
  }

  /** What a pointer leads to. */
  default Value deref() {
    if (!(type().resolved() instanceof PointerType pointer)) {
      throw new EvalException(type().text() + " is not a pointer type");
    }
    return new Ref(program(), pointer.target(), program().memory(), asLong(), 0, 0);
  }

  /** The element of an array, or of what a pointer leads to, seen as an array. */
  default Value index(long i) {
    return switch (type().resolved()) {
      case ArrayType a when this instanceof Ref ref ->
          new Ref(
              program(), a.element(), ref.space(), ref.address() + i * a.element().bytes(), 0, 0);
      case PointerType p ->
          new Ref(
              program(), p.target(), program().memory(), asLong() + i * p.target().bytes(), 0, 0);
      default -> throw new EvalException(type().text() + " is neither an array nor a pointer");
    };
  }

  /** A pointer to this value. */
  default Value addressOf() {
    return new Imm(program(), program().types().pointerTo(type()), address());
  }

  /** The same place or bits seen as another type. */
  default Value as(CType other) {
    return switch (this) {
      case Ref r -> new Ref(r.program(), other, r.space(), r.address(), 0, 0);
      case Imm i -> new Imm(i.program(), other, i.bits());
    };
  }

  /**
   * The string in a character array or behind a character pointer, up to its NUL or {@code limit}
   * bytes.
   */
  default String string(int limit) {
    return switch (type().resolved()) {
      case ArrayType a when this instanceof Ref ref ->
          ref.space().cString(ref.address(), (int) Math.min(limit, a.count().orElse(limit)));
      case PointerType _ -> program().memory().cString(asLong(), limit);
      default -> throw new EvalException(type().text() + " is not a string");
    };
  }

  /** Whether the type is a structure or union. */
  default boolean isComposite() {
    return type().resolved() instanceof CompositeType;
  }
}
