// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.Span;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Parses D. A program is a sequence of clauses and declarations:
 *
 * <pre>
 * clause      = spec {"," spec} ["/" expression "/"] ["{" statements "}"]
 * statement   = expression | "if" "(" expression ")" block ["else" block] , ended by ";"
 * declaration = C declaration | "inline" type name ["[" keys "]"] "=" expression ";"
 *             | "translator" type "&lt;" type name "&gt;" "{" {member "=" expression ";"} "}" ";"
 *             | "provider" name "{" {"probe" name "(" types ")" [":" "(" types ")"] ";"} "}" ";"
 * </pre>
 *
 * Expressions are C's, with {@code ^^} between {@code &&} and {@code ||}.
 */
public final class Parser {
  /** How deep expressions, statements and declarators may nest. */
  private static final int DEPTH_LIMIT = 200;

  private static final Set<String> DECLARING =
      Set.of(
          "auto",
          "char",
          "const",
          "double",
          "enum",
          "extern",
          "float",
          "inline",
          "int",
          "long",
          "provider",
          "register",
          "restrict",
          "self",
          "short",
          "signed",
          "static",
          "string",
          "struct",
          "this",
          "translator",
          "typedef",
          "union",
          "unsigned",
          "void",
          "volatile",
          "userland",
          "_Bool");
  private static final Set<String> STORAGE =
      Set.of("auto", "extern", "register", "self", "static", "this", "typedef");
  private static final Set<String> QUALIFIERS = Set.of("const", "restrict", "userland", "volatile");
  private static final Set<String> BASE_WORDS =
      Set.of(
          "_Bool",
          "char",
          "double",
          "float",
          "int",
          "long",
          "short",
          "signed",
          "string",
          "unsigned",
          "void");
  private static final Set<String> RESERVED =
      Set.of(
          "auto",
          "break",
          "case",
          "char",
          "const",
          "continue",
          "counter",
          "default",
          "do",
          "double",
          "else",
          "enum",
          "extern",
          "float",
          "for",
          "goto",
          "if",
          "import",
          "inline",
          "int",
          "long",
          "offsetof",
          "probe",
          "provider",
          "register",
          "restrict",
          "return",
          "short",
          "signed",
          "sizeof",
          "static",
          "string",
          "stringof",
          "struct",
          "switch",
          "translator",
          "typedef",
          "union",
          "unsigned",
          "void",
          "volatile",
          "while",
          "xlate");

  private static final List<List<String>> BINARY =
      List.of(
          List.of("||"),
          List.of("^^"),
          List.of("&&"),
          List.of("|"),
          List.of("^"),
          List.of("&"),
          List.of("==", "!="),
          List.of("<", "<=", ">", ">="),
          List.of("<<", ">>"),
          List.of("+", "-"),
          List.of("*", "/", "%"));

  private final Source source;
  private final Lexer lexer;
  private final Predicate<String> typeNames;
  private final Set<String> typedefs = new HashSet<>();
  private final boolean bareDescriptions;
  private Token token;
  private int depth;

  /** Counts open parentheses and brackets of a predicate; below 0 outside of one. */
  private int predicateNesting = -1;

  private Parser(
      Source source,
      Macros macros,
      BitSet usedArguments,
      Predicate<String> typeNames,
      boolean bareDescriptions) {
    this.source = source;
    this.lexer = new Lexer(source, macros, usedArguments);
    this.typeNames = typeNames;
    this.bareDescriptions = bareDescriptions;
  }

  /**
   * Parses a program.
   *
   * @param typeNames whether a name is a type's, for names that the program does not declare
   * @param bareDescriptions whether a clause may have neither predicate nor body, as on the command
   *     line
   * @throws dev.fathom.base.ProgramException with the place and what was expected
   */
  public static List<External> parse(
      Source source,
      Macros macros,
      BitSet usedArguments,
      Predicate<String> typeNames,
      boolean bareDescriptions) {
    return new Parser(source, macros, usedArguments, typeNames, bareDescriptions).program();
  }

  private List<External> program() {
    var result = new ArrayList<External>();
    while (true) {
      boolean end = lexer.atEnd();
      takePragmas(result);
      if (end) {
        break;
      }
      var word = lexer.peekWord();
      if (DECLARING.contains(word) || lexer.looksDeclared()) {
        advance();
        result.add(declaration(word));
      } else {
        result.add(clause());
      }
    }
    if (result.isEmpty()) {
      throw source.error(
          Span.at(0), Tag.D_EMPTY, "the program is empty; expected a clause such as BEGIN { }");
    }
    return result;
  }

