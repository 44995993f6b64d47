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

/** Whether types that may come from different sources are the same but for qualifiers. */
final class SameTypes {
  /** Pointers to pointers; deeper is a cycle. */
  private static final int NESTING_LIMIT = 64;

  private SameTypes() {}

  /** Numbers are the same when their bits mean the same, classes when they have one name. */
  static boolean of(CType a, CType b) {
    return of(a, b, 0);
  }

  private static boolean of(CType one, CType other, int depth) {
    if (depth > NESTING_LIMIT) {
      return false;
    }
    var a = one.resolved();
    var b = other.resolved();
    return switch (a) {
      case IntType i ->
          b instanceof IntType j && i.bytes() == j.bytes() && i.signed() == j.signed();
      case FloatType f ->
          b instanceof FloatType g
              && f.bytes() == g.bytes()
              && (f.bytes() <= 8 || f.name().equals(g.name()));
      case BoolType _ -> b instanceof BoolType && a.bytes() == b.bytes();
      case EnumType e ->
          b instanceof EnumType f && (e.equals(f) || named(e.name(), f.name(), a, b));
      case CompositeType c ->
          b instanceof CompositeType d && (c == d || named(c.name(), d.name(), a, b));
      case PointerType p ->
          b instanceof PointerType q
              && p.isReference() == q.isReference()
              && of(p.target(), q.target(), depth + 1);
      case ArrayType x ->
          b instanceof ArrayType y
              && x.isVector() == y.isVector()
              && x.count().equals(y.count())
              && of(x.element(), y.element(), depth + 1);
      case VoidType _ -> b instanceof VoidType;
      case FunctionType _ -> b instanceof FunctionType && a.text().equals(b.text());
      case OpaqueType _ -> a.text().equals(b.text());
      case AliasType _ -> false;
    };
  }

  private static boolean named(String one, String other, CType a, CType b) {
    return !one.isEmpty() && one.equals(other) && a.bytes() == b.bytes();
  }
}
