// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.FathomException;
import dev.fathom.base.Span;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Parses declarations (C11 section 6.7, with gcc's attributes): structures, unions, enumerations,
 * typedefs, variables and functions. Bodies of functions and initial values are skipped.
 */
final class CTextParser extends Parser {
  private static final int MEMBER_LIMIT = 100_000;
  private static final int ENUMERATOR_LIMIT = 1_000_000;

  private final CTextTypes into;
  private final DataModel model;
  private long pack;
  private final List<Long> packs = new ArrayList<>();

  CTextParser(List<Token> tokens, CTextTypes into, DataModel model) {
    super(tokens, into.program(), new CTypes(model), Hooks.NONE);
    this.into = into;
    this.model = model;
  }

  void read() {
    while (!atEnd()) {
      declaration();
    }
  }

  /** As {@link #read()}, but goes on behind a declaration that is wrong, and tells of it. */
  void read(CTextTypes.Skipped skipped) {
    while (!atEnd()) {
      int start = mark();
      try {
        declaration();
      } catch (FathomException e) {
        restart();
        back(start);
        var from = peek().span();
        var to = skipDeclaration(skipped);
        skipped.text(e, from.start(), to.end());
      }
    }
  }

  /** Reads one; nothing of it counts where it is wrong. */
  private void declaration() {
    boolean complete = false;
    try {
      external();
      complete = true;
    } finally {
      if (complete) {
        into.commit();
      } else {
        into.rollBack();
      }
    }
  }

  /**
   * Goes behind the declaration that is next: its semicolon, or the braces that are neither those
   * of a structure, union or enumeration nor an initial value, but a function's body. Where its
   * brackets are not closed it ends before the next declaration that begins a line.
   *
   * @return the last token of it
   */
  private Span skipDeclaration(CTextTypes.Skipped skipped) {
    int start = mark();
    int depth = 0;
    boolean tagged = false;
    boolean value = false;
    boolean body = false;
    while (!atEnd()) {
      if (depth == 0) {
        body |= peek().is("{") && !tagged && !value;
        tagged = (tagged || isTag(peek())) && !(peek().is("(") && !isOfAttribute(peek(-1)));
        value = (value || peek().is("=")) && !peek().is(",");
      }
      var token = take();
      depth += token.is("{") || token.is("(") || token.is("[") ? 1 : 0;
      depth -= token.is("}") || token.is(")") || token.is("]") ? 1 : 0;
      boolean ends = depth == 0 && (token.is(";") || (body && token.is("}")));
      if (ends || depth < 0) {
        return token.span();
      }
    }
    return depth > 0 ? skipUnclosed(start, skipped) : peek().span();
  }

  private static boolean isTag(Token token) {
    return token.kind() == Token.Kind.NAME
        && switch (token.text()) {
          case "struct", "union", "enum", "class" -> true;
          default -> false;
        };
  }

  /** Whether parentheses behind a word are its own, and no function's parameters. */
  private static boolean isOfAttribute(Token token) {
    return token.kind() == Token.Kind.NAME
        && switch (token.text()) {
          case "__attribute__", "__attribute", "_Alignas", "alignas", "__declspec" -> true;
          default -> false;
        };
  }

  private Span skipUnclosed(int start, CTextTypes.Skipped skipped) {
    back(start);
    var last = take();
    while (!atEnd() && !(peek().beginsDeclaration() && skipped.beginsLine(peek().span().start()))) {
      last = take();
    }
    return last.span();
  }

  private void external() {
    if (skip(";") || assertion() || packing()) {
      return;
    }
    if (peek().isName("extern") && peek(1).kind() == Token.Kind.STRING && peek(2).is("{")) {
      take();
      take();
      take();
      return;
    }
    if (peek().is("}")) {
      // The end of extern "C" { ... }.
      take();
      return;
    }
    var specifiers = specifiers();
    if (skip(";")) {
      return;
    }
    do {
      var declared = declarator(specifiers);
      declare(specifiers, declared);
      if (peek().is("{")) {
        take();
        skipTo("}");
        return;
      }
      if (skip("=")) {
        initializer();
      }
    } while (skip(","));
    expect(";");
  }

  private void initializer() {
    int depth = 0;
    while (!atEnd()) {
      var token = peek();
      if (depth == 0 && (token.is(",") || token.is(";"))) {
        return;
      }
      depth += token.is("{") || token.is("(") || token.is("[") ? 1 : 0;
      depth -= token.is("}") || token.is(")") || token.is("]") ? 1 : 0;
      take();
    }
  }

  private boolean assertion() {
    if (!peek().isName("_Static_assert") && !peek().isName("static_assert")) {
      return false;
    }
    take();
    expect("(");
    skipTo(")");
    skip(";");
    return true;
  }

  /** {@code #pragma pack([push,] [n])}, {@code #pragma pack(pop)}. */
  private boolean packing() {
    if (!peek().isName(Preprocessor.PACK)) {
      return false;
    }
    take();
    expect("(");
    if (peek().isName("push")) {
      take();
      packs.add(pack);
      skip(",");
    } else if (peek().isName("pop")) {
      take();
      pack = packs.isEmpty() ? 0 : packs.removeLast();
      skipTo(")");
      skip(";");
      return true;
    } else if (peek().is(")")) {
      pack = 0;
    }
    if (!peek().is(")")) {
      pack = constant();
    }
    expect(")");
    skip(";");
    return true;
  }

  private void declare(Specifiers specifiers, Declared declared) {
    if (declared.name().isEmpty()) {
      throw wrong(declared.span(), "a declaration without a name");
    }
    if (specifiers.storage().equals("typedef")) {
      var name = TypeName.plain(declared.name());
      var type = new TypedefType(declared.name(), declared.type());
      var align = declared.attributes().align();
      if (align > 0) {
        into.alignments().put(type, align);
      }
      into.define(name, type);
    } else {
      into.variable(declared.name(), declared.type().get());
    }
  }

  // ---- names

  @Override
  boolean isTypeName(String name) {
    return into.known(TypeName.plain(name)).isPresent();
  }

  @Override
  Supplier<CType> typeNamed(Token name) {
    var found = into.known(TypeName.plain(name.text())).orElseThrow();
    return () -> found;
  }

  @Override
  long constant() {
    return new Constants(
            this::alignOf,
            into.program(),
            name -> {
              var value = into.enumeratorValue(name);
              return value.isPresent() ? OptionalLong.of(value.get()) : OptionalLong.empty();
            })
        .value(conditional());
  }

  @Override
  Supplier<CType> typeOfExpression() {
    throw wrong(peek().span(), "typeof of an expression is not known here");
  }

  @Override
  long alignOf(CType type) {
    var own = into.alignments().get(type);
    if (own != null) {
      return own;
    }
    return switch (type) {
      case TypedefType t -> alignOf(t.target());
      case QualifiedType q -> alignOf(q.target());
      case ArrayType a -> alignOf(a.element());
      default -> Alignment.of(type, model);
    };
  }

  // ---- tags

  @Override
  Supplier<CType> tagged(Attributes attributes) {
    var keyword = take();
    var own = new Attributes();
    while (attribute(own)) {}
    String tag = "";
    var span = keyword.span();
    if (peek().kind() == Token.Kind.NAME) {
      span = peek().span();
      tag = take().text();
    }
    while (attribute(own)) {}
    var kind =
        switch (keyword.text()) {
          case "union" -> TypeName.Kind.UNION;
          case "enum" -> TypeName.Kind.ENUM;
          default -> TypeName.Kind.STRUCT;
        };
    if (peek().is("{")) {
      var type = kind == TypeName.Kind.ENUM ? enumeration(tag, own) : composite(kind, tag, own);
      if (!tag.isEmpty()) {
        define(new TypeName(kind, tag), type, span);
      }
      return () -> type;
    }
    if (tag.isEmpty()) {
      throw unexpected("a tag or '{'");
    }
    var name = new TypeName(kind, tag);
    var known = into.known(name).filter(t -> !(t instanceof OpaqueType));
    if (known.isPresent()) {
      var type = known.get();
      return () -> type;
    }
    CType declared = new OpaqueType(keyword.text() + " " + tag);
    return lazily(() -> into.known(name), declared);
  }

  private void define(TypeName name, CType type, Span span) {
    if (into.define(name, type).filter(old -> old.bytes() != type.bytes()).isPresent()) {
      throw wrong(span, "'" + name + "' is defined twice, and differently");
    }
  }

  private CType enumeration(String tag, Attributes own) {
    expect("{");
    var items = new ArrayList<EnumType.Enumerator>();
    long next = 0;
    long least = 0;
    long most = 0;
    while (!peek().is("}")) {
      var name = take();
      if (name.kind() != Token.Kind.NAME) {
        back(mark() - 1);
        throw unexpected("the name of an enumerator");
      }
      while (attribute(new Attributes())) {}
      if (skip("=")) {
        next = constant();
      }
      if (items.size() >= ENUMERATOR_LIMIT) {
        throw wrong(name.span(), "more than " + ENUMERATOR_LIMIT + " enumerators");
      }
      var item = new EnumType.Enumerator(name.text(), next);
      items.add(item);
      // Those that follow may use it.
      into.enumerator(name.text(), new EnumType(tag, 8, true, List.of(item)));
      least = Math.min(least, next);
      most = Math.max(most, next);
      next++;
      if (!skip(",")) {
        break;
      }
    }
    expect("}");
    while (attribute(own)) {}
    boolean signed = least < 0;
    long bytes = own.packed() ? 1 : 4;
    while (bytes < 8 && !fits(least, most, bytes * 8, signed)) {
      bytes *= 2;
    }
    var type = new EnumType(tag, bytes, signed, items);
    items.forEach(item -> into.enumerator(item.name(), type));
    return type;
  }

  private static boolean fits(long least, long most, long bits, boolean signed) {
    return signed
        ? least >= -1L << (bits - 1) && most <= (1L << (bits - 1)) - 1
        : most <= (1L << bits) - 1;
  }

  // ---- structures

  private CType composite(TypeName.Kind kind, String tag, Attributes own) {
    enter();
    expect("{");
    var fields = new ArrayList<Field>();
    while (!peek().is("}")) {
      if (atEnd()) {
        throw unexpected("'}'");
      }
      if (!skip(";") && !assertion() && !packing()) {
        fields(fields);
      }
    }
    expect("}");
    while (attribute(own)) {}
    leave();
    boolean union = kind == TypeName.Kind.UNION;
    var layout = new StructLayout(union, own.packed(), pack);
    var members = new ArrayList<Member>(fields.size());
    for (var field : fields) {
      place(layout, field, members);
    }
    long align = Math.max(layout.align(), own.align());
    var type =
        new CompositeType(
            union ? CompositeType.Kind.UNION : CompositeType.Kind.STRUCT,
            tag,
            layout.bytes(align),
            () -> members);
    into.alignments().put(type, align);
    return type;
  }

  /** A member as it is declared; {@code bits} is absent where it is no bit-field. */
  private record Field(
      String name, Span span, CType type, OptionalLong bits, Attributes attributes) {}

  private void fields(Collection<Field> into) {
    var specifiers = specifiers();
    if (peek().is(";")) {
      take();
      var type = specifiers.type().get();
      // C11 6.7.2.1: a structure without declarator is an anonymous member; a tag only declares,
      // but for the compilers that allow it.
      if (type.resolved() instanceof CompositeType c && c.name().isEmpty()) {
        into.add(
            new Field("", specifiers.span(), type, OptionalLong.empty(), specifiers.attributes()));
      }
      return;
    }
    do {
      if (into.size() >= MEMBER_LIMIT) {
        throw wrong(peek().span(), "more than " + MEMBER_LIMIT + " members");
      }
      if (peek().is(":")) {
        var span = take().span();
        var attributes = new Attributes();
        attributes.add(specifiers.attributes());
        into.add(
            new Field("", span, specifiers.type().get(), OptionalLong.of(constant()), attributes));
      } else {
        var declared = declarator(specifiers);
        var bits = OptionalLong.empty();
        if (skip(":")) {
          bits = OptionalLong.of(constant());
          while (attribute(declared.attributes())) {}
        }
        into.add(
            new Field(
                declared.name(),
                declared.span(),
                declared.type().get(),
                bits,
                declared.attributes()));
      }
    } while (skip(","));
    expect(";");
  }

  private void place(StructLayout layout, Field field, Collection<Member> members) {
    var type = field.type();
    var resolved = type.resolved();
    if (resolved instanceof OpaqueType
        || resolved instanceof FunctionType
        || resolved instanceof VoidType) {
      throw wrong(
          field.span(),
          "member '" + field.name() + "' has the incomplete type '" + type.text() + "'");
    }
    if (type.bytes() == Long.MAX_VALUE || type.bytes() > 1L << 48) {
      throw wrong(field.span(), "member '" + field.name() + "' is too large");
    }
    long align = alignOf(type);
    if (field.bits().isPresent()) {
      long bits = field.bits().getAsLong();
      if (bits < 0 || bits > type.bytes() * 8 || bits > 64) {
        throw wrong(field.span(), "a bit-field of " + bits + " bits in '" + type.text() + "'");
      }
      if (bits == 0 && !field.name().isEmpty()) {
        throw wrong(field.span(), "a bit-field of no bits has no name");
      }
      long at =
          layout.bitField(type.bytes(), align, bits, !field.name().isEmpty(), field.attributes());
      if (!field.name().isEmpty()) {
        members.add(new Member(field.name(), type, at, (int) bits));
      }
      return;
    }
    long at = layout.member(type.bytes(), align, field.attributes());
    members.add(new Member(field.name(), type, at, 0));
  }
}
