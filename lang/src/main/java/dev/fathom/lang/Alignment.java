// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.type.AliasType;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;

/**
 * The alignment of types as members of a structure. Of a structure it is what its members, and
 * where they stand, tell, and what attributes asked for where debug information has that (DWARF 5's
 * DW_AT_alignment).
 */
final class Alignment {
  private static final int DEPTH_LIMIT = 64;

  private Alignment() {}

  static long of(CType type, DataModel model) {
    return of(type, model, 0);
  }

  private static long of(CType type, DataModel model, int depth) {
    if (depth > DEPTH_LIMIT) {
      return 1;
    }
    return switch (type) {
      case AliasType a -> of(a.resolved(), model, depth + 1);
      case ArrayType a -> of(a.element(), model, depth + 1);
      case BoolType b -> scalar(b.bytes(), model);
      case IntType i -> scalar(i.bytes(), model);
      case EnumType e -> scalar(e.bytes(), model);
      case FloatType f ->
          f.bytes() == model.longDoubleBytes() ? model.longDoubleAlign() : scalar(f.bytes(), model);
      case PointerType p -> p.bytes();
      case CompositeType c -> composite(c, model, depth);
      case FunctionType _, OpaqueType _, VoidType _ -> 1;
    };
  }

  private static long scalar(long bytes, DataModel model) {
    long most = bytes == 8 ? model.wideAlign() : 16;
    return bytes <= 0 ? 1 : Math.min(Long.highestOneBit(bytes), most);
  }

  /** No more than what divides the structure's size and the offsets of those that need it. */
  private static long composite(CompositeType type, DataModel model, int depth) {
    long align = 1;
    for (var member : type.members()) {
      long wanted = of(member.type(), model, depth + 1);
      boolean fits = member.isBitField() || member.bitOffset() % (wanted * 8) == 0;
      if (fits && (type.bytes() == 0 || type.bytes() % wanted == 0)) {
        align = Math.max(align, wanted);
      }
    }
    return Math.max(align, type.passing().alignment().orElse(1));
  }
}
