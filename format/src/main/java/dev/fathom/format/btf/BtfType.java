// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.btf;

import java.util.List;

/**
 * One type as BTF describes it. References to other types are type ids of the same {@link Btf}; id
 * 0 is void. Names are empty where the type is anonymous.
 */
public sealed interface BtfType {
  /** Type id 0, which no record describes. */
  record Void() implements BtfType {}

  /**
   * BTF_KIND_INT.
   *
   * @param size in bytes
   * @param bitOffset where the value begins in those bytes; 0 but for old bit-fields
   * @param bits how many bits the value has
   */
  record Int(
      String name,
      long size,
      boolean signed,
      boolean character,
      boolean bool,
      int bitOffset,
      int bits)
      implements BtfType {}

  /** BTF_KIND_PTR. */
  record Ptr(int type) implements BtfType {}

  /** BTF_KIND_ARRAY; a flexible array member has no elements. */
  record Array(int elementType, int indexType, long elements) implements BtfType {}

  /** BTF_KIND_STRUCT and BTF_KIND_UNION; {@code size} in bytes. */
  record Composite(boolean union, String name, long size, List<Member> members)
      implements BtfType {}

  /**
   * @param bitOffset from the start of the structure, in bits
   * @param bitSize the width of a bit-field; 0 for other members and for bit-fields without
   *     kind_flag, whose type is then an {@link Int} that has fewer bits than its size
   */
  record Member(String name, int type, long bitOffset, int bitSize) {}

  /** BTF_KIND_ENUM and BTF_KIND_ENUM64; without values it is a declaration only. */
  record Enum(String name, long size, boolean signed, List<Enumerator> values) implements BtfType {}

  /**
   * The value is sign-extended if its enumeration is signed, else zero-extended from the
   * enumeration's size.
   */
  record Enumerator(String name, long value) {}

  /** BTF_KIND_FWD: a structure or union that is declared only. */
  record Fwd(boolean union, String name) implements BtfType {}

  /** BTF_KIND_TYPEDEF. */
  record Typedef(String name, int type) implements BtfType {}

  /** BTF_KIND_VOLATILE, BTF_KIND_CONST, BTF_KIND_RESTRICT. */
  record Qualified(Qualifier qualifier, int type) implements BtfType {}

  /** The qualifiers of {@link Qualified}. */
  enum Qualifier {
    VOLATILE,
    CONST,
    RESTRICT
  }

  /**
   * BTF_KIND_FUNC: a function, {@code type} is its {@link FuncProto}; linkage 0 static, 1 global, 2
   * extern.
   */
  record Func(String name, int type, int linkage) implements BtfType {}

  /** BTF_KIND_FUNC_PROTO. */
  record FuncProto(int returnType, List<Param> params) implements BtfType {
    /** Whether the last parameter is {@code ...}, encoded as one without name and type. */
    public boolean variadic() {
      return !params.isEmpty() && params.getLast().name().isEmpty() && params.getLast().type() == 0;
    }
  }

  record Param(String name, int type) {}

  /** BTF_KIND_VAR: a variable; linkage 0 static, 1 global, 2 extern. */
  record Var(String name, int type, int linkage) implements BtfType {}

  /** BTF_KIND_DATASEC: the variables of one section, {@code size} in bytes. */
  record DataSec(String name, long size, List<SecInfo> variables) implements BtfType {}

  /** A variable's place in its section, in bytes; for kernels the offset in the per-CPU area. */
  record SecInfo(int type, long offset, long size) {}

  /** BTF_KIND_FLOAT. */
  record Float(String name, long size) implements BtfType {}

  /**
   * BTF_KIND_DECL_TAG: an attribute of {@code type} or, unless -1, of its member or parameter
   * {@code componentIndex}.
   */
  record DeclTag(String name, int type, int componentIndex) implements BtfType {}

  /** BTF_KIND_TYPE_TAG: an attribute of a type that a pointer leads to, such as {@code rcu}. */
  record TypeTag(String name, int type) implements BtfType {}
}
