// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** C's own types in a data model, and the conversions of C11 section 6.3.1. */
final class CTypes {
  static final IntType CHAR = new IntType("char", 1, true, true);
  static final BoolType BOOL = new BoolType("bool", 1);
  static final IntType INT = new IntType("int", 4, true, false);
  static final IntType UNSIGNED_INT = new IntType("unsigned int", 4, false, false);
  static final IntType INT128 = new IntType("__int128", 16, true, false);
  static final IntType UNSIGNED_INT128 = new IntType("unsigned __int128", 16, false, false);
  static final FloatType FLOAT = new FloatType("float", 4);
  static final FloatType DOUBLE = new FloatType("double", 8);
  private static final IntType LONG_LONG = new IntType("long long", 8, true, false);
  private static final IntType UNSIGNED_LONG_LONG =
      new IntType("unsigned long long", 8, false, false);

  private final DataModel model;
  private final IntType longType;
  private final IntType unsignedLongType;
  private final FloatType longDouble;

  CTypes(DataModel model) {
    this.model = model;
    this.longType = new IntType("long", model.longBytes(), true, false);
    this.unsignedLongType = new IntType("unsigned long", model.longBytes(), false, false);
    this.longDouble = new FloatType("long double", model.longDoubleBytes());
  }

  DataModel model() {
    return model;
  }

  IntType longType() {
    return longType;
  }

  IntType unsignedLong() {
    return unsignedLongType;
  }

  FloatType longDouble() {
    return longDouble;
  }

  /** C11 section 6.4.4.1: the first type for its base and suffix that holds the value. */
  IntType constant(long value, boolean unsigned, int longs, boolean decimal) {
    for (int rank = longs; rank <= 2; rank++) {
      int bytes = rank == 0 ? 4 : rank == 1 ? model.longBytes() : 8;
      boolean fitsUnsigned = bytes == 8 || value >>> (bytes * 8) == 0;
      boolean fitsSigned = value >= 0 && value >>> (bytes * 8 - 1) == 0;
      if (!unsigned && fitsSigned) {
        return rank == 0 ? INT : rank == 1 ? longType : LONG_LONG;
      }
      // What is above all signed types is unsigned, as gdb and compilers have it.
      if (fitsUnsigned && (unsigned || !decimal || value < 0)) {
        return rank == 0 ? UNSIGNED_INT : rank == 1 ? unsignedLongType : UNSIGNED_LONG_LONG;
      }
    }
    return UNSIGNED_LONG_LONG;
  }

  /**
   * C11 section 6.7.2: the type that a multiset of specifiers means; empty when it means none.
   *
   * @param words {@code unsigned}, {@code long}, ...
   */
  Optional<CType> basic(List<String> words) {
    int at = words.indexOf("_Complex");
    at = at < 0 ? words.indexOf("__complex__") : at;
    if (at >= 0) {
      var part = new ArrayList<>(words);
      part.remove(at);
      return (part.isEmpty() ? Optional.<CType>of(DOUBLE) : basic(part))
          .flatMap(ComplexNumbers::type);
    }
    int longs = 0;
    int shorts = 0;
    int ints = 0;
    int signs = 0;
    int unsigneds = 0;
    String rest = "";
    for (var word : words) {
      switch (word) {
        case "long" -> longs++;
        case "short" -> shorts++;
        case "int" -> ints++;
        case "signed", "__signed__", "__signed" -> signs++;
        case "unsigned" -> unsigneds++;
        default -> {
          if (!rest.isEmpty()) {
            return Optional.empty();
          }
          rest = word;
        }
      }
    }
    boolean plain = longs + shorts + ints + signs + unsigneds == 0;
    boolean unsigned = unsigneds == 1;
    if (longs > 2 || shorts > 1 || ints > 1 || signs + unsigneds > 1 || (longs > 0 && shorts > 0)) {
      return Optional.empty();
    }
    return switch (rest) {
      case "" -> {
        if (shorts == 1) {
          yield Optional.of(
              unsigned
                  ? new IntType("unsigned short", 2, false, false)
                  : new IntType("short", 2, true, false));
        }
        yield Optional.of(
            switch (longs) {
              case 0 -> unsigned ? UNSIGNED_INT : INT;
              case 1 -> unsigned ? unsignedLongType : longType;
              default -> unsigned ? UNSIGNED_LONG_LONG : LONG_LONG;
            });
      }
      case "char" -> {
        if (longs + shorts + ints > 0) {
          yield Optional.empty();
        }
        yield Optional.of(
            unsigned
                ? new IntType("unsigned char", 1, false, true)
                : signs == 1 ? new IntType("signed char", 1, true, true) : CHAR);
      }
      case "__int128", "__int128_t", "__uint128_t" -> {
        if (longs + shorts + ints > 0) {
          yield Optional.empty();
        }
        yield Optional.of(unsigned || rest.equals("__uint128_t") ? UNSIGNED_INT128 : INT128);
      }
      case "double" -> {
        if (longs > 1 || shorts + ints + signs + unsigneds > 0) {
          yield Optional.empty();
        }
        yield Optional.of(longs == 1 ? longDouble : DOUBLE);
      }
      case "void" -> plain ? Optional.of(VoidType.VOID) : Optional.empty();
      case "_Bool" -> plain ? Optional.of(new BoolType("_Bool", 1)) : Optional.empty();
      case "float" -> plain ? Optional.of(FLOAT) : Optional.empty();
      case "_Float16" -> plain ? Optional.of(new FloatType("_Float16", 2)) : Optional.empty();
      case "_Float128", "__float128" ->
          plain ? Optional.of(new FloatType(rest, 16)) : Optional.empty();
      default -> Optional.empty();
    };
  }

