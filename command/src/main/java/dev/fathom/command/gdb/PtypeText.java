// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypedefType;
import java.util.ArrayList;
import java.util.List;

/** Definitions of types laid out as gdb's {@code ptype} and {@code ptype/o} have them. */
final class PtypeText {
  private static final int DEPTH_LIMIT = 32;
  private static final int LINE_LIMIT = 100_000;

  /** The width of gdb's comment with offset and size. */
  private static final int MARGIN = 27;

  private final boolean offsets;
  private final List<String> lines = new ArrayList<>();
  private final StringBuilder line = new StringBuilder();

  private PtypeText(boolean offsets) {
    this.offsets = offsets;
  }

  /** The lines that show a type, the first with {@code type = } in front. */
  static List<String> of(CType type, boolean offsets) {
    var spine = spine(type, 0);
    var base = base(spine);
    boolean composite = base instanceof CompositeType;
    var text = new PtypeText(offsets && composite);
    if (text.offsets) {
      text.line.append("/* offset      |    size */  ");
    }
    text.line.append("type = ");
    text.whole(spine, "", 0, 0, false);
    text.end();
    return text.lines;
  }

  /** A type without the typedefs on the way to what it is made of. */
  private static CType spine(CType type, int depth) {
    if (depth > DEPTH_LIMIT) {
      return type;
    }
    return switch (type) {
      case TypedefType t -> spine(t.resolved(), depth + 1);
      case PointerType p -> {
        var target = spine(p.target(), depth + 1);
        yield new PointerType(p.bytes(), () -> target);
      }
      case ArrayType a -> {
        var element = spine(a.element(), depth + 1);
        yield new ArrayType(() -> element, a.count());
      }
      case FunctionType f -> {
        var result = spine(f.result(), depth + 1);
        yield new FunctionType(() -> result, f::parameters, f.variadic());
      }
      case QualifiedType q -> {
        var target = spine(q.target(), depth + 1);
        yield new QualifiedType(q.qualifier(), () -> target);
      }
      default -> type;
    };
  }

  private static CType base(CType type) {
    var at = type;
    for (int depth = 0; depth < DEPTH_LIMIT; depth++) {
      switch (at) {
        case PointerType p -> at = p.target();
        case ArrayType a -> at = a.element();
        case FunctionType f -> at = f.result();
        case QualifiedType q -> at = q.target();
        default -> {
          return at;
        }
      }
    }
    return at;
  }

  /** A declaration of {@code name} with the definition of what its type is made of. */
  private void whole(CType type, String name, int indent, long start, boolean union) {
    var base = base(type);
    var text = type.declare(name);
    var brief = base.text();
    int at = text.indexOf(brief);
    if (at < 0 || !(base instanceof CompositeType || base instanceof EnumType)) {
      line.append(text);
      return;
    }
    line.append(text, 0, at);
    switch (base) {
      case CompositeType c -> composite(c, indent, start, union);
      case EnumType e -> enumeration(e);
      default -> line.append(brief);
    }
    line.append(text.substring(at + brief.length()));
  }

  private void enumeration(EnumType type) {
    line.append("enum ").append(type.name().isEmpty() ? "" : type.name() + " ").append('{');
    long expected = 0;
    var separator = "";
    for (var item : type.enumerators()) {
      line.append(separator).append(item.name());
      if (item.value() != expected) {
        line.append(" = ").append(item.value());
      }
      expected = item.value() + 1;
      separator = ", ";
    }
    line.append('}');
  }

  private void composite(CompositeType type, int indent, long start, boolean inUnion) {
    line.append(type.kind().keyword()).append(' ');
    line.append(type.name().isEmpty() ? "" : type.name() + " ").append('{');
    end();
    boolean union = type.kind() == CompositeType.Kind.UNION;
    long reached = 0;
    for (var member : type.members()) {
      if (lines.size() > LINE_LIMIT) {
        break;
      }
      if (offsets && !union) {
        hole(reached, member.bitOffset(), member);
        reached = member.bitOffset() + bits(member);
      }
      member(member, indent, start, union || inUnion);
    }
    if (type.members().isEmpty()) {
      margin();
      blanks(indent + 4);
      line.append("<no data fields>");
      end();
    }
    if (offsets) {
      if (!union) {
        padding(reached, type.bytes() * 8);
      }
      end();
      margin();
      blanks(indent + 4);
      line.append("/* total size (bytes): ").append(pad(type.bytes(), 4)).append(" */");
      end();
      margin();
    }
    // gdb moves the last brace two columns to the right.
    blanks(offsets && indent == 0 ? 2 : indent);
    line.append('}');
  }

  private void member(Member member, int indent, long start, boolean union) {
    if (offsets) {
      offset(member, start, union);
    }
    blanks(indent + 4);
    if (isAnonymous(base(member.type()))) {
      whole(member.type(), member.name(), indent + 4, start + member.byteOffset(), union);
    } else {
      line.append(member.type().declare(member.name()));
    }
    if (member.isBitField()) {
      line.append(" : ").append(member.bitSize());
    }
    line.append(';');
    end();
  }

  private static boolean isAnonymous(CType type) {
    return switch (type) {
      case CompositeType c -> c.name().isEmpty();
      case EnumType e -> e.name().isEmpty();
      default -> false;
    };
  }

  private void offset(Member member, long start, boolean union) {
    long bytes = member.type().bytes();
    if (union) {
      line.append("/*                ").append(pad(bytes, 6)).append(" */");
    } else if (member.isBitField()) {
      long unit = Math.max(1, bytes) * 8;
      long at = start * 8 + member.bitOffset();
      long first = at / unit * unit;
      line.append("/* ").append(pad(first / 8, 6)).append(':').append(pad(at - first, 2));
      line.append("   |  ").append(pad(bytes, 6)).append(" */");
    } else {
      line.append("/* ").append(pad(start + member.byteOffset(), 6));
      line.append("      |  ").append(pad(bytes, 6)).append(" */");
    }
  }

  private static long bits(Member member) {
    return member.isBitField() ? member.bitSize() : member.type().bytes() * 8;
  }

  private void hole(long reached, long next, Member member) {
    if (next <= reached) {
      return;
    }
    long bytes = next / 8 - (reached + 7) / 8;
    long bits = next - reached - Math.max(0, bytes) * 8;
    if (bits > 0 && (!member.isBitField() || bytes > 0 || bits < 8)) {
      line.append("/* XXX ").append(pad(bits, 2)).append("-bit hole       */");
      end();
    }
    if (bytes > 0) {
      line.append("/* XXX ").append(pad(bytes, 2)).append("-byte hole      */");
      end();
    }
  }

  private void padding(long reached, long end) {
    if (end <= reached) {
      return;
    }
    long bits = (8 - reached % 8) % 8;
    long bytes = (end - reached - bits) / 8;
    if (bits > 0) {
      line.append("/* XXX ").append(pad(bits, 2)).append("-bit padding    */");
      end();
    }
    if (bytes > 0) {
      line.append("/* XXX ").append(pad(bytes, 2)).append("-byte padding   */");
      end();
    }
  }

  private void margin() {
    if (offsets) {
      blanks(MARGIN);
    }
  }

  private void blanks(int count) {
    line.append(" ".repeat(count));
  }

  private static String pad(long number, int width) {
    var text = Long.toString(number);
    return " ".repeat(Math.max(0, width - text.length())) + text;
  }

  private void end() {
    lines.add(line.toString());
    line.setLength(0);
  }
}