  private void takePragmas(List<External> into) {
    for (var pragma : lexer.takePragmas()) {
      if (pragma.kind().equals("option") && pragma.words().contains("defaultargs")) {
        lexer.useDefaults();
      }
      into.add(pragma);
    }
  }

  // Clauses

  private External.Clause clause() {
    var specs = new ArrayList<External.ProbeSpec>();
    int start = lexer.position();
    do {
      var spec = lexer.probeSpec();
      if (spec.isEmpty()) {
        var found = lexer.next();
        throw source.error(
            found.span(),
            Tag.D_SYNTAX,
            "expected a probe description or a declaration, found " + found.shown());
      }
      specs.add(spec.get());
      start = specs.getFirst().span().start();
      lexer.skip();
    } while (take(','));
    Optional<Node> predicate = Optional.empty();
    if (take('/')) {
      predicateNesting = 0;
      advance();
      predicate = Optional.of(expression());
      if (!token.is("/")) {
        throw expected("'/' after the predicate");
      }
      predicateNesting = -1;
      lexer.seek(token.span().end());
    }
    lexer.skip();
    var body = List.<Statement>of();
    int end = lexer.position();
    if (take('{')) {
      advance();
      body = statements();
      end = token.span().end();
      lexer.seek(end);
    } else if (take(';')) {
      end = lexer.position();
    } else if (predicate.isEmpty() && !bareDescriptions) {
      var found = lexer.atEnd() ? Span.at(lexer.position()) : lexer.next().span();
      throw source.error(
          found,
          Tag.D_SYNTAX,
          "expected a predicate or '{' after the probe description "
              + specs.getLast().text()
              + (found.end() > found.start() ? ", found '" + source.at(found) + "'" : ""));
    }
    return new External.Clause(
        List.copyOf(specs), predicate, body, new Span(start, Math.max(start, end)));
  }

  /** Skips that character if it is next, outside of expressions. */
  private boolean take(char c) {
    lexer.skip();
    int position = lexer.position();
    if (position < source.text().length() && source.text().charAt(position) == c) {
      lexer.seek(position + 1);
      return true;
    }
    return false;
  }

  /** Up to the closing brace, which stays the current token. */
  private List<Statement> statements() {
    deeper();
    var list = new ArrayList<Statement>();
    while (!token.is("}")) {
      if (token.is(";")) {
        advance();
        continue;
      }
      if (token.is("if")) {
        list.add(ifStatement());
        continue;
      }
      refuseStatements();
      list.add(new Statement.Expression(expression()));
      if (token.is(";")) {
        advance();
      } else if (!token.is("}")) {
        throw expected("';' or '}' after the statement");
      }
    }
    depth--;
    return List.copyOf(list);
  }

  private void refuseStatements() {
    if (token.kind() == Token.Kind.WORD
        && Set.of("while", "for", "do", "goto", "switch", "break", "continue", "case", "else")
            .contains(token.text())) {
      throw source.error(
          token.span(),
          Tag.D_SYNTAX,
          "'"
              + token.text()
              + (token.text().equals("else")
                  ? "' without an 'if' before it"
                  : "' is not in D: clauses have no loops and no jumps"));
    }
  }

  private Statement ifStatement() {
    int start = token.span().start();
    advance();
    expect("(", "'(' after if");
    var test = expression();
    expect(")", "')' after the condition");
    var yes = block();
    List<Statement> no = List.of();
    if (token.is("else")) {
      advance();
      deeper();
      no = token.is("if") ? List.of(ifStatement()) : block();
      depth--;
    }
    return new Statement.If(test, yes, no, new Span(start, token.span().start()));
  }

  private List<Statement> block() {
    if (token.is("{")) {
      advance();
      var list = statements();
      advance();
      return list;
    }
    if (token.is("if")) {
      deeper();
      var nested = ifStatement();
      depth--;
      return List.of(nested);
    }
    if (token.is(";")) {
      advance();
      return List.of();
    }
    refuseStatements();
    var single = new Statement.Expression(expression());
    if (token.is(";")) {
      advance();
    } else if (!token.is("}")) {
      throw expected("';' or '}' after the statement");
    }
    return List.of(single);
  }

  // Declarations

