// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.Span;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.type.TypedefType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Parses C expressions (C11 section 6.5) with gdb's additions: {@code $name}, {@code first@count},
 * {@code {type} address}, {@code scope::name}, C++'s casts, and the built-in {@code offsetof},
 * {@code container_of} and {@code per_cpu}. Operators by precedence climbing; a parenthesis that
 * begins a type name is a cast.
 */
class Parser extends TypeParser {
  private static final int TOKEN_LIMIT = 1000;

  private static final Map<String, Expr.BinaryOperator> BINARY = new HashMap<>();
  private static final Map<String, Expr.UnaryOperator> UNARY = new HashMap<>();

  static {
    for (var operator : Expr.BinaryOperator.values()) {
      BINARY.put(operator.text(), operator);
    }
    for (var operator : Expr.UnaryOperator.values()) {
      UNARY.put(operator.text(), operator);
    }
  }

  private final TypeSystem program;
  private final Hooks hooks;

  /**
   * What cannot be told from types alone.
   *
   * @param typeOf the type of an expression, for {@code typeof}
   * @param isFunction whether a name with the arguments of a template is that of a function
   * @param isValue whether a name is that of a value
   */
  record Hooks(
      Optional<Function<Expr, CType>> typeOf,
      Predicate<String> isFunction,
      Predicate<Expr> isValue) {
    /** Of no program: any name may be that of a value. */
    static final Hooks NONE = new Hooks(Optional.empty(), _ -> false, _ -> true);
  }

  /** Whether a bare structure tag counts as a type. */
  private boolean tags;

  Parser(List<Token> tokens, TypeSystem program, CTypes types, Hooks hooks) {
    super(tokens, types);
    this.program = program;
    this.hooks = hooks;
  }

  private static Parser of(String text, TypeSystem types, Hooks hooks) {
    var tokens = Lexer.tokens(text);
    if (tokens.size() > TOKEN_LIMIT) {
      throw new EvalException(
          tokens.get(TOKEN_LIMIT).span(), "expression is longer than " + TOKEN_LIMIT + " tokens");
    }
    return new Parser(tokens, types, new CTypes(DataModel.of(types)), hooks);
  }

  static Expr expression(String text, TypeSystem types, Hooks hooks) {
    var parser = of(text, types, hooks);
    var expression = parser.comma();
    parser.end();
    return expression;
  }

  /** The expressions between commas; none for text without tokens. */
  static List<Expr> expressions(String text, TypeSystem types, Hooks hooks) {
    var parser = of(text, types, hooks);
    var list = new ArrayList<Expr>();
    while (!parser.atEnd()) {
      if (!list.isEmpty()) {
        parser.expect(",");
      }
      list.add(parser.assignment());
    }
    return list;
  }

  /**
   * The text as a type name such as {@code struct page *} or {@code char [16]}; empty when it does
   * not begin as one.
   */
  static Optional<CType> typeName(String text, TypeSystem types, Hooks hooks) {
    var parser = of(text, types, hooks);
    parser.tags = true;
    if (!parser.atType()) {
      return Optional.empty();
    }
    var type = parser.typeName().get();
    parser.end();
    return Optional.of(bare(type));
  }

  private void end() {
    if (!atEnd()) {
      throw unexpected("the end of the expression");
    }
  }

  // ---- expressions

  final Expr comma() {
    var left = assignment();
    while (peek().is(",")) {
      take();
      var right = assignment();
      left = new Expr.Binary(left.span().to(right.span()), Expr.BinaryOperator.COMMA, left, right);
    }
    return left;
  }

  final Expr assignment() {
    enter();
    var left = conditional();
    var token = peek();
    if (token.kind() == Token.Kind.OPERATOR && token.text().endsWith("=")) {
      var operator = token.text().substring(0, token.text().length() - 1);
      boolean plain = operator.isEmpty();
      if (plain || (BINARY.containsKey(operator) && BINARY.get(operator).precedence() > 4)) {
        take();
        var right = assignment();
        left =
            new Expr.Assign(
                left.span().to(right.span()),
                plain ? Optional.empty() : Optional.of(BINARY.get(operator)),
                left,
                right);
      }
    }
    leave();
    return left;
  }

