// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.Span;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Parses C expressions (C11 section 6.5) with gdb's additions: {@code $name}, {@code first@count},
 * and the built-in {@code offsetof}, {@code container_of} and {@code per_cpu}. Operators by
 * precedence climbing; a parenthesis that begins a type name is a cast.
 */
final class Parser {
  /** Bounds the depth of the recursion, too. */
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

  private final TypeSystem types;
  private final List<Token> tokens;
  private int next;

  private Parser(String text, TypeSystem types) {
    this.types = types;
    this.tokens = Lexer.tokens(text);
    if (tokens.size() > TOKEN_LIMIT) {
      throw new EvalException(
          tokens.get(TOKEN_LIMIT).span(), "expression is longer than " + TOKEN_LIMIT + " tokens");
    }
  }

  static Expr expression(String text, TypeSystem types) {
    var parser = new Parser(text, types);
    var expression = parser.binary(Expr.BinaryOperator.COMMA.precedence());
    parser.end();
    return expression;
  }

  /**
   * The text as a type name such as {@code struct page *} or {@code char [16]}; empty when it does
   * not begin as one.
   */
  static Optional<CType> typeName(String text, TypeSystem types) {
    var parser = new Parser(text, types);
    if (!parser.atType(true)) {
      return Optional.empty();
    }
    var type = parser.typeName();
    parser.end();
    return Optional.of(type);
  }

  private void end() {
    if (peek().kind() != Token.Kind.END) {
      throw unexpected("the end of the expression");
    }
  }

