// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.Span;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.QualifiedType.Qualifier;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Parses specifiers and declarators (C11 sections 6.7.2, 6.7.6 and 6.7.7) with gcc's attributes.
 * Types are suppliers, since a tag may be defined after it is used; a supplier is asked when the
 * type is needed.
 */
abstract class TypeParser extends Cursor {
  /** What gcc's attributes and {@code _Alignas} say of a declaration. */
  static final class Attributes {
    private boolean packed;
    private long align;

    boolean packed() {
      return packed;
    }

    /** The alignment asked for; 0 for none. */
    long align() {
      return align;
    }

    void packed(boolean on) {
      packed |= on;
    }

    void align(long bytes) {
      align = Math.max(align, bytes);
    }

    void add(Attributes other) {
      packed(other.packed);
      align(other.align);
    }
  }

  /**
   * What stands in front of declarators.
   *
   * @param storage {@code typedef}, {@code extern}, {@code static}; empty without one
   */
  record Specifiers(Supplier<CType> type, String storage, Attributes attributes, Span span) {}

  /** A declarator applied to its specifiers; {@code name} is empty in a type name. */
  record Declared(String name, Span span, Supplier<CType> type, Attributes attributes) {}

  private record Pointer(PointerType.Kind kind, Set<Qualifier> qualifiers) {}

  private record Declarator(String name, Span span, UnaryOperator<Supplier<CType>> wrap) {}

  private static final int PARAMETER_LIMIT = 1000;

  private final CTypes types;

  TypeParser(List<Token> tokens, CTypes types) {
    super(tokens);
    this.types = types;
  }

  final CTypes types() {
    return types;
  }

  /** Whether a name that is no keyword names a type. */
  abstract boolean isTypeName(String name);

  /** Whether a name that is no keyword, or several joined by {@code ::}, names a type here. */
  boolean atTypeName() {
    return isTypeName(peek().text());
  }

  /** The type at which {@link #atTypeName} holds; takes its tokens. */
  Supplier<CType> takeTypeName() {
    return typeNamed(take());
  }

  /** The type of a name for which {@link #isTypeName} holds. */
  abstract Supplier<CType> typeNamed(Token name);

  /** {@code struct tag} and the like, with the keyword next; also reads a definition. */
  abstract Supplier<CType> tagged(Attributes attributes);

  /** The value of a constant expression. */
  abstract long constant();

  /** The type of the expression in {@code typeof(expression)}. */
  abstract Supplier<CType> typeOfExpression();

  /** Whether the next token begins a type name. */
  final boolean atType() {
    return (peek().kind() == Token.Kind.NAME || peek().is("::"))
        && (isSpecifier(peek().text()) || atTypeName());
  }

  static boolean isSpecifier(String word) {
    return switch (word) {
      case "struct",
          "union",
          "enum",
          "class",
          "const",
          "__const",
          "volatile",
          "__volatile__",
          "typeof",
          "__typeof__",
          "__typeof",
          "_Atomic",
          "__extension__" ->
          true;
      default -> CTypes.isBasicWord(word);
    };
  }

  /** A type name: specifiers and a declarator without a name. */
  final Supplier<CType> typeName() {
    var specifiers = specifiers();
    var declared = declarator(specifiers);
    if (!declared.name().isEmpty()) {
      throw wrong(declared.span(), "a type name does not declare '" + declared.name() + "'");
    }
    return declared.type();
  }

  final Specifiers specifiers() {
    var start = peek().span();
    var words = new ArrayList<String>();
    var qualifiers = EnumSet.noneOf(Qualifier.class);
    var attributes = new Attributes();
    Supplier<CType> type = null;
    String storage = "";
    while (peek().kind() == Token.Kind.NAME || (peek().is("::") && type == null)) {
      var word = peek().text();
      if (qualifier(qualifiers) || attribute(attributes)) {
        continue;
      }
      switch (word) {
        case "typedef", "extern", "static" -> storage = take().text();
        case "register",
            "auto",
            "inline",
            "__inline",
            "__inline__",
            "_Noreturn",
            "_Thread_local",
            "__thread",
            "__extension__" ->
            take();
        case "struct", "union", "enum", "class" -> {
          only(type == null && words.isEmpty(), start);
          type = tagged(attributes);
        }
        case "typeof", "__typeof__", "__typeof" -> {
          only(type == null && words.isEmpty(), start);
          take();
          expect("(");
          type = atType() ? typeName() : typeOfExpression();
          expect(")");
        }
        default -> {
          if (CTypes.isBasicWord(word)) {
            only(type == null, start);
            words.add(take().text());
          } else if (type == null && words.isEmpty() && atTypeName()) {
            type = takeTypeName();
          } else {
            return new Specifiers(
                qualified(finished(type, words, start), qualifiers), storage, attributes, start);
          }
        }
      }
    }
    return new Specifiers(
        qualified(finished(type, words, start), qualifiers), storage, attributes, start);
  }