  final Expr conditional() {
    var test = binary(Expr.BinaryOperator.OR.precedence());
    if (!skip("?")) {
      return test;
    }
    enter();
    var then = comma();
    expect(":");
    var otherwise = conditional();
    leave();
    return new Expr.Conditional(test.span().to(otherwise.span()), test, then, otherwise);
  }

  private Expr binary(int least) {
    var left = unary();
    while (peek().kind() == Token.Kind.OPERATOR) {
      var operator = BINARY.get(peek().text());
      if (operator == null || operator.precedence() < least) {
        break;
      }
      take();
      var right = binary(operator.precedence() + 1);
      var span = left.span().to(right.span());
      left =
          switch (operator) {
            case SLICE -> new Expr.Slice(span, left, right);
            case POINTED -> new Expr.Pointed(span, left, right, false);
            case POINTED_BEHIND -> new Expr.Pointed(span, left, right, true);
            default -> new Expr.Binary(span, operator, left, right);
          };
    }
    return left;
  }

  private Expr unary() {
    enter();
    try {
      return deeper();
    } finally {
      leave();
    }
  }

  private Expr deeper() {
    var token = peek();
    if (token.kind() == Token.Kind.OPERATOR && UNARY.containsKey(token.text())) {
      take();
      var operand = unary();
      return new Expr.Unary(token.span().to(operand.span()), UNARY.get(token.text()), operand);
    }
    if (token.is("++") || token.is("--")) {
      take();
      var operand = unary();
      return new Expr.Step(
          token.span().to(operand.span()), operand, token.is("++") ? 1 : -1, false);
    }
    if (token.is("&&")) {
      throw wrong(token.span(), "cannot take the address of an address");
    }
    if (token.is("{")) {
      take();
      var type = taggedTypeName();
      expect("}");
      var address = unary();
      return new Expr.At(token.span().to(address.span()), type, address);
    }
    if (token.isName("sizeof")) {
      return size(false);
    }
    if (token.isName("_Alignof") || token.isName("alignof") || token.isName("__alignof__")) {
      return size(true);
    }
    if (token.is("(") && atTypeBehind()) {
      take();
      var type = bare(typeName().get());
      expect(")");
      if (endsOperand()) {
        return postfix(new Expr.TypeName(token.span(), type));
      }
      var operand = unary();
      return new Expr.Cast(token.span().to(operand.span()), type, operand);
    }
    int start = mark();
    var first = primary();
    return postfix(ofFunction(start).orElse(first));
  }

  private boolean endsOperand() {
    var token = peek();
    return token.kind() == Token.Kind.END || token.is(")") || token.is(",") || token.is("]");
  }

  private boolean atTypeBehind() {
    int mark = mark();
    take();
    boolean type = atType();
    back(mark);
    return type;
  }

  private Expr size(boolean alignment) {
    var start = take().span();
    if (peek().is("(")) {
      int mark = mark();
      take();
      boolean outer = tags;
      tags = true;
      boolean type = atType();
      tags = outer;
      if (type) {
        var named = taggedTypeName();
        var span = start.to(expect(")").span());
        return alignment ? new Expr.AlignOfType(span, named) : new Expr.SizeOfType(span, named);
      }
      back(mark);
    }
    var operand = unary();
    var span = start.to(operand.span());
    return alignment ? new Expr.AlignOf(span, operand) : new Expr.SizeOf(span, operand);
  }

  /** A type name in which a bare tag is a type, where nothing else can stand. */
  private CType taggedTypeName() {
    boolean outer = tags;
    tags = true;
    try {
      return bare(typeName().get());
    } finally {
      tags = outer;
    }
  }

  /** {@code function(parameters)::variable}, at whose variable the parser is not yet. */
  private Optional<Expr> ofFunction(int start) {
    int before = mark();
    if (!peek().is("(")) {
      return Optional.empty();
    }
    int depth = 0;
    do {
      depth += peek().is("(") ? 1 : peek().is(")") ? -1 : 0;
      take();
    } while (depth > 0 && !atEnd());
    if (peek().isName("const") && peek(1).is("::")) {
      take();
    }
    int end = mark();
    if (!peek().is("::") || peek(1).kind() != Token.Kind.NAME) {
      back(before);
      return Optional.empty();
    }
    back(start);
    var span = peek().span();
    var function = textTo(end);
    take();
    var name = take();
    return Optional.of(new Expr.Scoped(span.to(name.span()), function, name.text()));
  }

