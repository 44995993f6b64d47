// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.function.Supplier;

/**
 * A C type. Types form a graph with cycles, so parts are looked up when asked for. Within one
 * {@link TypeSource} the same type is the same object.
 */
public sealed interface CType
    permits AliasType,
        ArrayType,
        BoolType,
        CompositeType,
        EnumType,
        FloatType,
        FunctionType,
        IntType,
        OpaqueType,
        PointerType,
        VoidType {
  /** The size in bytes; 0 for void, functions, incomplete types and flexible arrays. */
  long bytes();

  /** The type as C writes it in a cast: {@code struct list_head *}, {@code char [16]}. */
  default String text() {
    return TypeText.of(this, "");
  }

  /** A declaration of {@code name} with this type: {@code char comm[16]}. */
  default String declare(String name) {
    return TypeText.of(this, name);
  }

  /**
   * This type with typedefs and qualifiers removed. A cycle of typedefs, which only hostile data
   * has, ends in void.
   */
  default CType resolved() {
    CType type = this;
    for (int depth = 0; depth < 64; depth++) {
      // No switch over patterns: its first run costs milliseconds, and this is on every path.
      if (!(type instanceof AliasType alias)) {
        return type;
      }
      type = alias.target();
    }
    return VoidType.VOID;
  }

  /** A part of the type graph that is looked up once, when first used. */
  final class Lazy {
    private Supplier<CType> supplier;
    private CType value;

    public Lazy(Supplier<CType> supplier) {
      this.supplier = supplier;
    }

    public CType get() {
      if (value == null) {
        value = supplier.get();
        supplier = null;
      }
      return value;
    }
  }
}
