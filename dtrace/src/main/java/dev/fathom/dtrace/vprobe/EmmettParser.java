// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.vprobe;

import dev.fathom.base.ProgramException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Parses Emmett, the C-like form, and writes it in the Lisp form, as its own compiler does: {@code
 * PROBE { ... }} becomes {@code (vprobe PROBE ...)}.
 *
 * <pre>
 * script    = { declaration | probe }
 * declaration = [ storage ] type name [ "=" number ] { "," name } ";"
 *             | "aggr" name [ "[" n "]" [ "[" n "]" ] ] ";" | "bag" name "[" n "]" ";"
 *             | "memmodel" "guest64" ";"
 * probe     = name { ":" name } "{" { statement } "}"
 * statement = declaration | "if" "(" e ")" statement [ "else" statement ] | "{" ... "}" | e ";"
 *           | lvalue ( "=" | "+=" ... | "<-" ) e ";" | lvalue ( "++" | "--" ) ";" | "return" ";"
 * </pre>
 */
final class EmmettParser {
  private static final int DEPTH_LIMIT = 100;

  private static final Set<String> REFUSED =
      Set.of(
          "while",
          "for",
          "goto",
          "switch",
          "case",
          "float",
          "double",
          "static",
          "const",
          "struct",
          "union",
          "enum",
          "typedef",
          "perthread",
          "pervmk",
          "perhost",
          "pervm");

  private static final Map<String, Integer> TYPES =
      Map.ofEntries(
          Map.entry("void", 8),
          Map.entry("char", 1),
          Map.entry("short", 2),
          Map.entry("int", 4),
          Map.entry("long", 8),
          Map.entry("unsigned", 4),
          Map.entry("signed", 4),
          Map.entry("int8", 1),
          Map.entry("int16", 2),
          Map.entry("int32", 4),
          Map.entry("int64", 8),
          Map.entry("uint8", 1),
          Map.entry("uint16", 2),
          Map.entry("uint32", 4),
          Map.entry("uint64", 8));

  private static final List<List<String>> LEVELS =
      List.of(
          List.of("||"),
          List.of("&&"),
          List.of("|"),
          List.of("^"),
          List.of("&"),
          List.of("==", "!="),
          List.of("<", "<=", ">", ">="),
          List.of("<<", ">>"),
          List.of("+", "-"),
          List.of("*", "/", "%"));

  private record Token(Kind kind, String text, Span span) {}

  private enum Kind {
    NAME,
    NUMBER,
    STRING,
    MARK,
    END
  }

  private final Source source;
  private final List<Token> tokens;
  private final Set<String> strings = new HashSet<>();
  private final Set<String> bags = new HashSet<>();
  private final Map<String, Integer> aggregates = new HashMap<>();
  private final List<Form> forms = new ArrayList<>();
  private int at;
  private int depth;

  private EmmettParser(Source source) {
    this.source = source;
    this.tokens = tokens(source);
  }

  static List<Form> parse(Source source) {
    var parser = new EmmettParser(source);
    while (parser.peek().kind() != Kind.END) {
      parser.external();
    }
    return parser.forms;
  }

  // Tokens