  private External declaration(String word) {
    int start = token.span().start();
    return switch (word) {
      case "inline" -> inline(start);
      case "translator" -> translator(start);
      case "provider" -> provider(start);
      default -> cDeclaration(start);
    };
  }

  private External cDeclaration(int start) {
    var specifier = specifier();
    var declarators = new ArrayList<TypeText.Declarator>();
    while (!token.is(";")) {
      var d = declarator();
      if (d.name().isEmpty()) {
        throw expected("a name to declare");
      }
      declarators.add(d);
      if (specifier.storage().contains("typedef")) {
        typedefs.add(d.name());
      }
      if (!token.is(",")) {
        break;
      }
      advance();
      if (token.is(";")) {
        throw expected("a name after ','");
      }
    }
    if (!token.is(";")) {
      throw expected("';' after the declaration");
    }
    var span = endOfExternal(start);
    return new External.Declaration(specifier, List.copyOf(declarators), span);
  }

  /** The current token ends an external declaration; nothing after it has been read. */
  private Span endOfExternal(int start) {
    int end = token.span().end();
    lexer.seek(end);
    return new Span(start, end);
  }

  private External inline(int start) {
    advance();
    var specifier = specifier();
    var d = declarator();
    if (d.name().isEmpty()) {
      throw expected("the inline's name");
    }
    var keys = List.<TypeText>of();
    var derivations = d.derivations();
    if (!derivations.isEmpty() && derivations.getFirst() instanceof TypeText.Tuple t) {
      keys = t.keys();
      derivations = derivations.subList(1, derivations.size());
    }
    var type =
        new TypeText(specifier, new TypeText.Declarator(d.name(), derivations, d.span()), d.span());
    expect("=", "'=' and the inline's value");
    var value = assignment();
    if (!token.is(";")) {
      throw expected("';' after the inline");
    }
    return new External.Inline(type, keys, value, endOfExternal(start));
  }

  private External translator(int start) {
    advance();
    var output = typeName();
    expect("<", "'<' and the type that is translated");
    var inputSpecifier = specifier();
    var inputDeclarator = declarator();
    if (inputDeclarator.name().isEmpty()) {
      throw expected("a name for what is translated");
    }
    var input = new TypeText(inputSpecifier, inputDeclarator, inputDeclarator.span());
    expect(">", "'>' after the name");
    expect("{", "'{' and the members");
    var members = new ArrayList<External.TranslatorMember>();
    while (!token.is("}")) {
      var name = word("a member's name");
      expect("=", "'=' after the member's name");
      var value = assignment();
      members.add(new External.TranslatorMember(name.text(), value, name.span().to(value.span())));
      expect(";", "';' after the member's value");
    }
    advance();
    if (!token.is(";")) {
      throw expected("';' after the translator");
    }
    return new External.Translator(output, input, List.copyOf(members), endOfExternal(start));
  }

  private External provider(int start) {
    advance();
    var name = word("the provider's name");
    expect("{", "'{' and the probes");
    var probes = new ArrayList<External.ProbeDeclaration>();
    while (!token.is("}")) {
      var probe = token;
      if (!token.is("probe")) {
        throw expected("'probe'");
      }
      advance();
      var probeName = new StringBuilder(word("the probe's name").text());
      while (token.is("-")) {
        advance();
        probeName.append('-').append(word("the rest of the probe's name").text());
      }
      var arguments = parameters();
      Optional<List<TypeText>> translated = Optional.empty();
      if (token.is(":")) {
        advance();
        translated = Optional.of(parameters());
      }
      probes.add(
          new External.ProbeDeclaration(probeName.toString(), arguments, translated, probe.span()));
      expect(";", "';' after the probe");
    }
    advance();
    if (!token.is(";")) {
      throw expected("';' after the provider");
    }
    return new External.ProviderDeclaration(name.text(), List.copyOf(probes), endOfExternal(start));
  }

  private List<TypeText> parameters() {
    expect("(", "'(' and argument types");
    var list = new ArrayList<TypeText>();
    while (!token.is(")")) {
      list.add(parameter());
      if (token.is(",")) {
        advance();
      } else if (!token.is(")")) {
        throw expected("',' or ')'");
      }
    }
    advance();
    return List.copyOf(list);
  }

  private TypeText parameter() {
    int start = token.span().start();
    var specifier = specifier();
    var d = declarator();
    return new TypeText(specifier, d, new Span(start, Math.max(start, token.span().start())));
  }

