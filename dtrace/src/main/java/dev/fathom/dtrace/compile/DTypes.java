// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.ir.IrType;
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
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The types that D has by itself (libdtrace's intrinsics and typedefs for LP64) and what can be
 * asked of a type. {@code string}, stacks and symbol addresses are typedefs of special names, so
 * that they can be members and elements.
 */
final class DTypes {
  /** Most bytes of a value. */
  static final int MOST_BYTES = 1 << 20;

  static final IntType INT = new IntType("int", 4, true, false);
  static final IntType UINT = new IntType("unsigned int", 4, false, false);
  static final IntType LONG = new IntType("long", 8, true, false);
  static final IntType ULONG = new IntType("unsigned long", 8, false, false);
  static final IntType CHAR = new IntType("char", 1, true, true);
  static final CType STRING = special("string", 256);
  static final CType STACK = special("stack", 0);
  static final CType USTACK = special("ustack", 0);
  static final CType SYMADDR = special("_symaddr", 8);
  static final CType MODADDR = special("_modaddr", 8);
  static final CType USYMADDR = special("_usymaddr", 16);
  static final CType UMODADDR = special("_umodaddr", 16);
  static final CType UADDR = special("_uaddr", 16);

  private static final Map<String, CType> NAMED = new LinkedHashMap<>();

  static {
    for (var t :
        new CType[] {
          INT,
          UINT,
          LONG,
          ULONG,
          CHAR,
          new IntType("short", 2, true, false),
          new IntType("unsigned short", 2, false, false),
          new IntType("long long", 8, true, false),
          new IntType("unsigned long long", 8, false, false),
          new IntType("signed char", 1, true, true),
          new IntType("unsigned char", 1, false, true)
        }) {
      NAMED.put(((IntType) t).name(), t);
    }
    NAMED.put("_Bool", new BoolType("_Bool", 1));
    NAMED.put("float", new FloatType("float", 4));
    NAMED.put("double", new FloatType("double", 8));
    NAMED.put("long double", new FloatType("long double", 16));
    NAMED.put("void", VoidType.VOID);
    NAMED.put("string", STRING);
    alias("int8_t", "signed char");
    alias("int16_t", "short");
    alias("int32_t", "int");
    alias("int64_t", "long");
    alias("intptr_t", "long");
    alias("ssize_t", "long");
    alias("uint8_t", "unsigned char");
    alias("uint16_t", "unsigned short");
    alias("uint32_t", "unsigned int");
    alias("uint64_t", "unsigned long");
    alias("uchar_t", "unsigned char");
    alias("ushort_t", "unsigned short");
    alias("uint_t", "unsigned int");
    alias("ulong_t", "unsigned long");
    alias("u_longlong_t", "unsigned long long");
    alias("longlong_t", "long long");
    alias("ptrdiff_t", "long");
    alias("uintptr_t", "unsigned long");
    alias("size_t", "unsigned long");
    alias("id_t", "int");
    alias("pid_t", "int");
    alias("uid_t", "unsigned int");
    alias("gid_t", "unsigned int");
    alias("hrtime_t", "long");
    alias("ipaddr_t", "unsigned int");
  }

  private DTypes() {}

  private static void alias(String name, String target) {
    var type = NAMED.get(target);
    NAMED.put(name, new TypedefType(name, () -> type));
  }

  private static CType special(String name, int bytes) {
    var array = new ArrayType(() -> CHAR, OptionalLong.of(bytes));
    return new TypedefType(name, () -> array);
  }

  static Optional<CType> named(String name) {
    return Optional.ofNullable(NAMED.get(name));
  }

  /** Whether {@code type} is that special type, whatever qualifiers it has. */
  static boolean is(CType type, CType special) {
    CType t = type;
    for (int i = 0; i < 64; i++) {
      if (t.equals(special)) {
        return true;
      }
      if (!(t instanceof AliasType a)) {
        return false;
      }
      t = a.target();
    }
    return false;
  }

  static boolean isString(CType type) {
    return is(type, STRING);
  }

  /** Stacks and symbol addresses. */
  static boolean isSpecial(CType type) {
    return is(type, STACK)
        || is(type, USTACK)
        || is(type, SYMADDR)
        || is(type, MODADDR)
        || is(type, USYMADDR)
        || is(type, UMODADDR)
        || is(type, UADDR);
  }

  static boolean isInteger(CType type) {
    return switch (type.resolved()) {
      case IntType _, BoolType _, EnumType _ -> true;
      case ArrayType _,
          CompositeType _,
          FloatType _,
          FunctionType _,
          OpaqueType _,
          PointerType _,
          AliasType _,
          VoidType _ ->
          false;
    };
  }

  static boolean isPointer(CType type) {
    return type.resolved() instanceof PointerType;
  }

  static boolean isArray(CType type) {
    return !isString(type) && !isSpecial(type) && type.resolved() instanceof ArrayType;
  }

  static boolean isComposite(CType type) {
    return type.resolved() instanceof CompositeType;
  }

  static boolean isVoid(CType type) {
    return type.resolved() instanceof VoidType;
  }

  /** What may be tested: numbers and pointers. */
  static boolean isScalar(CType type) {
    return isInteger(type) || isPointer(type);
  }

  static boolean isSigned(CType type) {
    return switch (type.resolved()) {
      case IntType i -> i.signed();
      case EnumType e -> e.signed();
      case BoolType _,
          ArrayType _,
          CompositeType _,
          FloatType _,
          FunctionType _,
          OpaqueType _,
          PointerType _,
          AliasType _,
          VoidType _ ->
          false;
    };
  }

  /** {@code char *}, {@code char []} or {@code string}. */
  static boolean isStringLike(CType type) {
    if (isString(type)) {
      return true;
    }
    if (isSpecial(type)) {
      return false;
    }
    return switch (type.resolved()) {
      case PointerType p -> isChar(p.target()) || isString(p.target());
      case ArrayType a -> isChar(a.element());
      case IntType _,
          BoolType _,
          EnumType _,
          CompositeType _,
          FloatType _,
          FunctionType _,
          OpaqueType _,
          AliasType _,
          VoidType _ ->
          false;
    };
  }

  private static boolean isChar(CType type) {
    return type.resolved() instanceof IntType i && i.bytes() == 1;
  }

  /** Integral promotion. */
  static CType promote(CType type) {
    var t = type.resolved();
    return t.bytes() < 4
        ? INT
        : t instanceof IntType ? t : isSigned(t) ? sized(t.bytes(), true) : sized(t.bytes(), false);
  }

  static CType sized(long bytes, boolean signed) {
    if (bytes <= 4) {
      return signed ? INT : UINT;
    }
    return signed ? LONG : ULONG;
  }

  /** The integer of so many bytes: 1, 2, 4 or 8. */
  static CType integer(int bytes, boolean signed) {
    return switch (bytes) {
      case 1 -> NAMED.get(signed ? "signed char" : "unsigned char");
      case 2 -> NAMED.get(signed ? "short" : "unsigned short");
      default -> sized(bytes, signed);
    };
  }

  /** The usual arithmetic conversions. */
  static CType common(CType a, CType b) {
    var x = promote(a);
    var y = promote(b);
    if (x.bytes() != y.bytes()) {
      return x.bytes() > y.bytes() ? x : y;
    }
    return isSigned(x) ? y : x;
  }

  /** The type of a value at the probe; none for what has no size, or is too big. */
  static Optional<IrType> irType(CType type) {
    if (isString(type)) {
      return Optional.of(IrType.STRING);
    }
    if (is(type, STACK)) {
      return Optional.of(IrType.Word.STACK);
    }
    if (is(type, USTACK)) {
      return Optional.of(IrType.Word.USTACK);
    }
    if (is(type, USYMADDR) || is(type, UMODADDR) || is(type, UADDR)) {
      return Optional.of(IrType.Word.UADDR);
    }
    if (isSpecial(type) || isScalar(type)) {
      return Optional.of(IrType.INT);
    }
    long bytes = type.bytes();
    return bytes <= 0 || bytes > MOST_BYTES
        ? Optional.empty()
        : Optional.of(new IrType.Blob((int) bytes));
  }

  /** As errors show a type. */
  static String text(CType type) {
    return type.text();
  }

  /** Whether two types are the same but for names and qualifiers. */
  static boolean same(CType a, CType b) {
    if (isString(a) || isString(b)) {
      return isString(a) && isString(b);
    }
    var x = a.resolved();
    var y = b.resolved();
    if (x.equals(y)) {
      return true;
    }
    if (isInteger(x) && isInteger(y)) {
      return x.bytes() == y.bytes();
    }
    if (x instanceof PointerType p && y instanceof PointerType q) {
      return isVoid(p.target()) || isVoid(q.target()) || same(p.target(), q.target());
    }
    if (x instanceof ArrayType v && y instanceof ArrayType u) {
      return same(v.element(), u.element()) && v.count().equals(u.count());
    }
    if (x instanceof CompositeType c && y instanceof CompositeType d) {
      return !c.name().isEmpty() && c.name().equals(d.name()) && c.kind() == d.kind();
    }
    return (x instanceof OpaqueType o && y.text().equals(o.text()))
        || (y instanceof OpaqueType w && x.text().equals(w.text()));
  }
}