  /** What stands in front of a token, which is taken, with the blanks that words need. */
  private String textTo(int end) {
    var text = new StringBuilder();
    boolean word = false;
    while (mark() < end) {
      var token = take();
      boolean isWord = token.kind() != Token.Kind.OPERATOR;
      text.append(word && isWord ? " " : "").append(token.text());
      word = isWord;
    }
    return text.toString();
  }

  private Expr postfix(Expr base) {
    var e = base;
    if (base instanceof Expr.Name parameter && peek().is("@") && peek(1).isName("entry")) {
      take();
      e = new Expr.AtEntry(base.span().to(take().span()), parameter.name());
    }
    while (true) {
      var token = peek();
      if (token.is(".") || token.is("->")) {
        take();
        var name = take();
        if (name.kind() != Token.Kind.NAME) {
          throw new EvalException(
              name.span(), "expected a member's name at column " + column(name));
        }
        var path = new StringBuilder(name.text());
        var span = name.span();
        while (peek().is("::") && peek(1).kind() == Token.Kind.NAME) {
          take();
          span = peek().span();
          path.append("::").append(take().text());
        }
        e = new Expr.Member(e.span().to(span), e, path.toString(), token.is("->"));
      } else if (token.is("[")) {
        take();
        var index = comma();
        e = new Expr.Index(e.span().to(expect("]").span()), e, index);
      } else if (token.is("(")) {
        take();
        var arguments = arguments();
        e = new Expr.Call(e.span().to(expect(")").span()), e, arguments);
      } else if (token.is("++") || token.is("--")) {
        take();
        e = new Expr.Step(e.span().to(token.span()), e, token.is("++") ? 1 : -1, true);
      } else {
        return e;
      }
    }
  }

  private List<Expr> arguments() {
    var arguments = new ArrayList<Expr>();
    while (!peek().is(")")) {
      if (!arguments.isEmpty()) {
        expect(",");
      }
      arguments.add(assignment());
    }
    return arguments;
  }

  private Expr primary() {
    var token = peek();
    if (token.kind() == Token.Kind.END
        || (token.kind() == Token.Kind.OPERATOR && !token.is("(") && !token.is("::"))) {
      throw unexpected("an operand");
    }
    take();
    return switch (token.kind()) {
      case NUMBER -> Literals.number(token, types());
      case CHARACTER -> peek().is("::") ? scoped(token) : Literals.character(token);
      case STRING -> text(token);
      case DOLLAR -> new Expr.Dollar(token.span(), token.text());
      case NAME -> named(token);
      case OPERATOR, END -> {
        if (token.is("::")) {
          var name = take();
          if (name.kind() != Token.Kind.NAME) {
            throw new EvalException(name.span(), "expected a name at column " + column(name));
          }
          yield peek().is("::")
              ? scoped(name)
              : new Expr.Scoped(token.span().to(name.span()), "", name.text());
        }
        var inner = comma();
        expect(")");
        yield inner;
      }
    };
  }

  /** Strings that follow each other are one (C11 section 6.4.5). */
  private Expr text(Token first) {
    var text = new StringBuilder(first.text());
    var span = first.span();
    var prefix = first.prefix();
    while (peek().kind() == Token.Kind.STRING) {
      prefix = prefix.isEmpty() ? peek().prefix() : prefix;
      span = span.to(peek().span());
      text.append(take().text());
    }
    return new Expr.Text(span, text.toString(), Literals.unit(prefix));
  }