  // ---- expressions

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
          operator == Expr.BinaryOperator.SLICE
              ? new Expr.Slice(span, left, right)
              : new Expr.Binary(span, operator, left, right);
    }
    return least <= 2 && peek().is("?") ? ternary(left, least) : left;
  }

  private Expr ternary(Expr test, int least) {
    take();
    var then = binary(Expr.BinaryOperator.COMMA.precedence());
    expect(":");
    var otherwise = binary(Expr.BinaryOperator.OR.precedence() - 1);
    Expr result = new Expr.Conditional(test.span().to(otherwise.span()), test, then, otherwise);
    while (least <= 1 && peek().is(",")) {
      take();
      var right = binary(2);
      result =
          new Expr.Binary(result.span().to(right.span()), Expr.BinaryOperator.COMMA, result, right);
    }
    return result;
  }

  private Expr unary() {
    var token = peek();
    if (token.kind() == Token.Kind.OPERATOR && UNARY.containsKey(token.text())) {
      take();
      var operand = unary();
      return new Expr.Unary(token.span().to(operand.span()), UNARY.get(token.text()), operand);
    }
    if (token.is("&&")) {
      throw new EvalException(
          token.span(), "cannot take the address of an address (column " + column(token) + ")");
    }
    if (token.isName("sizeof")) {
      return sizeOf();
    }
    if (token.is("(") && atTypeAfterParenthesis()) {
      take();
      var type = typeName();
      expect(")");
      var operand = unary();
      return new Expr.Cast(token.span().to(operand.span()), type, operand);
    }
    return postfix(primary());
  }

  private Expr sizeOf() {
    var start = take().span();
    if (peek().is("(")) {
      int mark = next;
      take();
      if (atType(true)) {
        var type = typeName();
        return new Expr.SizeOfType(start.to(expect(")").span()), type);
      }
      next = mark;
    }
    var operand = unary();
    return new Expr.SizeOf(start.to(operand.span()), operand);
  }

  private Expr postfix(Expr base) {
    var e = base;
    while (true) {
      var token = peek();
      if (token.is(".") || token.is("->")) {
        take();
        var name = take();
        if (name.kind() != Token.Kind.NAME) {
          throw new EvalException(
              name.span(), "expected a member's name at column " + column(name));
        }
        e = new Expr.Member(e.span().to(name.span()), e, name.text(), token.is("->"));
      } else if (token.is("[")) {
        take();
        var index = binary(Expr.BinaryOperator.COMMA.precedence());
        e = new Expr.Index(e.span().to(expect("]").span()), e, index);
      } else if (token.is("(")) {
        take();
        var arguments = arguments();
        e = new Expr.Call(e.span().to(expect(")").span()), e, arguments);
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
      arguments.add(binary(2));
    }
    return arguments;
  }

  private Expr primary() {
    var token = peek();
    if (token.kind() == Token.Kind.END || (token.kind() == Token.Kind.OPERATOR && !token.is("("))) {
      throw unexpected("an operand");
    }
    take();
    return switch (token.kind()) {
      case NUMBER -> number(token);
      case CHARACTER -> character(token);
      case STRING -> new Expr.Text(token.span(), token.text());
      case DOLLAR -> new Expr.Dollar(token.span(), token.text());
      case NAME -> peek().is("(") ? builtIn(token) : new Expr.Name(token.span(), token.text());
      case OPERATOR, END -> {
        var inner = binary(Expr.BinaryOperator.COMMA.precedence());
        expect(")");
        yield inner;
      }
    };
  }

  private Expr builtIn(Token name) {
    switch (name.text()) {
      case "offsetof" -> {
        take();
        var type = typeName();
        expect(",");
        var path = memberPath();
        return new Expr.OffsetOf(name.span().to(expect(")").span()), type, path);
      }
      case "container_of" -> {
        take();
        var pointer = binary(2);
        expect(",");
        var type = typeName();
        expect(",");
        var path = memberPath();
        return new Expr.ContainerOf(name.span().to(expect(")").span()), pointer, type, path);
      }
      case "per_cpu" -> {
        take();
        var variable = binary(2);
        expect(",");
        var cpu = binary(2);
        return new Expr.PerCpu(name.span().to(expect(")").span()), variable, cpu);
      }
      default -> {
        return new Expr.Name(name.span(), name.text());
      }
    }
  }

  private String memberPath() {
    var path = new StringBuilder();
    while (!peek().is(")") && peek().kind() != Token.Kind.END) {
      path.append(take().text());
    }
    if (path.isEmpty()) {
      throw unexpected("a member's name");
    }
    return path.toString();
  }

  /**
   * C11 section 6.4.4.1: the first type of the list for its base and suffix that holds the value.
   */
  private static Expr number(Token token) {
    var digits = token.text();
    int end = digits.length();
    boolean unsigned = false;
    boolean wide = false;
    boolean hex = digits.startsWith("0x") || digits.startsWith("0X");
    while (end > 1) {
      char c = Character.toLowerCase(digits.charAt(end - 1));
      if (c == 'u') {
        unsigned = true;
      } else if (c == 'l') {
        wide = true;
      } else {
        break;
      }
      end--;
    }
    digits = digits.substring(0, end);
    boolean binary = digits.startsWith("0b") || digits.startsWith("0B");
    int radix = hex ? 16 : binary ? 2 : digits.length() > 1 && digits.startsWith("0") ? 8 : 10;
    long value;
    try {
      value = Long.parseUnsignedLong(hex || binary ? digits.substring(2) : digits, radix);
    } catch (NumberFormatException e) {
      throw new EvalException(
          token.span(),
          "'"
              + token.text()
              + "' at column "
              + column(token)
              + " is not a number of at most 64 bits");
    }
    boolean fitsInt = value >= 0 && value <= Integer.MAX_VALUE;
    boolean fitsUnsigned = value >= 0 && value <= 0xffff_ffffL;
    CType type;
    if (!wide && !unsigned && fitsInt) {
      type = CTypes.INT;
    } else if (!wide && fitsUnsigned && (unsigned || radix != 10)) {
      type = CTypes.UNSIGNED_INT;
    } else {
      type = !unsigned && value >= 0 ? CTypes.LONG : CTypes.UNSIGNED_LONG;
    }
    return new Expr.Number(token.span(), value, type);
  }

  private static Expr character(Token token) {
    if (token.text().length() != 1) {
      throw new EvalException(
          token.span(), "a character constant holds one character (column " + column(token) + ")");
    }
    return new Expr.Number(token.span(), (byte) token.text().charAt(0), CTypes.CHAR);
  }

  // ---- type names

  private boolean atTypeAfterParenthesis() {
    next++;
    boolean type = atType(false);
    next--;
    return type;
  }

  /**
   * Whether the next token begins a type name; {@code tags} lets a bare structure tag count as one.
   */
  private boolean atType(boolean tags) {
    var token = peek();
    if (token.kind() != Token.Kind.NAME) {
      return false;
    }
    return switch (token.text()) {
      case "struct",
          "union",
          "enum",
          "class",
          "const",
          "volatile",
          "signed",
          "unsigned",
          "char",
          "short",
          "int",
          "long",
          "void",
          "float",
          "double",
          "_Bool" ->
          true;
      default -> {
        var found = types.find(TypeName.plain(token.text()));
        yield found.isPresent() && (tags || isPlain(found.get()));
      }
    };
  }

  private static boolean isPlain(CType type) {
    return type instanceof TypedefType
        || type instanceof IntType
        || type instanceof BoolType
        || type instanceof FloatType;
  }

  private CType typeName() {
    var type = specifiers();
    while (true) {
      if (peek().is("*")) {
        take();
        type = types.pointerTo(type);
      } else if (peek().isName("const") || peek().isName("volatile") || peek().isName("restrict")) {
        take();
      } else {
        break;
      }
    }
    int pointers = 0;
    if (peek().is("(") && tokens.get(next + 1).is("*")) {
      take();
      while (peek().is("*")) {
        take();
        pointers++;
      }
      expect(")");
    }
    type = dimensions(type);
    for (; pointers > 0; pointers--) {
      type = types.pointerTo(type);
    }
    return type;
  }

  private CType dimensions(CType element) {
    if (!peek().is("[")) {
      return element;
    }
    take();
    var count = OptionalLong.empty();
    if (!peek().is("]")) {
      var token = take();
      if (token.kind() != Token.Kind.NUMBER
          || !(number(token) instanceof Expr.Number n)
          || n.value() < 0) {
        throw new EvalException(
            token.span(), "expected the number of elements at column " + column(token));
      }
      count = OptionalLong.of(n.value());
    }
    expect("]");
    var inner = dimensions(element);
    return new ArrayType(() -> inner, count);
  }

  private CType specifiers() {
    var words = new ArrayList<String>();
    var start = peek().span();
    CType named = null;
    while (peek().kind() == Token.Kind.NAME) {
      switch (peek().text()) {
        case "const", "volatile" -> take();
        case "signed",
            "unsigned",
            "char",
            "short",
            "int",
            "long",
            "void",
            "float",
            "double",
            "_Bool" ->
            words.add(take().text());
        case "struct", "union", "enum", "class" -> {
          var keyword = take().text();
          var tag = take();
          var name = TypeName.parse(keyword + " " + tag.text());
          named =
              name.flatMap(types::find)
                  .orElseThrow(() -> new LookupException("type", keyword + " " + tag.text()));
        }
        default -> {
          if (named != null || !words.isEmpty()) {
            throw unexpected("')'");
          }
          var name = take().text();
          named =
              types.find(TypeName.plain(name)).orElseThrow(() -> new LookupException("type", name));
        }
      }
      if (named != null && !words.isEmpty()) {
        throw new EvalException(
            start, "two types in one type name (column " + (start.start() + 1) + ")");
      }
    }
    if (named == null && words.isEmpty()) {
      throw unexpected("a type name");
    }
    return named != null ? named : basic(words, start);
  }

  /**
   * C11 section 6.7.2: the multisets of type specifiers; under their usual compiler names in the
   * program's own types.
   */
  private CType basic(List<String> words, Span span) {
    boolean unsigned = words.remove("unsigned");
    boolean signed = words.remove("signed");
    int longs = 0;
    while (words.remove("long")) {
      longs++;
    }
    boolean isShort = words.remove("short");
    boolean hadInt = words.remove("int");
    var rest = words.isEmpty() ? "" : words.getFirst();
    if (words.size() > 1
        || (!rest.isEmpty() && (hadInt || isShort))
        || (unsigned && signed)
        || longs > 2) {
      throw new EvalException(
          span, "no such combination of type words at column " + (span.start() + 1));
    }
    return switch (rest) {
      case "void" -> VoidType.VOID;
      case "char" ->
          unsigned
              ? named("unsigned char", new IntType("unsigned char", 1, false, true))
              : signed
                  ? named("signed char", new IntType("signed char", 1, true, true))
                  : named("char", CTypes.CHAR);
      case "_Bool" -> named("_Bool", new BoolType("_Bool", 1));
      case "float" -> named("float", new FloatType("float", 4));
      case "double" ->
          longs == 0
              ? named("double", new FloatType("double", 8))
              : named("long double", new FloatType("long double", 16));
      default -> {
        if (isShort) {
          yield unsigned
              ? named("short unsigned int", new IntType("short unsigned int", 2, false, false))
              : named("short int", new IntType("short int", 2, true, false));
        }
        yield switch (longs) {
          case 0 ->
              unsigned ? named("unsigned int", CTypes.UNSIGNED_INT) : named("int", CTypes.INT);
          case 1 ->
              unsigned
                  ? named("long unsigned int", CTypes.UNSIGNED_LONG)
                  : named("long int", CTypes.LONG);
          default ->
              unsigned
                  ? named(
                      "long long unsigned int",
                      new IntType("long long unsigned int", 8, false, false))
                  : named("long long int", new IntType("long long int", 8, true, false));
        };
      }
    };
  }

  private CType named(String name, CType otherwise) {
    return types.find(TypeName.plain(name)).filter(Parser::isPlain).orElse(otherwise);
  }

  // ---- tokens

  private Token peek() {
    return tokens.get(next);
  }

  private Token take() {
    var token = tokens.get(next);
    if (token.kind() != Token.Kind.END) {
      next++;
    }
    return token;
  }

  private Token expect(String operator) {
    if (!peek().is(operator)) {
      throw unexpected("'" + operator + "'");
    }
    return take();
  }

  private EvalException unexpected(String expected) {
    var token = peek();
    var found = token.kind() == Token.Kind.END ? "the end" : "'" + token.text() + "'";
    return new EvalException(
        token.span(),
        "expected " + expected + ", but found " + found + " at column " + column(token));
  }

  private static int column(Token token) {
    return token.span().start() + 1;
  }
}