  /** A type as in a cast. */
  private TypeText typeName() {
    int start = token.span().start();
    var specifier = specifier();
    var d = declarator();
    if (!d.name().isEmpty()) {
      throw source.error(
          d.span(), Tag.D_SYNTAX, "expected a type, found a declaration of '" + d.name() + "'");
    }
    return new TypeText(specifier, d, new Span(start, Math.max(start, token.span().start())));
  }

  private boolean startsType(Token t) {
    if (t.kind() != Token.Kind.WORD) {
      return t.is("`");
    }
    return BASE_WORDS.contains(t.text())
        || QUALIFIERS.contains(t.text())
        || Set.of("struct", "union", "enum").contains(t.text())
        || isTypeName(t.text());
  }

  private boolean isTypeName(String name) {
    return !RESERVED.contains(name) && (typedefs.contains(name) || typeNames.test(name));
  }

  private TypeText.Specifier specifier() {
    var storage = new ArrayList<String>();
    var qualifiers = new ArrayList<String>();
    var words = new ArrayList<String>();
    Optional<TypeText.Base> base = Optional.empty();
    int start = token.span().start();
    while (true) {
      if (token.kind() == Token.Kind.WORD && STORAGE.contains(token.text())) {
        storage.add(token.text());
        advance();
      } else if (token.kind() == Token.Kind.WORD && QUALIFIERS.contains(token.text())) {
        qualifiers.add(token.text());
        advance();
      } else if (token.kind() == Token.Kind.WORD
          && BASE_WORDS.contains(token.text())
          && base.isEmpty()) {
        words.add(token.text());
        advance();
      } else if (base.isEmpty() && words.isEmpty()) {
        base = Optional.of(base());
      } else {
        break;
      }
    }
    return new TypeText.Specifier(
        List.copyOf(storage),
        List.copyOf(qualifiers),
        base.orElseGet(() -> new TypeText.Words(List.copyOf(words))),
        new Span(start, Math.max(start, token.span().start())));
  }

  /**
   * A tagged or named type, with the module before it: {@code struct mod`tag}, {@code mod`name}.
   */
  private TypeText.Base base() {
    if (token.is("struct") || token.is("union") || token.is("enum")) {
      var keyword = token.text();
      advance();
      var module = "";
      var tag = "";
      if (token.kind() == Token.Kind.WORD) {
        tag = token.text();
        advance();
      }
      if (token.is("`")) {
        module = tag;
        advance();
        tag = word("the type's name").text();
      }
      if (keyword.equals("enum")) {
        Optional<List<TypeText.EnumeratorText>> list =
            token.is("{") ? Optional.of(enumerators()) : Optional.empty();
        requireTag(tag, list.isPresent(), keyword);
        return new TypeText.EnumText(module, tag, list);
      }
      Optional<List<TypeText.MemberText>> members =
          token.is("{") ? Optional.of(members()) : Optional.empty();
      requireTag(tag, members.isPresent(), keyword);
      return new TypeText.Tagged(module, keyword, tag, members);
    }
    var module = "";
    var name = "";
    if (!token.is("`")) {
      name = word("a type").text();
    }
    if (token.is("`")) {
      module = name;
      advance();
      if (token.is("struct") || token.is("union") || token.is("enum")) {
        var inner = base();
        return switch (inner) {
          case TypeText.Tagged t -> new TypeText.Tagged(module, t.keyword(), t.tag(), t.members());
          case TypeText.EnumText e -> new TypeText.EnumText(module, e.tag(), e.enumerators());
          case TypeText.Named n -> n;
          case TypeText.Words w -> w;
        };
      }
      name = word("the type's name").text();
    }
    return new TypeText.Named(module, name);
  }

  private void requireTag(String tag, boolean defined, String keyword) {
    if (tag.isEmpty() && !defined) {
      throw expected("a name or '{' after " + keyword);
    }
  }

  private List<TypeText.MemberText> members() {
    deeper();
    advance();
    var list = new ArrayList<TypeText.MemberText>();
    while (!token.is("}")) {
      var specifier = specifier();
      if (token.is(";")) {
        list.add(
            new TypeText.MemberText(
                specifier,
                new TypeText.Declarator("", List.of(), specifier.span()),
                Optional.empty()));
      }
      while (!token.is(";")) {
        var d = token.is(":") ? new TypeText.Declarator("", List.of(), token.span()) : declarator();
        Optional<Node> bits = Optional.empty();
        if (token.is(":")) {
          advance();
          bits = Optional.of(ternary());
        }
        list.add(new TypeText.MemberText(specifier, d, bits));
        if (token.is(",")) {
          advance();
        } else if (!token.is(";")) {
          throw expected("',' or ';' after the member");
        }
      }
      advance();
    }
    advance();
    depth--;
    return List.copyOf(list);
  }