  private Expr named(Token token) {
    if (peek().is("::") || peek().is("<")) {
      back(mark() - 1);
      var type = atTypeName() ? Optional.of(typeExpression()) : Optional.<Expr>empty();
      if (type.isPresent()) {
        return type.get();
      }
      take();
    }
    if (peek().is("::") || (peek().is("<") && qualified(mark() - 1).size() > 1)) {
      return scoped(token);
    }
    if (peek().is("<")) {
      var instance = qualified(mark() - 1).getFirst();
      if (instance.end() > mark()) {
        back(instance.end());
        return new Expr.Name(token.span().to(peek(-1).span()), instance.name());
      }
    }
    if (token.text().endsWith("_cast") && peek().is("<")) {
      return cppCast(token);
    }
    if (peek().is("(")) {
      return builtIn(token);
    }
    if (isSpecifier(token.text()) || isPlainType(token.text())) {
      back(mark() - 1);
      return typeExpression();
    }
    var name = new Expr.Name(token.span(), token.text());
    refuseTemplate(name, token.text());
    return name;
  }

  /**
   * Nothing can be less than a type: a name that is no value with one in angle brackets is that of
   * a class. A value may be less than {@code type(value)}.
   */
  private void refuseTemplate(Expr expression, String name) {
    if (!peek().is("<") || !atTypeBehind()) {
      return;
    }
    int mark = mark();
    var arguments = templateArguments();
    boolean ends = endsOperand() || peek().is("*") || peek().is("&") || peek().is("::");
    var end = peek(-1).span();
    back(mark);
    if (!arguments.isEmpty() && ends && !hooks.isValue().test(expression)) {
      throw new LookupException("type", name + arguments, List.of()).at(expression.span().to(end));
    }
  }

  /** A type where a value could stand, or C++'s {@code type(value)}. */
  private Expr typeExpression() {
    var span = peek().span();
    int start = mark();
    var type = specifiers().type().get();
    if (skip("(")) {
      var operand = comma();
      return new Expr.Cast(span.to(expect(")").span()), bare(type), operand);
    }
    back(start);
    return new Expr.TypeName(span, bare(typeName().get()));
  }

  /** A part of a qualified name: as much of it as ends at a token. */
  private record Part(String name, int end) {}

  /**
   * The parts that a qualified name may be read to, the longest last: {@code std}, {@code
   * std::vector<int>}, {@code std::vector<int>::iterator}. Arguments of templates are taken where
   * what they make is a type or a scope.
   */
  private List<Part> qualified(int start) {
    int mark = mark();
    back(start);
    var parts = new ArrayList<Part>();
    var name = new StringBuilder();
    skip("::");
    while (peek().kind() == Token.Kind.NAME || isAnonymous()) {
      if (isAnonymous()) {
        name.append("(anonymous namespace)");
        back(mark() + ANONYMOUS_TOKENS);
      } else {
        name.append(take().text());
        int before = mark();
        var arguments = templateArguments();
        var whole = name + arguments;
        if (!arguments.isEmpty()
            && (peek().is("::") || cxxType(whole).isPresent() || hooks.isFunction().test(whole))) {
          name.append(arguments);
        } else {
          back(before);
        }
      }
      parts.add(new Part(name.toString(), mark()));
      if (!peek().is("::")) {
        break;
      }
      take();
      name.append("::");
    }
    back(mark);
    return parts;
  }

  private static final int ANONYMOUS_TOKENS = 4;

  private boolean isAnonymous() {
    return peek().is("(")
        && peek(1).isName("anonymous")
        && peek(2).isName("namespace")
        && peek(3).is(")");
  }

  /** The text from {@code <} to the {@code >} that closes it, if there is one; takes the tokens. */
  private String templateArguments() {
    if (!peek().is("<")) {
      return "";
    }
    int start = mark();
    int depth = 0;
    while (!atEnd()) {
      var token = take();
      depth += token.is("<") ? 1 : token.is(">") ? -1 : token.is(">>") ? -2 : 0;
      if (depth <= 0) {
        int end = mark();
        back(start);
        var text = textTo(end);
        return depth == 0 ? text : "";
      }
    }
    return "";
  }

  /** The type at the next token, as the longest name that is one and no scope. */
  private Optional<Part> typeHere() {
    var parts = qualified(mark());
    for (int i = parts.size() - 1; i >= 0; i--) {
      var part = parts.get(i);
      boolean scope = i < parts.size() - 1;
      boolean single = part.name().indexOf(':') < 0 && part.name().indexOf('<') < 0;
      boolean type = single ? isTypeName(part.name()) : cxxType(part.name()).isPresent();
      if (type) {
        return scope ? Optional.empty() : Optional.of(part);
      }
    }
    return Optional.empty();
  }

