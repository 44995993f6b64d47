// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.Locale;
import java.util.stream.Collectors;

/** Writes types as C declarations. */
final class TypeText {
  private static final int DEPTH_LIMIT = 64;

  private TypeText() {}

  static String of(CType type, String name) {
    return of(type, name, 0);
  }

  private static String of(CType type, String name, int depth) {
    if (depth > DEPTH_LIMIT) {
      return join("...", name);
    }
    return switch (type) {
      case VoidType _ -> join("void", name);
      case BoolType b -> join(b.name(), name);
      case IntType i -> join(i.name(), name);
      case FloatType f -> join(f.name(), name);
      case TypedefType t -> join(t.name(), name);
      case OpaqueType o -> join(o.text(), name);
      case EnumType e -> join(tagged("enum", e.name(), e.cxx().isPresent()), name);
      case CompositeType c -> join(tagged(c.kind().keyword(), c.name(), c.isCxx()), name);
      case QualifiedType q -> {
        var word = q.qualifier().name().toLowerCase(Locale.ROOT);
        yield q.target() instanceof PointerType p
            ? pointer(p, " " + word + (name.isEmpty() ? "" : " " + name), depth)
            : isSaidByElements(q)
                ? of(q.target(), name, depth + 1)
                : word + " " + of(q.target(), name, depth + 1);
      }
      case PointerType p -> pointer(p, name, depth);
      case ArrayType a -> {
        var count = "[" + (a.count().isPresent() ? Long.toString(a.count().getAsLong()) : "") + "]";
        var gap = name.isEmpty() && !(a.element() instanceof ArrayType) ? "" : name;
        yield of(a.element(), gap + count, depth + 1);
      }
      case FunctionType f -> {
        var parameters =
            f.parameters().stream()
                .map(p -> of(p.type(), p.name(), depth + 1))
                .collect(Collectors.joining(", "));
        if (f.variadic()) {
          parameters = parameters.isEmpty() ? "..." : parameters + ", ...";
        }
        yield of(
            f.result(), name + "(" + (parameters.isEmpty() ? "void" : parameters) + ")", depth + 1);
      }
    };
  }

  /** Compilers write a constant array of constant elements; C has one word for both. */
  private static boolean isSaidByElements(QualifiedType type) {
    return type.target() instanceof ArrayType array
        && array.element() instanceof QualifiedType element
        && element.qualifier() == type.qualifier();
  }

  private static String pointer(PointerType p, String name, int depth) {
    var target = p.target();
    boolean binds = target instanceof ArrayType || target instanceof FunctionType;
    var sign = p.kind().sign();
    return of(target, binds ? "(" + sign + name + ")" : sign + name, depth + 1);
  }

  private static String tagged(String keyword, String tag, boolean bare) {
    return tag.isEmpty() ? keyword + " {...}" : bare ? tag : keyword + " " + tag;
  }

  private static String join(String base, String name) {
    return name.isEmpty() ? base : base + " " + name;
  }
}