  private static List<Token> tokens(Source source) {
    var text = source.text();
    var all = new ArrayList<Token>();
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i);
      int start = i;
      if (Character.isWhitespace(c)) {
        i++;
      } else if (c == '#' || text.startsWith("//", i)) {
        int end = text.indexOf('\n', i);
        i = end < 0 ? text.length() : end;
      } else if (text.startsWith("/*", i)) {
        i = comment(source, i);
      } else if (c == '"') {
        var string = Characters.string(source, i);
        all.add(new Token(Kind.STRING, string.value(), string.span()));
        i = string.span().end();
      } else if (Character.isDigit(c)) {
        while (i < text.length() && Character.isLetterOrDigit(text.charAt(i))) {
          i++;
        }
        all.add(new Token(Kind.NUMBER, text.substring(start, i), new Span(start, i)));
      } else if (Character.isLetter(c) || c == '_') {
        while (i < text.length() && isName(text.charAt(i))) {
          i++;
        }
        all.add(new Token(Kind.NAME, text.substring(start, i), new Span(start, i)));
      } else {
        i += mark(text, i);
        all.add(new Token(Kind.MARK, text.substring(start, i), new Span(start, i)));
      }
    }
    all.add(new Token(Kind.END, "the end", Span.at(text.length())));
    return all;
  }

  private static boolean isName(char c) {
    return Character.isLetterOrDigit(c) || c == '_';
  }

  /** Comments nest. */
  private static int comment(Source source, int start) {
    var text = source.text();
    int open = 0;
    for (int i = start; i < text.length(); i++) {
      if (text.startsWith("/*", i)) {
        open++;
        i++;
      } else if (text.startsWith("*/", i)) {
        i++;
        if (--open == 0) {
          return i + 1;
        }
      }
    }
    throw Characters.syntax(source, Span.at(start), "a comment is not closed; expected '*/'");
  }

  private static int mark(String text, int i) {
    for (var mark : List.of("<<=", ">>=")) {
      if (text.startsWith(mark, i)) {
        return 3;
      }
    }
    for (var mark :
        List.of(
            "==", "!=", "<=", ">=", "&&", "||", "<<", ">>", "++", "--", "+=", "-=", "*=", "/=",
            "%=", "&=", "|=", "^=", "<-", "->")) {
      if (text.startsWith(mark, i)) {
        return 2;
      }
    }
    return 1;
  }

  private Token peek() {
    return tokens.get(at);
  }

  private Token next() {
    return tokens.get(peek().kind() == Kind.END ? at : at++);
  }

  private boolean is(String mark) {
    var t = peek();
    return (t.kind() == Kind.MARK || t.kind() == Kind.NAME) && t.text().equals(mark);
  }

  private boolean take(String mark) {
    if (is(mark)) {
      at++;
      return true;
    }
    return false;
  }

  private void expect(String mark) {
    if (!take(mark)) {
      throw syntax("expected '" + mark + "' before '" + peek().text() + "'");
    }
  }

  private String name() {
    if (peek().kind() != Kind.NAME) {
      throw syntax("expected a name before '" + peek().text() + "'");
    }
    return next().text();
  }

  private long integer() {
    var t = next();
    if (t.kind() != Kind.NUMBER) {
      throw Characters.syntax(source, t.span(), "expected a number, not '" + t.text() + "'");
    }
    return Characters.number(source, t.text(), t.span()).value();
  }

  private ProgramException syntax(String detail) {
    return Characters.syntax(source, peek().span(), detail);
  }

  private void refuseWords() {
    if (peek().kind() == Kind.NAME && REFUSED.contains(peek().text())) {
      throw source.error(
          peek().span(), Tag.D_SYNTAX, "'" + peek().text() + "' of Emmett is not supported");
    }
  }

  // Declarations and probes

  private void external() {
    refuseWords();
    if (take("memmodel")) {
      var model = peek();
      if (!name().equals("guest64")) {
        throw Characters.syntax(
            source,
            model.span(),
            "memmodel " + model.text() + " is not supported; memory is read as guest64");
      }
      expect(";");
    } else if (isDeclaration()) {
      declaration();
    } else {
      probe();
    }
  }

  private boolean isDeclaration() {
    var t = peek();
    return t.kind() == Kind.NAME
        && (TYPES.containsKey(t.text())
            || t.text().equals("string")
            || t.text().equals("bag")
            || t.text().equals("aggr"));
  }

  private void declaration() {
    var first = peek();
    if (take("bag")) {
      var bag = new Form.Symbol(name(), first.span());
      bags.add(bag.name());
      expect("[");
      var size = new Form.Number(integer(), first.span());
      expect("]");
      forms.add(Form.list(first.span(), "defbag", bag, size));
    } else if (take("aggr")) {
      var name = name();
      long integers = count();
      long texts = count();
      aggregates.put(name, Math.clamp(integers, 0, 100));
      forms.add(
          Form.list(
              first.span(),
              "defaggr",
              new Form.Symbol(name, first.span()),
              new Form.Number(integers, first.span()),
              new Form.Number(texts, first.span())));
    } else {
      boolean string = take("string");
      while (!string && peek().kind() == Kind.NAME && TYPES.containsKey(peek().text())) {
        next();
      }
      do {
        take("*");
        variable(string);
      } while (take(","));
    }
    expect(";");
  }

  private long count() {
    if (!take("[")) {
      return 0;
    }
    long n = integer();
    expect("]");
    return n;
  }

  private void variable(boolean string) {
    var at = peek().span();
    var name = new Form.Symbol(name(), at);
    if (is("(")) {
      throw syntax("functions of one's own are not supported: '" + name.name() + "'");
    }
    if (string) {
      strings.add(name.name());
    }
    var items = new ArrayList<Form>(List.of(name));
    if (take("=")) {
      items.add(expression());
    }
    forms.add(Form.list(at, string ? "defstring" : "definteger", items));
  }

  private void probe() {
    var first = peek();
    var point = new StringBuilder(name());
    while (take(":")) {
      var t = next();
      if (t.kind() != Kind.NAME && t.kind() != Kind.NUMBER) {
        throw Characters.syntax(source, t.span(), "expected a probe point's name");
      }
      point.append(':').append(t.text());
    }
    if (!is("{")) {
      throw syntax("expected '{' after the probe " + point + ", not '" + peek().text() + "'");
    }
    var items = new ArrayList<Form>();
    items.add(new Form.Symbol(point.toString(), first.span()));
    items.addAll(block());
    forms.add(Form.list(first.span(), "vprobe", items));
  }

  // Statements

  private List<Form> block() {
    deeper();
    expect("{");
    var all = new ArrayList<Form>();
    while (!take("}")) {
      if (peek().kind() == Kind.END) {
        throw syntax("expected '}'");
      }
      statement(all);
    }
    depth--;
    return all;
  }

  private void deeper() {
    if (++depth > DEPTH_LIMIT) {
      throw syntax("nested deeper than " + DEPTH_LIMIT + " levels");
    }
  }

  private void statement(List<Form> into) {
    refuseWords();
    var first = peek();
    if (is("{")) {
      into.add(Form.list(first.span(), "do", block()));
    } else if (take("if")) {
      into.add(conditional(first));
    } else if (isDeclaration()) {
      int before = forms.size();
      declaration();
      initialize(before, into);
    } else if (take("return")) {
      throw Characters.syntax(source, first.span(), "'return' of Emmett is not supported");
    } else if (!take(";")) {
      into.add(simple());
      expect(";");
    }
  }

  /** A variable that a block declares begins anew each time. */
  private void initialize(int before, List<Form> into) {
    for (var form : forms.subList(before, forms.size())) {
      if (form instanceof Form.Listed l && l.items().size() == 3 && l.head().startsWith("def")) {
        if (l.head().equals("definteger") || l.head().equals("defstring")) {
          into.add(
              Form.list(l.span(), l.head().equals("definteger") ? "setint" : "setstr", l.rest()));
        }
      }
    }
  }

  private Form conditional(Token first) {
    deeper();
    expect("(");
    var test = expression();
    expect(")");
    var yes = new ArrayList<Form>(List.of(test));
    statement(yes);
    var clauses = new ArrayList<Form>(List.of(new Form.Listed(yes, first.span())));
    if (take("else")) {
      var no = new ArrayList<Form>(List.of(new Form.Number(1, first.span())));
      statement(no);
      clauses.add(new Form.Listed(no, first.span()));
    }
    depth--;
    return Form.list(first.span(), "cond", clauses);
  }

  private Form simple() {
    var first = peek();
    if (first.kind() == Kind.NAME && aggregates.containsKey(first.text())) {
      return aggregate();
    }
    if (first.kind() == Kind.NAME && bags.contains(first.text())) {
      next();
      expect("[");
      var key = expression();
      expect("]");
      expect("<-");
      var value = expression();
      return Form.list(
          first.span(), "baginsert", new Form.Symbol(first.text(), first.span()), key, value);
    }
    var left = expression();
    var op = peek();
    if (take("++") || take("--")) {
      return set(left, op, Form.list(op.span(), op.text().substring(1), left, one(op)));
    }
    if (op.kind() == Kind.MARK && op.text().endsWith("=") && !op.text().equals("==")) {
      next();
      var right = expression();
      return set(
          left,
          op,
          op.text().equals("=")
              ? right
              : Form.list(op.span(), op.text().substring(0, op.text().length() - 1), left, right));
    }
    return left;
  }

  private static Form one(Token at) {
    return new Form.Number(1, at.span());
  }

  private Form set(Form left, Token op, Form value) {
    if (!(left instanceof Form.Symbol s)) {
      throw Characters.syntax(source, op.span(), "only variables can be assigned to");
    }
    boolean string =
        strings.contains(s.name())
            || value instanceof Form.Text
            || (value instanceof Form.Symbol v && strings.contains(v.name()));
    if (string) {
      strings.add(s.name());
    }
    return Form.list(op.span(), string ? "setstr" : "setint", s, value);
  }

  private Form aggregate() {
    var first = next();
    int integers = aggregates.get(first.text());
    var keys = new ArrayList<Form>();
    if (take("[")) {
      do {
        keys.add(expression());
      } while (take(","));
      expect("]");
    }
    Form value = one(first);
    if (!take("++")) {
      expect("<-");
      value = expression();
    }
    int split = Math.min(integers, keys.size());
    return Form.list(
        first.span(),
        "aggr",
        new Form.Symbol(first.text(), first.span()),
        new Form.Listed(keys.subList(0, split), first.span()),
        new Form.Listed(keys.subList(split, keys.size()), first.span()),
        value);
  }

  // Expressions

  private Form expression() {
    deeper();
    var test = binary(0);
    var mark = peek();
    if (take("?")) {
      var yes = expression();
      expect(":");
      var no = expression();
      test =
          Form.list(
              mark.span(),
              "cond",
              new Form.Listed(List.of(test, yes), mark.span()),
              new Form.Listed(List.of(new Form.Number(1, mark.span()), no), mark.span()));
    }
    depth--;
    return test;
  }

  private Form binary(int level) {
    if (level == LEVELS.size()) {
      return unary();
    }
    var left = binary(level + 1);
    while (peek().kind() == Kind.MARK && LEVELS.get(level).contains(peek().text())) {
      var op = next();
      left = Form.list(op.span(), op.text(), left, binary(level + 1));
    }
    return left;
  }

  private Form unary() {
    deeper();
    try {
      var op = peek();
      if (take("-")) {
        return Form.list(op.span(), "-", new Form.Number(0, op.span()), unary());
      }
      if (take("!") || take("~")) {
        return Form.list(op.span(), op.text(), unary());
      }
      if (take("*")) {
        return pointed(op);
      }
      if (take("&")) {
        return Form.list(op.span(), "guestsym", new Form.Text(name(), op.span()));
      }
      if (is("(") && isType(at + 1)) {
        return cast();
      }
      return postfix();
    } finally {
      depth--;
    }
  }

  private boolean isType(int index) {
    var t = tokens.get(Math.min(index, tokens.size() - 1));
    return t.kind() == Kind.NAME && TYPES.containsKey(t.text());
  }

  /** The bytes that the words of a type between parentheses have. */
  private int type() {
    expect("(");
    int bytes = 4;
    boolean sized = false;
    while (isType(at)) {
      int width = TYPES.get(peek().text());
      boolean sign = is("unsigned") || is("signed");
      next();
      if (!sign && (!sized || width != 4)) {
        bytes = width;
        sized = true;
      }
    }
    return bytes;
  }

  /** {@code (T)e} keeps the low bytes of {@code e}; a pointer is a number. */
  private Form cast() {
    var first = peek();
    int bytes = type();
    boolean pointer = take("*");
    expect(")");
    var value = unary();
    return pointer || bytes == 8
        ? value
        : Form.list(first.span(), "low", new Form.Number(bytes, first.span()), value);
  }

  private Form pointed(Token op) {
    int bytes = 8;
    Form address;
    if (is("(") && isType(at + 1)) {
      bytes = type();
      expect("*");
      expect(")");
      address = unary();
    } else {
      address = unary();
    }
    return Form.list(op.span(), "load", new Form.Number(bytes, op.span()), address);
  }

  private Form postfix() {
    var t = next();
    switch (t.kind()) {
      case NUMBER -> {
        return Characters.number(source, t.text(), t.span());
      }
      case STRING -> {
        var text = new StringBuilder(t.text());
        while (peek().kind() == Kind.STRING) {
          text.append(next().text());
        }
        return new Form.Text(text.toString(), t.span());
      }
      case NAME -> {
        return named(t);
      }
      case MARK, END -> {
        if (!t.text().equals("(") || t.kind() == Kind.END) {
          throw Characters.syntax(
              source, t.span(), "expected an expression before '" + t.text() + "'");
        }
        var inner = expression();
        expect(")");
        return inner;
      }
    }
    throw syntax("expected an expression");
  }

  private Form named(Token t) {
    if (take("(")) {
      var arguments = new ArrayList<Form>();
      while (!take(")")) {
        arguments.add(expression());
        if (!is(")")) {
          expect(",");
        }
      }
      return Form.list(t.span(), t.text(), arguments);
    }
    if (is("[") && bags.contains(t.text())) {
      next();
      var key = expression();
      expect("]");
      return Form.list(t.span(), "bagremove", new Form.Symbol(t.text(), t.span()), key);
    }
    if (is("->") || is(".")) {
      throw syntax("members of structures are not supported: '" + t.text() + peek().text() + "'");
    }
    return new Form.Symbol(t.text(), t.span());
  }
}
