// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import dev.fathom.model.type.TypeSystem;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The part of C's preprocessor (C11 section 6.10) that declarations need: comments, {@code #define}
 * without parameters, {@code #undef}, {@code #if} and its kin. {@code #include} and macros with
 * parameters are left out, with a note. {@code #pragma pack} stays in the text as the name {@code
 * #pragma} would: it becomes tokens that the parser knows.
 */
final class Preprocessor {
  private static final int TEXT_LIMIT = 64 << 20;
  private static final int TOKEN_LIMIT = 10_000_000;
  private static final int NESTING_LIMIT = 200;
  private static final int NOTE_LIMIT = 20;

  /** What {@code #pragma pack} becomes; no name of a program begins like it. */
  static final String PACK = "__fathom_pack";

  private record Branch(boolean outer, boolean taken, boolean active) {}

  private final String text;
  private final CTextTypes.Lines lines;
  private final List<String> notes;
  private final Optional<CTextTypes.Skipped> skipped;
  private final Map<String, List<Token>> macros = new HashMap<>();
  private final Set<String> functions = new HashSet<>();
  private final Deque<Branch> branches = new ArrayDeque<>();
  private final List<Token> tokens = new ArrayList<>();

  /**
   * @param notes told of what is left out on purpose
   * @param skipped told of what is wrong and left out; empty where nothing may be wrong
   */
  Preprocessor(
      String text,
      CTextTypes.Lines lines,
      List<String> notes,
      Optional<CTextTypes.Skipped> skipped) {
    if (text.length() > TEXT_LIMIT) {
      throw new EvalException("C text is longer than " + TEXT_LIMIT + " characters");
    }
    this.text = bare(text);
    this.lines = lines;
    this.notes = notes;
    this.skipped = skipped;
  }

  /** The text with comments and joined lines blanked out; places stay. */
  static String bare(String text) {
    var chars = text.toCharArray();
    int at = 0;
    while (at < chars.length) {
      char c = chars[at];
      if (c == '\\' && at + 1 < chars.length && (chars[at + 1] == '\n' || chars[at + 1] == '\r')) {
        chars[at++] = ' ';
        if (chars[at] == '\r') {
          chars[at++] = ' ';
        }
        if (at < chars.length && chars[at] == '\n') {
          chars[at++] = ' ';
        }
      } else if (c == '"' || c == '\'') {
        at++;
        while (at < chars.length && chars[at] != c && chars[at] != '\n') {
          at += chars[at] == '\\' ? 2 : 1;
        }
        at++;
      } else if (text.startsWith("//", at)) {
        while (at < chars.length && chars[at] != '\n') {
          chars[at++] = ' ';
        }
      } else if (text.startsWith("/*", at)) {
        int end = text.indexOf("*/", at + 2);
        if (end < 0) {
          throw new EvalException(new Span(at, at + 2), "comment without end");
        }
        // A line feed in a comment does not end a directive (C11 section 5.1.1.2).
        for (; at < end + 2; at++) {
          chars[at] = ' ';
        }
      } else {
        at++;
      }
    }
    return new String(chars);
  }

  List<Token> tokens() {
    int start = 0;
    int pending = 0;
    while (start < text.length()) {
      int end = text.indexOf('\n', start);
      end = end < 0 ? text.length() : end;
      int first = start;
      while (first < end && Character.isWhitespace(text.charAt(first))) {
        first++;
      }
      if (first < end && text.charAt(first) == '#') {
        plain(pending, start);
        directive(first, end);
        pending = end;
      } else if (!active()) {
        pending = end;
      }
      start = end + 1;
    }
    plain(Math.min(pending, text.length()), text.length());
    if (!branches.isEmpty()) {
      throw new EvalException(Span.at(text.length()), "#if without #endif");
    }
    tokens.add(new Token(Token.Kind.END, "", Span.at(text.length())));
    return tokens;
  }

  private boolean active() {
    return branches.isEmpty() || branches.peek().active();
  }

  private void plain(int from, int to) {
    if (!active() || from >= to) {
      return;
    }
    List<Token> found;
    try {
      found = Lexer.tokens(text, from, to);
    } catch (EvalException e) {
      if (skipped.isEmpty() || e.span().isEmpty()) {
        throw e;
      }
      // The rest of its line is left out.
      int at = Math.clamp(e.span().get().start(), from, to - 1);
      int end = text.indexOf('\n', at);
      end = end < 0 || end > to ? to : end;
      skipped.get().text(e, at, end);
      plain(from, at);
      plain(end, to);
      return;
    }
    expand(found, tokens, new HashSet<>(), false);
  }

  /** Adds {@code from} with macros replaced, but for those that are being replaced. */
  private void expand(List<Token> from, List<Token> to, Set<String> busy, boolean condition) {
    for (int i = 0; i < from.size(); i++) {
      var token = from.get(i);
      if (token.kind() == Token.Kind.END) {
        continue;
      }
      if (to.size() >= TOKEN_LIMIT) {
        throw new EvalException(token.span(), "more than " + TOKEN_LIMIT + " tokens");
      }
      if (condition && token.isName("defined")) {
        i = defined(from, i, to);
        continue;
      }
      var body = token.kind() == Token.Kind.NAME ? macros.get(token.text()) : null;
      if (body == null || busy.contains(token.text()) || busy.size() > NESTING_LIMIT) {
        to.add(token);
      } else {
        busy.add(token.text());
        var moved = new ArrayList<Token>(body.size());
        for (var part : body) {
          moved.add(new Token(part.kind(), part.text(), part.prefix(), token.span()));
        }
        expand(moved, to, busy, condition);
        busy.remove(token.text());
      }
    }
  }

  /** Replaces {@code defined NAME} by 1 or 0; returns where its last token is. */
  private int defined(List<Token> from, int at, List<Token> to) {
    boolean bracket = at + 1 < from.size() && from.get(at + 1).is("(");
    int name = bracket ? at + 2 : at + 1;
    if (name >= from.size() || from.get(name).kind() != Token.Kind.NAME) {
      throw new EvalException(from.get(at).span(), "'defined' needs a name");
    }
    var known = isDefined(from.get(name).text()) ? "1" : "0";
    to.add(new Token(Token.Kind.NUMBER, known, from.get(at).span()));
    return bracket ? name + 1 : name;
  }

  private boolean isDefined(String name) {
    return macros.containsKey(name) || functions.contains(name);
  }

  private void directive(int from, int end) {
    int at = from + 1;
    while (at < end && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    int start = at;
    while (at < end && Character.isLetter(text.charAt(at))) {
      at++;
    }
    var span = new Span(from, Math.max(at, from + 1));
    switch (text.substring(start, at)) {
      case "if" -> begin(active() && condition(at, end) != 0);
      case "ifdef" -> begin(active() && isDefined(name(at, end, span)));
      case "ifndef" -> begin(active() && !isDefined(name(at, end, span)));
      case "elif" -> {
        var branch = top(span);
        branches.push(
            new Branch(branch.outer(), branch.taken(), branch.outer() && !branch.taken()));
        boolean now = active() && condition(at, end) != 0;
        branches.pop();
        branches.push(new Branch(branch.outer(), branch.taken() || now, now));
      }
      case "else" -> {
        var branch = top(span);
        branches.push(new Branch(branch.outer(), true, branch.outer() && !branch.taken()));
      }
      case "endif" -> top(span);
      default -> {
        if (active()) {
          other(text.substring(start, at), at, end, span);
        }
      }
    }
  }

  private void begin(boolean now) {
    if (branches.size() >= NESTING_LIMIT) {
      throw new EvalException("#if nested more than " + NESTING_LIMIT + " deep");
    }
    branches.push(new Branch(active(), now, now));
  }

  private Branch top(Span span) {
    if (branches.isEmpty()) {
      throw new EvalException(span, "no #if for this directive");
    }
    return branches.pop();
  }

  private String name(int at, int end, Span span) {
    var words = Lexer.tokens(text, at, end);
    if (words.getFirst().kind() != Token.Kind.NAME) {
      throw new EvalException(span, "a name is needed");
    }
    return words.getFirst().text();
  }

  /** What is no macro counts as 0 (C11 section 6.10.1). */
  private long condition(int at, int end) {
    var expanded = new ArrayList<Token>();
    expand(Lexer.tokens(text, at, end), expanded, new HashSet<>(), true);
    expanded.add(new Token(Token.Kind.END, "", Span.at(end)));
    var types = new TypeSystem(8);
    var parser = new Parser(expanded, types, new CTypes(DataModel.LP64), Parser.Hooks.NONE);
    var expression = parser.conditional();
    return new Constants(_ -> 1, types, _ -> OptionalLong.of(0)).value(expression);
  }

  private void other(String word, int at, int end, Span span) {
    switch (word) {
      case "define" -> define(at, end, span);
      case "undef" -> {
        var name = name(at, end, span);
        macros.remove(name);
        functions.remove(name);
      }
      case "include", "include_next", "import" ->
          note(span, "left out: #" + word + " " + text.substring(at, end).strip());
      case "pragma" -> {
        var words = Lexer.tokens(text, at, end);
        if (words.getFirst().isName("pack")) {
          tokens.add(new Token(Token.Kind.NAME, PACK, span));
          expand(words.subList(1, words.size()), tokens, new HashSet<>(), false);
          tokens.add(new Token(Token.Kind.OPERATOR, ";", Span.at(end)));
        }
      }
      case "error" -> throw new EvalException(span, "#error" + text.substring(at, end));
      default -> {}
    }
  }

  private void define(int at, int end, Span span) {
    var name = name(at, end, span);
    int from = text.indexOf(name, at) + name.length();
    if (from < end && text.charAt(from) == '(') {
      functions.add(name);
      note(span, "left out: #define " + name + "(...), which has parameters");
      return;
    }
    try {
      var body = Lexer.tokens(text, from, end);
      macros.put(name, body.subList(0, body.size() - 1));
    } catch (EvalException _) {
      // A body that is no C, such as assembler: it matters only where the name is used.
      functions.add(name);
      note(span, "left out: #define " + name + ", which is no C");
    }
  }

  private void note(Span span, String what) {
    if (notes.size() < NOTE_LIMIT) {
      notes.add(lines.at(span.start()) + ": " + what);
    }
  }
}