  private List<TypeText.EnumeratorText> enumerators() {
    advance();
    var list = new ArrayList<TypeText.EnumeratorText>();
    while (!token.is("}")) {
      var name = word("an enumerator");
      Optional<Node> value = Optional.empty();
      if (token.is("=")) {
        advance();
        value = Optional.of(ternary());
      }
      list.add(new TypeText.EnumeratorText(name.text(), value, name.span()));
      if (token.is(",")) {
        advance();
      } else if (!token.is("}")) {
        throw expected("',' or '}' after the enumerator");
      }
    }
    advance();
    return List.copyOf(list);
  }

  /** A name or nothing, with pointers before it and brackets behind it. */
  private TypeText.Declarator declarator() {
    deeper();
    int start = token.span().start();
    var pointers = new ArrayList<TypeText.Derivation>();
    while (token.is("*")) {
      advance();
      var qualifiers = new ArrayList<String>();
      while (token.kind() == Token.Kind.WORD && QUALIFIERS.contains(token.text())) {
        qualifiers.add(token.text());
        advance();
      }
      pointers.addFirst(new TypeText.Pointer(List.copyOf(qualifiers)));
    }
    var name = "";
    var inner = new ArrayList<TypeText.Derivation>();
    if (token.is("(") && !peekIsParameters()) {
      advance();
      var nested = declarator();
      name = nested.name();
      inner.addAll(nested.derivations());
      expect(")", "')' after the declarator");
    } else if (token.kind() == Token.Kind.WORD && !RESERVED.contains(token.text())) {
      name = token.text();
      advance();
    }
    while (true) {
      if (token.is("[")) {
        advance();
        inner.add(brackets());
      } else if (token.is("(")) {
        inner.add(function());
      } else {
        break;
      }
    }
    inner.addAll(pointers);
    depth--;
    return new TypeText.Declarator(
        name, List.copyOf(inner), new Span(start, Math.max(start, token.span().start())));
  }

  /** Whether an open parenthesis starts parameters, not a nested declarator. */
  private boolean peekIsParameters() {
    var next = peek();
    return next.is(")") || startsType(next);
  }

  private TypeText.Derivation brackets() {
    if (token.is("]")) {
      advance();
      return new TypeText.Array(Optional.empty());
    }
    if (startsType(token)) {
      var keys = new ArrayList<TypeText>();
      keys.add(parameter());
      while (token.is(",")) {
        advance();
        keys.add(parameter());
      }
      expect("]", "']' after the keys");
      return new TypeText.Tuple(List.copyOf(keys));
    }
    var count = ternary();
    expect("]", "']' after the number of elements");
    return new TypeText.Array(Optional.of(count));
  }

  private TypeText.Derivation function() {
    advance();
    var list = new ArrayList<TypeText>();
    boolean variadic = false;
    while (!token.is(")")) {
      if (token.is("...")) {
        variadic = true;
        advance();
      } else {
        list.add(parameter());
      }
      if (token.is(",")) {
        advance();
      } else if (!token.is(")")) {
        throw expected("',' or ')' in the parameters");
      }
    }
    advance();
    return new TypeText.Function(List.copyOf(list), variadic);
  }

  // Expressions

  private Node expression() {
    var left = assignment();
    while (token.is(",")) {
      advance();
      var right = assignment();
      left = new Node.Comma(left, right, left.span().to(right.span()));
    }
    return left;
  }

  private Node assignment() {
    deeper();
    var left = ternary();
    if (token.kind() == Token.Kind.OPERATOR
        && token.text().endsWith("=")
        && !Set.of("==", "!=", "<=", ">=").contains(token.text())) {
      var op = token.text().substring(0, token.text().length() - 1);
      advance();
      var right = assignment();
      left = new Node.Assign(op, left, right, left.span().to(right.span()));
    }
    depth--;
    return left;
  }

  private Node ternary() {
    deeper();
    var test = binary(0);
    if (token.is("?")) {
      advance();
      var yes = expression();
      expect(":", "':' of '?:'");
      var no = ternary();
      test = new Node.Ternary(test, yes, no, test.span().to(no.span()));
    }
    depth--;
    return test;
  }