  private Optional<CType> cxxType(String name) {
    return program
        .find(TypeName.plain(name))
        .or(() -> name.endsWith(">") ? template(name) : Optional.empty());
  }

  /** A class whose template's arguments are not written as debug information has them. */
  private Optional<CType> template(String name) {
    var found = program.findTemplate(name);
    if (found.isPresent()) {
      return found;
    }
    int open = name.indexOf('<');
    var arguments = new ArrayList<String>();
    int depth = 0;
    int start = open + 1;
    for (int i = open + 1; i < name.length(); i++) {
      char c = name.charAt(i);
      if (depth == 0 && (c == ',' || i == name.length() - 1)) {
        arguments.add(resolved(name.substring(start, i).strip()));
        start = i + 1;
      }
      depth += c == '<' || c == '(' ? 1 : c == '>' || c == ')' ? -1 : 0;
    }
    var whole = name.substring(0, open + 1) + String.join(", ", arguments) + ">";
    return whole.equals(name)
        ? Optional.empty()
        : program.find(TypeName.plain(whole)).or(() -> program.findTemplate(whole));
  }

  /** An argument of a template by the name of what it stands for; itself when it is no type. */
  private String resolved(String argument) {
    try {
      enter();
      return typeName(argument, program, hooks)
          .map(type -> type instanceof TypedefType t ? t.resolved().text() : type.text())
          .orElse(argument);
    } catch (EvalException | LookupException e) {
      return argument; // a value, or a name that nothing has: the class is then not found either
    } finally {
      leave();
    }
  }

  @Override
  boolean atTypeName() {
    boolean single = !peek().is("::") && !peek(1).is("::") && !peek(1).is("<");
    return single ? isTypeName(peek().text()) : typeHere().isPresent();
  }

  @Override
  Supplier<CType> takeTypeName() {
    boolean single = !peek().is("::") && !peek(1).is("::") && !peek(1).is("<");
    if (single) {
      return typeNamed(take());
    }
    var part = typeHere().orElseThrow(() -> unexpected("a type name"));
    back(part.end());
    boolean plain = part.name().indexOf(':') < 0 && part.name().indexOf('<') < 0;
    var found =
        (plain ? program.find(TypeName.plain(part.name())) : cxxType(part.name())).orElseThrow();
    return () -> found;
  }

  /** A reference ends a type's name: elsewhere the sign is an operator. */
  @Override
  boolean isReference() {
    var after = peek(1);
    return (peek().is("&") || peek().is("&&"))
        && (after.kind() == Token.Kind.END || after.is(")") || after.is(">") || after.is(","));
  }

  private Expr scoped(Token first) {
    if (first.kind() == Token.Kind.CHARACTER) {
      expect("::");
      var name = take();
      if (name.kind() != Token.Kind.NAME) {
        throw new EvalException(name.span(), "expected a name at column " + column(name));
      }
      return new Expr.Scoped(first.span().to(name.span()), first.text(), name.text());
    }
    var parts = qualified(mark() - 1);
    var last = parts.getLast();
    back(last.end());
    if (peek().is("::")) {
      var name = peek(1);
      throw new EvalException(name.span(), "expected a name at column " + column(name));
    }
    var scope = parts.size() > 1 ? parts.get(parts.size() - 2).name() : "";
    var name = last.name().substring(scope.isEmpty() ? 0 : scope.length() + 2);
    var expression = new Expr.Scoped(first.span().to(peek(-1).span()), scope, name);
    refuseTemplate(expression, last.name());
    return expression;
  }

  private Expr cppCast(Token word) {
    switch (word.text()) {
      case "static_cast", "reinterpret_cast", "const_cast", "dynamic_cast" -> {
        expect("<");
        var type = taggedTypeName();
        expect(">");
        expect("(");
        var operand = comma();
        var form =
            switch (word.text()) {
              case "dynamic_cast" -> Expr.CastForm.DYNAMIC;
              case "reinterpret_cast" -> Expr.CastForm.REINTERPRET;
              default -> Expr.CastForm.PLAIN;
            };
        return new Expr.Cast(word.span().to(expect(")").span()), form, type, operand);
      }
      default -> {
        return new Expr.Name(word.span(), word.text());
      }
    }
  }