  private static void only(boolean first, Span span) {
    if (!first) {
      throw wrong(span, "two types in one type name");
    }
  }

  private Supplier<CType> finished(Supplier<CType> type, List<String> words, Span start) {
    if (type != null) {
      return type;
    }
    if (words.isEmpty()) {
      throw unexpected("a type name");
    }
    CType basic =
        types.basic(words).orElseThrow(() -> wrong(start, "no such combination of type words"));
    return () -> basic;
  }

  private boolean qualifier(Set<Qualifier> found) {
    var qualifier =
        switch (peek().text()) {
          case "const", "__const", "__const__" -> Qualifier.CONST;
          case "volatile", "__volatile", "__volatile__" -> Qualifier.VOLATILE;
          case "restrict", "__restrict", "__restrict__" -> Qualifier.RESTRICT;
          case "_Atomic" -> Qualifier.ATOMIC;
          default -> null;
        };
    if (qualifier == null || peek().kind() != Token.Kind.NAME) {
      return false;
    }
    take();
    found.add(qualifier);
    return true;
  }

  private static Supplier<CType> qualified(Supplier<CType> type, Set<Qualifier> qualifiers) {
    var result = type;
    for (var qualifier : qualifiers) {
      var inner = result;
      var made = new QualifiedType(qualifier, inner);
      result = () -> made;
    }
    return result;
  }

  /**
   * Reads {@code __attribute__((...))}, {@code _Alignas(...)} or {@code asm(...)}, if it is next.
   */
  final boolean attribute(Attributes into) {
    switch (peek().kind() == Token.Kind.NAME ? peek().text() : "") {
      case "__attribute__", "__attribute" -> {
        take();
        expect("(");
        expect("(");
        while (!peek().is(")")) {
          if (atEnd()) {
            throw unexpected("')'");
          }
          oneAttribute(into);
        }
        expect(")");
        expect(")");
        return true;
      }
      case "_Alignas", "alignas" -> {
        take();
        expect("(");
        into.align(atType() ? alignOf(typeName().get()) : alignment());
        expect(")");
        return true;
      }
      case "__asm__", "asm", "__asm" -> {
        take();
        expect("(");
        skipTo(")");
        return true;
      }
      default -> {
        return false;
      }
    }
  }

  private void oneAttribute(Attributes into) {
    if (skip(",")) {
      return;
    }
    var name = take();
    switch (name.text()) {
      case "packed", "__packed__" -> into.packed(true);
      case "aligned", "__aligned__" -> {
        if (skip("(")) {
          into.align(alignment());
          expect(")");
        } else {
          into.align(16);
        }
      }
      default -> {
        if (skip("(")) {
          skipTo(")");
        }
      }
    }
  }

  private long alignment() {
    var span = peek().span();
    long value = constant();
    if (value != 0 && (Long.bitCount(value) != 1 || value < 0 || value > 1 << 28)) {
      throw wrong(span, value + " is not an alignment: a power of two is needed");
    }
    return value;
  }

  /** The alignment of a type in bytes. */
  abstract long alignOf(CType type);

  /** Skips to behind {@code close}, over balanced brackets. */
  final void skipTo(String close) {
    int depth = 0;
    while (!atEnd()) {
      var token = take();
      if (depth == 0 && token.is(close)) {
        return;
      }
      if (token.is("(") || token.is("[") || token.is("{")) {
        depth++;
      } else if (token.is(")") || token.is("]") || token.is("}")) {
        depth--;
      }
    }
    throw unexpected("'" + close + "'");
  }

  /** Reads a declarator, perhaps without a name, and what attributes follow it. */
  final Declared declarator(Specifiers specifiers) {
    var attributes = new Attributes();
    attributes.add(specifiers.attributes());
    var declarator = declarator(attributes);
    while (attribute(attributes)) {}
    return new Declared(
        declarator.name(),
        declarator.span(),
        declarator.wrap().apply(specifiers.type()),
        attributes);
  }