  private Node binary(int level) {
    if (level == BINARY.size()) {
      return prefix();
    }
    var left = binary(level + 1);
    while (token.kind() == Token.Kind.OPERATOR
        && BINARY.get(level).contains(token.text())
        && !(token.is("/") && predicateNesting == 0 && predicateEnds())) {
      var op = token.text();
      advance();
      var right = binary(level + 1);
      left = new Node.Infix(op, left, right, left.span().to(right.span()));
    }
    return left;
  }

  private boolean predicateEnds() {
    int back = lexer.position();
    lexer.seek(token.span().end());
    boolean ends = lexer.endsPredicate();
    lexer.seek(back);
    return ends;
  }

  private Node prefix() {
    deeper();
    var result = prefixed();
    depth--;
    return result;
  }

  private Node prefixed() {
    var first = token;
    if (first.kind() == Token.Kind.OPERATOR
        && Set.of("+", "-", "~", "!", "*", "&", "++", "--").contains(first.text())) {
      advance();
      var operand = prefix();
      return new Node.Prefix(first.text(), operand, first.span().to(operand.span()));
    }
    if (first.is("sizeof")) {
      advance();
      if (token.is("(") && startsType(peek())) {
        advance();
        var type = typeName();
        var end = token.span();
        expect(")", "')' after the type");
        return new Node.SizeofType(type, first.span().to(end));
      }
      var operand = prefix();
      return new Node.Sizeof(operand, first.span().to(operand.span()));
    }
    if (first.is("stringof")) {
      advance();
      var operand = prefix();
      return new Node.Stringof(operand, first.span().to(operand.span()));
    }
    if (first.is("(") && startsType(peek()) && !scopedNext()) {
      openParenthesis();
      var type = typeName();
      closeParenthesis("')' after the type");
      var operand = prefix();
      return new Node.Cast(type, operand, first.span().to(operand.span()));
    }
    return postfix(primary());
  }

  /**
   * Whether {@code (`} follows, which is a kernel symbol and not a type unless a type word follows.
   */
  private boolean scopedNext() {
    return peek().is("`");
  }

  private Node postfix(Node start) {
    var node = start;
    for (int count = 0; ; count++) {
      if (count > 10 * DEPTH_LIMIT) {
        throw source.error(token.span(), Tag.D_SYNTAX, "the expression is too long");
      }
      if (token.is("[")) {
        openParenthesis();
        var indexes = new ArrayList<Node>();
        indexes.add(assignment());
        while (token.is(",")) {
          advance();
          indexes.add(assignment());
        }
        var end = token.span();
        closeBracket();
        node = new Node.Index(node, List.copyOf(indexes), node.span().to(end));
      } else if (token.is("(")) {
        openParenthesis();
        var arguments = new ArrayList<Node>();
        while (!token.is(")")) {
          arguments.add(assignment());
          if (token.is(",")) {
            advance();
            if (token.is(")")) {
              throw expected("an argument after ','");
            }
          } else if (!token.is(")")) {
            throw expected("',' or ')' in the arguments");
          }
        }
        var end = token.span();
        closeParenthesis("')'");
        node = new Node.Call(node, List.copyOf(arguments), node.span().to(end));
      } else if (token.is(".") || token.is("->")) {
        boolean arrow = token.is("->");
        advance();
        var name = anyWord("a member's name");
        node = new Node.Member(node, arrow, name.text(), node.span().to(name.span()));
      } else if (token.is("++") || token.is("--")) {
        node = new Node.Postfix(token.text(), node, node.span().to(token.span()));
        advance();
      } else {
        return node;
      }
    }
  }

  private Node primary() {
    var first = token;
    switch (first.kind()) {
      case INTEGER -> {
        advance();
        return new Node.IntegerLiteral(
            first.value(),
            first.suffix().hex() || first.suffix().unsigned(),
            first.suffix().unsigned(),
            first.suffix().longs(),
            first.span());
      }
      case CHARACTER -> {
        advance();
        return new Node.CharLiteral(first.value(), first.span());
      }
      case STRING -> {
        advance();
        var text = new StringBuilder(first.text());
        var span = first.span();
        while (token.kind() == Token.Kind.STRING) {
          text.append(token.text());
          span = span.to(token.span());
          advance();
        }
        return new Node.StringLiteral(text.toString(), span);
      }
      case AGGREGATION -> {
        return aggregation();
      }
      case WORD -> {
        return named();
      }
      case OPERATOR -> {
        if (first.is("(")) {
          openParenthesis();
          var inner = expression();
          closeParenthesis("')'");
          return inner;
        }
        if (first.is("`")) {
          advance();
          var name = anyWord("a kernel symbol");
          return new Node.Symbol("", name.text(), first.span().to(name.span()));
        }
        throw expected("an expression");
      }
      case END -> throw expected("an expression");
    }
    throw expected("an expression");
  }