  private Expr builtIn(Token name) {
    switch (name.text()) {
      case "offsetof", "__builtin_offsetof" -> {
        take();
        var type = taggedTypeName();
        expect(",");
        var path = memberPath();
        return new Expr.OffsetOf(name.span().to(expect(")").span()), type, path);
      }
      case "typeid" -> {
        take();
        boolean type = atType();
        var operand = type ? new Expr.TypeName(peek().span(), bare(typeName().get())) : comma();
        return new Expr.TypeId(name.span().to(expect(")").span()), operand);
      }
      case "container_of" -> {
        take();
        var pointer = assignment();
        expect(",");
        var type = taggedTypeName();
        expect(",");
        var path = memberPath();
        return new Expr.ContainerOf(name.span().to(expect(")").span()), pointer, type, path);
      }
      case "per_cpu" -> {
        take();
        var variable = assignment();
        expect(",");
        var cpu = assignment();
        return new Expr.PerCpu(name.span().to(expect(")").span()), variable, cpu);
      }
      default -> {
        if (isPlainType(name.text()) || CTypes.isBasicWord(name.text())) {
          // C++: type(expression).
          back(mark() - 1);
          var type = specifiers().type().get();
          if (!skip("(")) {
            return new Expr.TypeName(name.span(), bare(type));
          }
          var operand = comma();
          return new Expr.Cast(name.span().to(expect(")").span()), bare(type), operand);
        }
        if (isSpecifier(name.text())) {
          back(mark() - 1);
          return new Expr.TypeName(name.span(), bare(typeName().get()));
        }
        return new Expr.Name(name.span(), name.text());
      }
    }
  }

  private String memberPath() {
    var path = new StringBuilder();
    while (!peek().is(")") && !atEnd()) {
      path.append(take().text());
    }
    if (path.isEmpty()) {
      throw unexpected("a member's name");
    }
    return path.toString();
  }

  // ---- types

  /** A type without qualifiers of its own, as a value has it (C11 section 6.3.2.1). */
  static CType bare(CType type) {
    return type instanceof QualifiedType q ? bare(q.target()) : type;
  }

  @Override
  boolean isTypeName(String name) {
    return tags ? program.find(TypeName.plain(name)).isPresent() : isPlainType(name);
  }

  private boolean isPlainType(String name) {
    return program.findAlone(name).filter(Parser::isPlain).isPresent();
  }

  private static boolean isPlain(CType type) {
    return type instanceof TypedefType
        || type instanceof IntType
        || type instanceof BoolType
        || type instanceof FloatType
        || (type instanceof EnumType e && e.cxx().isPresent())
        || (type instanceof CompositeType c && (c.isCxx() || c.kind() == CompositeType.Kind.CLASS));
  }

  @Override
  Supplier<CType> typeNamed(Token name) {
    var found = find(TypeName.plain(name.text()), name.text(), name.span());
    return () -> found;
  }

  private CType find(TypeName name, String text, Span span) {
    return program
        .find(name)
        .orElseThrow(
            () -> new LookupException("type", text, NearNames.types(program, name)).at(span));
  }

  @Override
  Supplier<CType> tagged(Attributes attributes) {
    var keyword = take();
    var tag = take();
    if (tag.kind() != Token.Kind.NAME) {
      throw new EvalException(tag.span(), "expected a tag at column " + column(tag));
    }
    var parts = qualified(mark() - 1);
    back(parts.getLast().end());
    var text = keyword.text() + " " + parts.getLast().name();
    var name = TypeName.parse(text).orElseThrow();
    var found = find(name, text, keyword.span().to(tag.span()));
    return () -> found;
  }

  @Override
  long constant() {
    return new Constants(this::alignOf, program).value(conditional());
  }

  @Override
  Supplier<CType> typeOfExpression() {
    var expression = comma();
    var hook =
        hooks
            .typeOf()
            .orElseThrow(() -> wrong(expression.span(), "typeof needs a value's program here"));
    return () -> hook.apply(expression);
  }

  @Override
  long alignOf(CType type) {
    return Alignment.of(type, types().model());
  }
}
