// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.model.type.Access;
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
import java.util.Optional;

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
    text.whole(spine, "", 0, 0);
    text.end();
    return text.lines;
  }

  /** A type without the typedefs on the way to what it is made of. */
  private static CType spine(CType type, int depth) {
    if (depth > DEPTH_LIMIT) {
      return type;
    }
    return switch (type) {
      case TypedefType t when isComplex(t.target()) -> t; // whose parts have no name together
      case TypedefType t -> t.isMemberPointer() ? t : spine(t.target(), depth + 1);
      case PointerType p -> {
        var target = spine(p.target(), depth + 1);
        yield new PointerType(p.kind(), p.bytes(), () -> target);
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

  private static boolean isComplex(CType type) {
    return type instanceof CompositeType c && c.isComplex();
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
  private void whole(CType type, String name, int indent, long start) {
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
      case CompositeType c -> composite(c, indent, start);
      case EnumType e -> enumeration(e);
      default -> line.append(brief);
    }
    line.append(text.substring(at + brief.length()));
  }

  private void enumeration(EnumType type) {
    var cxx = type.cxx();
    boolean isClass = cxx.map(EnumType.Cxx::isClass).orElse(false);
    line.append(isClass ? "enum class " : "enum ");
    line.append(type.name().isEmpty() ? "" : type.name() + " ");
    line.append(
        cxx.map(EnumType.Cxx::underlying)
            .filter(u -> !u.isEmpty())
            .map(u -> ": " + u + " ")
            .orElse(""));
    line.append('{');
    long expected = 0;
    var separator = "";
    for (var item : type.enumerators()) {
      line.append(separator).append(type.text(item));
      if (item.value() != expected) {
        line.append(" = ").append(item.value());
      }
      expected = item.value() + 1;
      separator = ", ";
    }
    line.append('}');
  }

  private void composite(CompositeType type, int indent, long start) {
    line.append(type.kind().keyword()).append(' ');
    line.append(type.name().isEmpty() ? "" : type.name() + " ");
    line.append(bases(type)).append('{');
    end();
    boolean union = type.kind() == CompositeType.Kind.UNION;
    long reached = 0;
    boolean labels = type.isCxx() && needsLabels(type);
    section = Optional.empty();
    int fields = 0;
    for (var member : type.members()) {
      if (lines.size() > LINE_LIMIT) {
        break;
      }
      if (member.isBase() || isHidden(member, type)) {
        continue;
      }
      statics(type, fields++, indent, labels);
      if (labels) {
        label(member.access(), indent);
      }
      if (offsets && !union) {
        hole(reached, member.bitOffset(), member);
        reached = member.bitOffset() + bits(member);
      }
      member(member, indent, start, union);
    }
    statics(type, fields, indent, labels);
    boolean empty = fields == 0 && type.statics().isEmpty();
    if (!offsets) {
      methods(type, indent);
      empty &= type.methods().isEmpty();
    }
    if (empty) {
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

  /** The access of what stands in the lines last written; empty before the first label. */
  private Optional<Access> section = Optional.empty();

  /** {@code : public Base, public virtual Other }, as a class's head has it. */
  private static String bases(CompositeType type) {
    if (!type.isCxx()) {
      return "";
    }
    var all = new ArrayList<String>();
    for (var member : type.members()) {
      if (member.isBase()) {
        all.add(member.access().keyword() + " " + member.type().text());
      }
    }
    for (var base : type.virtualBases()) {
      all.add(base.access().keyword() + " virtual " + base.type().text());
    }
    return all.isEmpty() ? "" : ": " + String.join(", ", all) + " ";
  }

  /** The pointer to the table of virtual functions, which no source declares. */
  private static boolean isHidden(Member member, CompositeType type) {
    return type.isCxx() && member.name().startsWith("_vptr");
  }

  /** gdb shows labels in classes, and in structures of which not all is public. */
  private static boolean needsLabels(CompositeType type) {
    return type.kind() == CompositeType.Kind.CLASS
        ? type.members().stream().anyMatch(m -> !m.isBase() && m.access() != Access.PRIVATE)
            || type.methods().stream().anyMatch(m -> m.access() != Access.PRIVATE)
            || type.statics().stream().anyMatch(m -> m.access() != Access.PRIVATE)
        : type.members().stream().anyMatch(m -> !m.isBase() && m.access() != Access.PUBLIC)
            || type.members().stream().anyMatch(m -> isHidden(m, type))
            || type.methods().stream().anyMatch(m -> m.access() != Access.PUBLIC)
            || type.statics().stream().anyMatch(m -> m.access() != Access.PUBLIC);
  }

  private void label(Access access, int indent) {
    if (section.equals(Optional.of(access))) {
      return;
    }
    section = Optional.of(access);
    margin();
    blanks(indent + 2);
    line.append(access.keyword()).append(':');
    end();
  }

  private void statics(CompositeType type, int before, int indent, boolean labels) {
    for (var member : type.statics()) {
      if (member.before() == before && lines.size() <= LINE_LIMIT) {
        if (labels) {
          label(member.access(), indent);
        }
        margin();
        blanks(indent + 4);
        line.append("static ").append(member.type().declare(member.name())).append(';');
        end();
      }
    }
  }

  private void methods(CompositeType type, int indent) {
    if (type.methods().isEmpty()) {
      return;
    }
    if (section.isPresent()) {
      end();
    }
    var brief = type.name();
    int open = brief.indexOf('<');
    brief = open < 0 ? brief : brief.substring(0, open);
    brief = brief.substring(brief.lastIndexOf(':') + 1);
    for (var method : type.methods()) {
      if (lines.size() > LINE_LIMIT) {
        return;
      }
      label(method.access(), indent);
      blanks(indent + 4);
      line.append(method.isStatic() ? "static " : method.isVirtual() ? "virtual " : "");
      var parameters = new ArrayList<>(method.type().parameters());
      boolean constant = false;
      if (!method.isStatic() && !parameters.isEmpty()) {
        constant =
            parameters.removeFirst().type().resolved() instanceof PointerType self
                && self.target() instanceof QualifiedType q
                && q.qualifier() == QualifiedType.Qualifier.CONST;
      }
      var list = new ArrayList<String>();
      boolean destructor = method.name().startsWith("~"); // its parameters are the compiler's
      if (!destructor) {
        parameters.forEach(p -> list.add(p.type().text()));
      }
      if (method.type().variadic()) {
        list.add("...");
      }
      var head = method.name() + "(" + (list.isEmpty() ? "void" : String.join(", ", list)) + ")";
      boolean maker = method.name().equals(brief) || destructor || isConversion(method);
      line.append(maker ? head : method.type().result().declare("") + " " + head);
      line.append(constant ? " const;" : ";");
      end();
    }
  }

  /** Whether it is an {@code operator TYPE}, whose name tells what it returns. */
  private static boolean isConversion(CompositeType.Method method) {
    return method.name().startsWith("operator ")
        && !method.name().matches("operator (new|delete|co_await)\\b.*");
  }

  private void member(Member member, int indent, long start, boolean union) {
    if (offsets) {
      offset(member, start, union);
    }
    blanks(indent + 4);
    if (indent < 4 * DEPTH_LIMIT && isShown(member.type())) {
      whole(member.type(), member.name(), indent + 4, start + member.byteOffset());
    } else {
      line.append(member.type().declare(member.name()));
    }
    if (member.isBitField()) {
      line.append(" : ").append(member.bitSize());
    }
    line.append(';');
    end();
  }

  /** Whether a member's own members are shown: where it has no name, and with their offsets. */
  private boolean isShown(CType type) {
    var plain = type instanceof QualifiedType q ? q.target() : type;
    return isAnonymous(base(type)) || (offsets && plain instanceof CompositeType);
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

  /** As gdb, not before the first member, where base classes and the table's pointer are. */
  private void hole(long reached, long next, Member member) {
    if (reached == 0 || next <= reached) {
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
    if (reached == 0 || end <= reached) {
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
