// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.PointerType;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Values with their types, as {@code print()} shows them: members of structures on lines of their
 * own, those whose bytes are all zero left out.
 */
final class TypedText {
  private static final int DEPTH = 16;
  private static final int ELEMENTS = 256;

  private final ByteOrder order;

  TypedText(ByteOrder order) {
    this.order = order;
  }

  String text(Shape shape, DValue value) {
    var type = shape.type();
    return switch (value) {
      case DValue.Num(long bits) when type.isPresent() ->
          "(" + type.get().text() + ")" + scalar(type.get(), bits);
      case DValue.Num(long bits) -> ValueText.digits(shape, bits);
      case DValue.Text(String bytes) -> "\"" + Formatter.escaped(bytes) + "\"";
      case DValue.Blob(byte[] bytes) when type.isPresent() -> typed(type.get(), bytes, 0, 0);
      case DValue.Blob(byte[] bytes) -> ValueText.dump(bytes, bytes.length);
      case DValue.Stack _, DValue.UserAddress _, DValue.UserStack _ ->
          throw new IllegalArgumentException("print() of a stack");
    };
  }

  private String typed(CType type, byte[] bytes, int at, int depth) {
    return "(" + type.text() + ")" + contents(type, bytes, at, depth);
  }

  private String contents(CType type, byte[] bytes, int at, int depth) {
    var inner = type.resolved();
    if (depth > DEPTH) {
      return " ...";
    }
    return switch (inner) {
      case CompositeType c -> composite(c, bytes, at, depth);
      case ArrayType a -> array(a, bytes, at, depth);
      default -> scalar(type, number(inner, bytes, at));
    };
  }

  private String composite(CompositeType type, byte[] bytes, int at, int depth) {
    var out = new StringBuilder(" {\n");
    for (var member : type.members()) {
      var line = member(member, bytes, at, depth);
      if (!line.isEmpty()) {
        out.repeat(' ', depth + 1).append(line).append(",\n");
      }
    }
    return out.repeat(' ', depth).append('}').toString();
  }

  /** Empty for a member whose bytes are all zero. */
  private String member(Member member, byte[] bytes, int base, int depth) {
    int at = base + (int) member.byteOffset();
    var name = member.name().isEmpty() ? "" : "." + member.name() + " = ";
    if (member.isBitField()) {
      long bits = bitField(member, bytes, base);
      return bits == 0 ? "" : name + "(" + member.type().text() + ")" + scalar(member.type(), bits);
    }
    return isZero(bytes, at, member.type().bytes())
        ? ""
        : name + typed(member.type(), bytes, at, depth + 1);
  }

  private static boolean isZero(byte[] bytes, int at, long count) {
    for (long i = at; i < at + count && i < bytes.length; i++) {
      if (bytes[(int) i] != 0) {
        return false;
      }
    }
    return true;
  }

  private long bitField(Member member, byte[] bytes, int base) {
    int first = (int) (member.bitOffset() % 8);
    int at = base + (int) member.byteOffset();
    int count = (first + member.bitSize() + 7) / 8;
    long raw = 0;
    for (int i = 0; i < count && at + i < bytes.length; i++) {
      long b = bytes[at + i] & 0xff;
      int shift = i * 8 - first;
      raw |= shift < 0 ? b >>> -shift : b << shift;
    }
    int unused = 64 - member.bitSize();
    return isSigned(member.type()) ? raw << unused >> unused : raw << unused >>> unused;
  }

  private static boolean isSigned(CType type) {
    return switch (type.resolved()) {
      case IntType i -> i.signed();
      case EnumType e -> e.signed();
      default -> false;
    };
  }

  private String array(ArrayType type, byte[] bytes, int at, int depth) {
    var element = type.element();
    if (element.resolved() instanceof IntType i && i.bytes() == 1 && i.character()) {
      int end = at;
      int limit = (int) Math.min(bytes.length, at + type.bytes());
      while (end < limit && bytes[end] != 0) {
        end++;
      }
      var text = new String(bytes, at, end - at, StandardCharsets.ISO_8859_1);
      return "\"" + Formatter.escaped(text) + "\"";
    }
    long size = Math.max(1, element.bytes());
    long count = Math.min(ELEMENTS, type.count().orElse(0));
    var out = new StringBuilder(" [\n");
    for (long i = 0; i < count && at + (i + 1) * size <= bytes.length; i++) {
      if (!isZero(bytes, (int) (at + i * size), size)) {
        out.repeat(' ', depth + 1)
            .append(typed(element, bytes, (int) (at + i * size), depth + 1))
            .append(",\n");
      }
    }
    return out.repeat(' ', depth).append(']').toString();
  }

  private long number(CType type, byte[] bytes, int at) {
    int size = (int) Math.min(8, type.bytes());
    long value = 0;
    for (int i = 0; i < size && at + i < bytes.length; i++) {
      int from = order == ByteOrder.LITTLE_ENDIAN ? at + size - 1 - i : at + i;
      value = value << 8 | (from < bytes.length ? bytes[from] & 0xff : 0);
    }
    int unused = 64 - size * 8;
    return isSigned(type) && size > 0 ? value << unused >> unused : value;
  }

  private static String scalar(CType type, long bits) {
    return switch (type.resolved()) {
      case EnumType e -> e.of(bits).map(EnumType.Enumerator::name).orElse(Long.toString(bits));
      case PointerType _ -> "0x" + Long.toHexString(bits);
      case BoolType _ -> bits == 0 ? "0" : "1";
      case FloatType f ->
          f.bytes() == 4
              ? Float.toString(Float.intBitsToFloat((int) bits))
              : Double.toString(Double.longBitsToDouble(bits));
      case IntType i when !i.signed() -> Long.toUnsignedString(bits);
      default -> Long.toString(bits);
    };
  }
}