  private Declarator declarator(Attributes attributes) {
    enter();
    var pointers = new ArrayList<Pointer>();
    while (attribute(attributes)) {}
    while (peek().is("*") || isReference()) {
      var kind =
          switch (take().text()) {
            case "&" -> PointerType.Kind.REFERENCE;
            case "&&" -> PointerType.Kind.RVALUE_REFERENCE;
            default -> PointerType.Kind.POINTER;
          };
      var qualifiers = EnumSet.noneOf(Qualifier.class);
      while (qualifier(qualifiers) || attribute(attributes)) {}
      pointers.add(new Pointer(kind, qualifiers));
    }
    UnaryOperator<Supplier<CType>> inner = UnaryOperator.identity();
    String name = "";
    var span = peek().span();
    if (peek().is("(") && beginsDeclarator()) {
      take();
      var nested = declarator(attributes);
      expect(")");
      inner = nested.wrap();
      name = nested.name();
      span = nested.span();
    } else if (peek().kind() == Token.Kind.NAME && !isReserved(peek().text())) {
      name = take().text();
    }
    var suffix = suffixes();
    leave();
    var wrapInner = inner;
    return new Declarator(
        name,
        span,
        base -> {
          var type = base;
          for (var each : pointers) {
            var target = type;
            var pointer = new PointerType(each.kind(), types.model().wordBytes(), target);
            type = qualified(() -> pointer, each.qualifiers());
          }
          return wrapInner.apply(suffix.apply(type));
        });
  }

  /** Whether a reference of C++ is next. */
  boolean isReference() {
    return false;
  }

  private static boolean isReserved(String word) {
    return isSpecifier(word);
  }

  /** Whether the parenthesis that is next holds a declarator and not parameters. */
  private boolean beginsDeclarator() {
    var after = peek(1);
    return after.is("*")
        || after.is("(")
        || after.is("[")
        || (after.kind() == Token.Kind.NAME
            && !isSpecifier(after.text())
            && (!isTypeName(after.text()) || after.text().startsWith("__attribute")));
  }

  private UnaryOperator<Supplier<CType>> suffixes() {
    if (skip("[")) {
      while (peek().isName("static") || peek().isName("restrict") || peek().isName("const")) {
        take();
      }
      var span = peek().span();
      var count = peek().is("]") ? OptionalLong.empty() : OptionalLong.of(constant());
      expect("]");
      if (count.isPresent() && count.getAsLong() < 0) {
        throw wrong(span, "an array of " + count.getAsLong() + " elements");
      }
      var more = suffixes();
      return base -> {
        var element = more.apply(base);
        var array = new ArrayType(element, count);
        return () -> array;
      };
    }
    if (peek().is("(")) {
      take();
      var parameters = new ArrayList<Declared>();
      boolean variadic = parameters(parameters);
      var more = suffixes();
      return base -> {
        var result = more.apply(base);
        var function =
            new FunctionType(
                result,
                () ->
                    parameters.stream()
                        .map(p -> new FunctionType.Parameter(p.name(), decayed(p.type().get())))
                        .toList(),
                variadic);
        return () -> function;
      };
    }
    return UnaryOperator.identity();
  }

  /** Reads parameters up to the closing parenthesis; tells whether {@code ...} ends them. */
  private boolean parameters(List<Declared> into) {
    if (skip(")")) {
      return false;
    }
    if (peek().isName("void") && peek(1).is(")")) {
      take();
      take();
      return false;
    }
    do {
      if (skip("...")) {
        expect(")");
        return true;
      }
      if (into.size() >= PARAMETER_LIMIT) {
        throw wrong(peek().span(), "more than " + PARAMETER_LIMIT + " parameters");
      }
      into.add(declarator(specifiers()));
    } while (skip(","));
    expect(")");
    return false;
  }

  /** Parameters of array and function types are pointers (C11 section 6.7.6.3). */
  private CType decayed(CType type) {
    return switch (type) {
      case ArrayType a -> new PointerType(types.model().wordBytes(), a::element);
      case FunctionType _ -> new PointerType(types.model().wordBytes(), () -> type);
      default -> type;
    };
  }

  /** A type that is looked up once, when first asked for. */
  static Supplier<CType> lazily(Supplier<Optional<CType>> found, CType otherwise) {
    return new CType.Lazy(() -> found.get().orElse(otherwise))::get;
  }
}