  /** Whether {@code word} is a type specifier of {@link #basic}. */
  static boolean isBasicWord(String word) {
    return switch (word) {
      case "signed",
          "__signed__",
          "__signed",
          "unsigned",
          "char",
          "short",
          "int",
          "long",
          "void",
          "float",
          "double",
          "_Bool",
          "_Complex",
          "__complex__",
          "__int128",
          "__int128_t",
          "__uint128_t",
          "_Float16",
          "_Float128",
          "__float128" ->
          true;
      default -> false;
    };
  }

  /** Integer promotion: what an operand of a rank below int becomes; others stay. */
  IntType promote(CType type, Expr expression) {
    return promoted(type).orElseThrow(() -> notNumber(type, expression));
  }

  /** What an integer is in an operator; empty for other types. */
  Optional<IntType> promoted(CType type) {
    return switch (type.resolved()) {
      case IntType i -> Optional.of(i.bytes() < 4 ? INT : i);
      case EnumType e -> Optional.of(of(e.bytes(), e.signed()));
      case BoolType _ -> Optional.of(INT);
      default -> Optional.empty();
    };
  }

  static EvalException notNumber(CType type, Expr expression) {
    return new EvalException(
        expression.span(),
        "'" + type.text() + "' is not a number (column " + (expression.span().start() + 1) + ")");
  }

  private IntType of(long bytes, boolean signed) {
    if (bytes < 4) {
      return INT;
    }
    if (bytes == 4) {
      return signed ? INT : UNSIGNED_INT;
    }
    if (bytes > 8) {
      return signed ? INT128 : UNSIGNED_INT128;
    }
    if (model.longBytes() == 8) {
      return signed ? longType : unsignedLongType;
    }
    return signed ? LONG_LONG : UNSIGNED_LONG_LONG;
  }

  /**
   * The usual arithmetic conversions of two promoted operands. Of types of one size it is the one
   * of the lowest rank, as gdb has it.
   */
  IntType common(IntType a, IntType b) {
    if (a.bytes() != b.bytes()) {
      var wider = a.bytes() > b.bytes() ? a : b;
      return of(wider.bytes(), wider.signed());
    }
    return of(a.bytes(), a.signed() && b.signed());
  }

  /** The type that an operation has of which one operand at least has a fraction. */
  static FloatType common(CType a, CType b) {
    var left = a.resolved() instanceof FloatType f ? f : null;
    var right = b.resolved() instanceof FloatType f ? f : null;
    if (left == null || right == null) {
      return left == null ? right : left;
    }
    return left.bytes() >= right.bytes() ? left : right;
  }

  /** {@code bits} cut to the type's size and extended as its signedness says. */
  static long fit(long bits, long bytes, boolean signed) {
    if (bytes >= 8 || bytes <= 0) {
      return bits;
    }
    int unused = (int) (64 - bytes * 8);
    return signed ? bits << unused >> unused : bits << unused >>> unused;
  }

  static long fit(long bits, IntType type) {
    return fit(bits, type.bytes(), type.signed());
  }
}
