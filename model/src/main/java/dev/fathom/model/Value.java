// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteOrder;

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

  /** A value that stands nowhere in the target's memory, made of its bytes. */
  static Ref held(Program program, CType type, byte[] bytes) {
    return new Ref(program, type, HeldBytes.loose(program.memory().layout(), bytes), 0, 0, 0);
  }

  /** Whether it is a place in the target's memory, or a copy of one. */
  default boolean isPlace() {
    return this instanceof Ref ref && (!(ref.space() instanceof HeldBytes held) || held.copied());
  }

  /**
   * This value as it is now: what is at hand stays, what stands in memory is copied if it has at
   * most {@code limit} bytes and can be read. A copy keeps its address.
   */
  default Value copied(int limit) {
    if (!(this instanceof Ref ref) || ref.space() instanceof HeldBytes) {
      return this;
    }
    long size = ref.bitSize() != 0 ? (ref.bitOffset() + ref.bitSize() + 7) / 8 : type().bytes();
    if (size <= 0 || size > limit) {
      return this;
    }
    var bytes = new byte[(int) size];
    if (ref.space().read(ref.address(), MemorySegment.ofArray(bytes)) < size) {
      return this;
    }
    var copy = HeldBytes.copyOf(ref.space(), ref.address(), bytes);
    return new Ref(program(), ref.type(), copy, ref.address(), ref.bitOffset(), ref.bitSize());
  }

  /**
   * Where it stands in memory.
   *
   * @throws EvalException when it stands nowhere
   */
  default long address() {
    if (this instanceof Ref ref && isPlace()) {
      return ref.address();
    }
    throw new EvalException("the value has no address");
  }

  /** The bytes of a value of at most {@code limit} bytes. Reads memory. */
  default byte[] bytes(int limit) {
    long size = type().bytes();
    if (size < 0 || size > limit) {
      throw new EvalException(type().text() + " has more than " + limit + " bytes");
    }
    if (this instanceof Ref ref && ref.bitSize() == 0) {
      return ref.space().bytes(ref.address(), (int) size);
    }
    long bits = asLong();
    var bytes = new byte[(int) size];
    boolean little = program().memory().layout().order() == ByteOrder.LITTLE_ENDIAN;
    for (int i = 0; i < size; i++) {
      bytes[little ? i : (int) size - 1 - i] = (byte) (bits >> Math.min(63, i * 8));
    }
    return bytes;
  }

  /** The whole number, also of 128 bits. Reads memory. */
  default BigInteger asInteger() {
    boolean wide = this instanceof Ref ref && ref.bitSize() == 0 && type().bytes() > 8;
    if (wide && type().resolved() instanceof IntType i && i.bytes() <= 16) {
      var big = bytes(16);
      if (program().memory().layout().order() == ByteOrder.LITTLE_ENDIAN) {
        for (int a = 0, b = big.length - 1; a < b; a++, b--) {
          byte t = big[a];
          big[a] = big[b];
          big[b] = t;
        }
      }
      return i.signed() ? new BigInteger(big) : new BigInteger(1, big);
    }
    long bits = asLong();
    boolean signed =
        switch (type().resolved()) {
          case IntType i -> i.signed();
          case EnumType e -> e.signed();
          default -> false;
        };
    return signed || bits >= 0
        ? BigInteger.valueOf(bits)
        : BigInteger.valueOf(bits).add(BigInteger.ONE.shiftLeft(64));
  }

  /** The number, also one with a fraction. Reads memory. */
  default Real asReal() {
    if (type().resolved() instanceof FloatType f) {
      var format = FloatFormat.of(f, program());
      return format.decode(bytes(16), program().memory().layout().order());
    }
    return Real.of(asInteger());
  }

  /** The member at {@code path} of a structure, or of the structure that a pointer leads to. */
  default Value member(String path) {
    var base = type().resolved() instanceof PointerType ? deref() : this;
    if (!(base instanceof Ref ref)) {
      throw new EvalException(type().text() + " has no members");
    }
    var known = program().types().member(ref.type(), path);
    if (known.isEmpty()) {
      return VirtualBases.holding(ref, path)
          .orElseThrow(() -> new LookupException("member of " + ref.type().text(), path))
          .member(path);
    }
    var found = known.get();
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
    return program().types().member(type, path).isPresent()
        || VirtualBases.has(program().types(), type, path);
  }

  /** What a reference of C++ refers to; any other value is itself. */
  default Value referred() {
    return type().resolved() instanceof PointerType p && p.isReference() ? deref() : this;
  }

  /**
   * The part of an object that is a virtual base of its class. Reads memory.
   *
   * @throws dev.fathom.base.FaultException when the object or its table cannot be read
   */
  default Value virtualBase(CompositeType.VirtualBase base) {
    if (!(this instanceof Ref ref)) {
      throw new EvalException(type().text() + " has no base classes");
    }
    int word = (int) program().types().wordBytes();
    long table = ref.space().unsigned(ref.address(), word);
    long raw = program().memory().unsigned(table + base.slot(), word);
    long distance = word == 8 ? raw : (int) raw;
    return new Ref(program(), base.type(), ref.space(), ref.address() + distance, 0, 0);
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