  private Node aggregation() {
    var first = token;
    advance();
    Optional<List<Node>> keys = Optional.empty();
    var span = first.span();
    if (token.is("[")) {
      openParenthesis();
      var list = new ArrayList<Node>();
      while (!token.is("]")) {
        list.add(assignment());
        if (token.is(",")) {
          advance();
        } else if (!token.is("]")) {
          throw expected("',' or ']' in the keys");
        }
      }
      span = span.to(token.span());
      closeBracket();
      keys = Optional.of(List.copyOf(list));
    }
    return new Node.AggregationRef(first.text(), keys, span);
  }

  private Node named() {
    var first = token;
    if (first.is("offsetof")) {
      advance();
      openExpected();
      var type = typeName();
      expect(",", "',' and a member's name");
      var member = new StringBuilder(anyWord("a member's name").text());
      while (token.is(".")) {
        advance();
        member.append('.').append(anyWord("a member's name").text());
      }
      var end = token.span();
      closeParenthesis("')'");
      return new Node.Offsetof(type, member.toString(), first.span().to(end));
    }
    if (first.is("xlate")) {
      advance();
      expect("<", "'<' and a type");
      var type = typeName();
      expect(">", "'>' after the type");
      openExpected();
      var operand = expression();
      var end = token.span();
      closeParenthesis("')'");
      return new Node.Xlate(type, operand, first.span().to(end));
    }
    if ((first.is("self") || first.is("this")) && peek().is("->")) {
      advance();
      advance();
      var name = anyWord("a variable's name");
      return new Node.Scoped(
          first.is("self") ? Node.Scope.SELF : Node.Scope.THIS,
          name.text(),
          first.span().to(name.span()));
    }
    if (RESERVED.contains(first.text()) && !first.is("return")) {
      throw expected("an expression");
    }
    advance();
    if (token.is("`")) {
      advance();
      var name = anyWord("a kernel symbol");
      return new Node.Symbol(first.text(), name.text(), first.span().to(name.span()));
    }
    return new Node.Name(first.text(), first.span());
  }

  // Tokens

  private void advance() {
    token = lexer.next();
  }

  private Token peek() {
    int back = lexer.position();
    lexer.seek(token.span().end());
    var next = lexer.next();
    lexer.seek(back);
    return next;
  }

  /** Also of brackets: within them a slash divides. */
  private void openParenthesis() {
    if (predicateNesting >= 0) {
      predicateNesting++;
    }
    advance();
  }

  private void openExpected() {
    if (!token.is("(")) {
      throw expected("'('");
    }
    openParenthesis();
  }

  private void closeParenthesis(String what) {
    close(")", what);
  }

  private void closeBracket() {
    close("]", "']'");
  }

  private void close(String bracket, String what) {
    if (!token.is(bracket)) {
      throw expected(what);
    }
    if (predicateNesting > 0) {
      predicateNesting--;
    }
    advance();
  }

  private void expect(String operator, String what) {
    if (!token.is(operator)) {
      throw expected(what);
    }
    advance();
  }

  private Token word(String what) {
    if (token.kind() != Token.Kind.WORD || RESERVED.contains(token.text())) {
      throw expected(what);
    }
    var word = token;
    advance();
    return word;
  }

  /** Members and symbols of the kernel may be called as D's words are. */
  private Token anyWord(String what) {
    if (token.kind() != Token.Kind.WORD) {
      throw expected(what);
    }
    var word = token;
    advance();
    return word;
  }

  private RuntimeException expected(String what) {
    return source.error(
        token.span(), Tag.D_SYNTAX, "expected " + what + ", found " + token.shown());
  }

  private void deeper() {
    if (++depth > DEPTH_LIMIT) {
      throw source.error(
          token.span(), Tag.D_SYNTAX, "nested deeper than " + DEPTH_LIMIT + " levels");
    }
  }
}
