// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.Span;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Cuts D text into tokens on demand. Outside of clauses the parser asks for probe descriptions
 * instead, which have an alphabet of their own; that is why it is not a list of tokens.
 */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||",
          "^^", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=");
  private static final String SINGLE = "+-*/%&|^~!<>=?:;,.(){}[]`";

  private final Source source;
  private final String text;
  private final BitSet usedArguments;
  private final List<External.Pragma> pragmas = new ArrayList<>();
  private Macros macros;
  private int at;

  /**
   * @param usedArguments is told of the arguments that the text uses
   */
  Lexer(Source source, Macros macros, BitSet usedArguments) {
    this.source = source;
    this.text = source.text();
    this.macros = macros;
    this.usedArguments = usedArguments;
    if (text.startsWith("#!")) {
      skipLine();
    }
  }

  Source source() {
    return source;
  }

  int position() {
    return at;
  }

  void seek(int position) {
    at = position;
  }

  /** Pragmas that were met since this was last asked. */
  List<External.Pragma> takePragmas() {
    var found = List.copyOf(pragmas);
    pragmas.clear();
    return found;
  }

  void useDefaults() {
    macros = macros.withDefaults();
  }

  private void skipLine() {
    while (at < text.length() && text.charAt(at) != '\n') {
      at++;
    }
  }

  /** Skips blanks, comments and control lines. */
  void skip() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (Character.isWhitespace(c)) {
        at++;
      } else if (text.startsWith("/*", at)) {
        int end = text.indexOf("*/", at + 2);
        if (end < 0) {
          throw source.error(
              new Span(at, at + 2), Tag.D_SYNTAX, "comment is not closed; expected '*/'");
        }
        at = end + 2;
      } else if (text.startsWith("//", at)) {
        skipLine();
      } else if (c == '#' && startsLine()) {
        control();
      } else {
        return;
      }
    }
  }

  private boolean startsLine() {
    for (int i = at - 1; i >= 0 && text.charAt(i) != '\n'; i--) {
      if (!Character.isWhitespace(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** {@code #pragma}, {@code #line}, {@code #ident}, {@code #error}. */
  private void control() {
    int start = at;
    skipLine();
    var span = new Span(start, at);
    var line = text.substring(start + 1, at).strip();
    int comment = line.indexOf("/*");
    if (comment >= 0) {
      line = line.substring(0, comment).strip();
    }
    var words = new ArrayList<>(List.of(line.split("\\s+")));
    var directive = words.removeFirst();
    switch (directive) {
      case "", "ident", "line" -> {}
      case "error" -> throw source.error(span, Tag.D_PRAGERR, "#error: " + String.join(" ", words));
      case "pragma" -> pragma(words, span);
      default -> {
        if (!directive.chars().allMatch(Character::isDigit)) {
          throw source.error(
              span,
              Tag.D_PRAGCTL_INVAL,
              "invalid control directive #"
                  + directive
                  + "; expected #pragma, #error, #ident or #line (there is no preprocessor)");
        }
      }
    }
  }

  private void pragma(List<String> words, Span span) {
    if (words.isEmpty()) {
      throw source.error(
          span, Tag.D_PRAGMA_MALFORM, "#pragma says nothing; expected #pragma D ...");
    }
    if (words.getFirst().equals("error")) {
      throw source.error(
          span, Tag.D_PRAGERR, "#error: " + String.join(" ", words.subList(1, words.size())));
    }
    if (words.getFirst().equals("ident") || words.getFirst().equals("line")) {
      return;
    }
    if (!words.getFirst().equals("D")) {
      // As C compilers do: another language's.
      return;
    }
    if (words.size() < 2) {
      throw source.error(
          span,
          Tag.D_PRAGMA_MALFORM,
          "#pragma D says nothing; expected attributes, binding, depends_on or option");
    }
    pragmas.add(new External.Pragma(words.get(1), words.subList(2, words.size()), span));
  }

  /** The next token inside expressions and declarations. */
  Token next() {
    skip();
    int start = at;
    if (at >= text.length()) {
      return token(Token.Kind.END, "", 0, start);
    }
    char c = text.charAt(at);
    if (isWordStart(c)) {
      return word(start);
    }
    if (c >= '0' && c <= '9') {
      return integer(number(start), start);
    }
    return switch (c) {
      case '"' -> string(start);
      case '\'' -> character(start);
      case '@' -> {
        at++;
        if (at < text.length() && isWordStart(text.charAt(at))) {
          var name = word(at);
          yield new Token(
              Token.Kind.AGGREGATION, name.text(), 0, Token.Suffix.NONE, new Span(start, at));
        }
        yield token(Token.Kind.AGGREGATION, "_", 0, start);
      }
      case '$' -> macro(start);
      default -> operator(start);
    };
  }

  private Token token(Token.Kind kind, String value, long number, int start) {
    return new Token(kind, value, number, Token.Suffix.NONE, new Span(start, at));
  }

  static boolean isWordStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  static boolean isWord(char c) {
    return isWordStart(c) || (c >= '0' && c <= '9');
  }

  private Token word(int start) {
    while (at < text.length() && isWord(text.charAt(at))) {
      at++;
    }
    return token(Token.Kind.WORD, text.substring(start, at), 0, start);
  }

  private String number(int start) {
    while (at < text.length() && isWord(text.charAt(at))) {
      at++;
    }
    return text.substring(start, at);
  }

  private Token integer(String written, int start) {
    var span = new Span(start, at);
    int end = written.length();
    int longs = 0;
    boolean unsigned = false;
    boolean hex = written.startsWith("0x") || written.startsWith("0X");
    while (end > 1 && "uUlL".indexOf(written.charAt(end - 1)) >= 0) {
      end--;
      if ("uU".indexOf(written.charAt(end)) >= 0) {
        unsigned = true;
      } else {
        longs++;
      }
    }
    int from = hex ? 2 : written.length() > 1 && written.charAt(0) == '0' && end > 1 ? 1 : 0;
    int base = hex ? 16 : from == 1 ? 8 : 10;
    if (from == end) {
      throw source.error(span, Tag.D_INT_DIGIT, "integer '" + written + "' has no digits");
    }
    long value = 0;
    for (int i = from; i < end; i++) {
      int digit = Character.digit(written.charAt(i), base);
      if (digit < 0) {
        throw source.error(
            span,
            Tag.D_INT_DIGIT,
            "digit '" + written.charAt(i) + "' is not valid in an integer of base " + base);
      }
      if (Long.compareUnsigned(value, Long.divideUnsigned(-1, base)) > 0
          || Long.compareUnsigned(value * base, -1L - digit) > 0) {
        throw source.error(
            span, Tag.D_INT_OFLOW, "integer '" + written + "' does not fit in 64 bits");
      }
      value = value * base + digit;
    }
    return new Token(
        Token.Kind.INTEGER, written, value, new Token.Suffix(base != 10, unsigned, longs), span);
  }

  private Token string(int start) {
    at++;
    var bytes = new StringBuilder();
    while (true) {
      if (at >= text.length() || text.charAt(at) == '\n') {
        throw source.error(
            new Span(start, at), Tag.D_STR_NL, "string is not closed on its line; expected '\"'");
      }
      char c = text.charAt(at);
      if (c == '"') {
        at++;
        return token(Token.Kind.STRING, bytes.toString(), 0, start);
      }
      element(bytes);
    }
  }

  private Token character(int start) {
    at++;
    var bytes = new StringBuilder();
    while (true) {
      if (at >= text.length() || text.charAt(at) == '\n') {
        throw source.error(
            new Span(start, at),
            Tag.D_CHR_NL,
            "character constant is not closed on its line; expected \"'\"");
      }
      if (text.charAt(at) == '\'') {
        at++;
        break;
      }
      element(bytes);
    }
    var span = new Span(start, at);
    if (bytes.isEmpty()) {
      throw source.error(span, Tag.D_CHR_NULL, "character constant is empty");
    }
    if (bytes.length() > Long.BYTES) {
      throw source.error(
          span, Tag.D_CHR_OFLOW, "character constant is longer than the 8 bytes of a number");
    }
    long value = 0;
    for (int i = 0; i < bytes.length(); i++) {
      value = value << 8 | bytes.charAt(i);
    }
    // As a single char is signed.
    value =
        switch (bytes.length()) {
          case 1 -> (byte) value;
          case 4 -> (int) value;
          default -> value;
        };
    return token(Token.Kind.CHARACTER, text.substring(start, at), value, start);
  }

  /** One character of a string or character constant, escapes resolved, as bytes. */
  private void element(StringBuilder into) {
    char c = text.charAt(at++);
    if (c != '\\' || at >= text.length()) {
      itself(into);
      return;
    }
    char escape = text.charAt(at++);
    switch (escape) {
      case 'a' -> into.append('\u0007');
      case 'b' -> into.append('\b');
      case 'f' -> into.append('\f');
      case 'n' -> into.append('\n');
      case 'r' -> into.append('\r');
      case 't' -> into.append('\t');
      case 'v' -> into.append('\u000b');
      case '\n' -> {}
      case 'x' -> {
        int value = 0;
        int digits = 0;
        while (digits < 2 && at < text.length() && Character.digit(text.charAt(at), 16) >= 0) {
          value = value * 16 + Character.digit(text.charAt(at++), 16);
          digits++;
        }
        into.append(digits == 0 ? 'x' : (char) value);
      }
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        int value = escape - '0';
        for (int i = 0;
            i < 2 && at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '7';
            i++) {
          value = value * 8 + text.charAt(at++) - '0';
        }
        into.append((char) (value & 0xff));
      }
      case '"', '\\' -> into.append(escape);
      default -> {
        // As DTrace: what is no escape keeps its backslash.
        into.append('\\');
        itself(into);
      }
    }
  }

  /** The character that was just read, as bytes. */
  private void itself(StringBuilder into) {
    int from = at - 1;
    if (Character.isHighSurrogate(text.charAt(from)) && at < text.length()) {
      at++;
    }
    for (byte b : text.substring(from, at).getBytes(StandardCharsets.UTF_8)) {
      into.append((char) (b & 0xff));
    }
  }

  /** {@code $1}, {@code $$1}, {@code $target}. */
  private Token macro(int start) {
    var value = macroText(start);
    if (value.string()) {
      var bytes =
          new String(value.text().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
      return token(Token.Kind.STRING, bytes, 0, start);
    }
    var content = value.text();
    var digits =
        content.startsWith("-") || content.startsWith("+") ? content.substring(1) : content;
    if (!digits.isEmpty() && Character.isDigit(digits.charAt(0))) {
      var token = macroInteger(digits, start);
      return content.startsWith("-")
          ? new Token(token.kind(), content, -token.value(), token.suffix(), token.span())
          : token;
    }
    if (!content.isEmpty()
        && isWordStart(content.charAt(0))
        && content.chars().allMatch(c -> isWord((char) c))) {
      return token(Token.Kind.WORD, content, 0, start);
    }
    throw source.error(
        new Span(start, at),
        Tag.D_SYNTAX,
        source.at(new Span(start, at))
            + " is '"
            + content
            + "', which is neither an integer nor a name; $$ makes it a string");
  }

  private Token macroInteger(String digits, int start) {
    try {
      return integer(digits, start);
    } catch (dev.fathom.base.ProgramException e) {
      if (e.tag().equals(Tag.D_INT_OFLOW.name())) {
        throw source.error(new Span(start, at), Tag.D_MACRO_OFLOW, e.detail());
      }
      throw e;
    }
  }

  private record MacroText(String text, boolean string) {}

  /** Reads a macro at {@code start} and what it stands for. */
  private MacroText macroText(int start) {
    at = start + 1;
    boolean string = at < text.length() && text.charAt(at) == '$';
    if (string) {
      at++;
    }
    int from = at;
    while (at < text.length() && isWord(text.charAt(at))) {
      at++;
    }
    var name = text.substring(from, at);
    var span = new Span(start, Math.max(at, start + 1));
    if (name.isEmpty()) {
      throw source.error(span, Tag.D_SYNTAX, "expected a number or a name after '$'");
    }
    if (name.chars().allMatch(Character::isDigit)) {
      int index = name.length() > 4 ? Integer.MAX_VALUE : Integer.parseInt(name);
      var value = macros.argument(index);
      if (value.isPresent()) {
        usedArguments.set(index);
      } else if (!macros.defaults()) {
        throw source.error(
            span,
            Tag.D_MACRO_UNDEF,
            "argument $"
                + name
                + " was not given; there are "
                + (macros.arguments().size() - 1)
                + " (option defaultargs makes it 0 or an empty string)");
      }
      // The script's name is always a string.
      return new MacroText(value.orElse(string ? "" : "0"), string || index == 0);
    }
    var value = macros.variables().get(name);
    if (value == null) {
      throw source.error(
          span,
          Tag.D_MACRO_UNDEF,
          "macro variable $"
              + name
              + " is not defined"
              + (name.equals("target")
                  ? "; it is with -c or -p"
                  : "; known are "
                      + String.join(
                          ", ",
                          macros.variables().keySet().stream()
                              .sorted()
                              .map(v -> "$" + v)
                              .toList())));
    }
    return new MacroText(Long.toString(value), string);
  }

  private Token operator(int start) {
    for (var op : OPERATORS) {
      if (text.startsWith(op, at)) {
        at += op.length();
        return token(Token.Kind.OPERATOR, op, 0, start);
      }
    }
    char c = text.charAt(at);
    at++;
    if (SINGLE.indexOf(c) < 0) {
      throw source.error(
          new Span(start, at),
          Tag.D_SYNTAX,
          "character "
              + (c > ' ' && c < 127 ? "'" + c + "'" : String.format("U+%04X", (int) c))
              + " has no meaning here");
    }
    return token(Token.Kind.OPERATOR, String.valueOf(c), 0, start);
  }

  /**
   * Whether the slash that was just read ends a predicate: a body, a semicolon or nothing follows.
   */
  boolean endsPredicate() {
    int back = at;
    skip();
    boolean ends = at >= text.length() || text.charAt(at) == '{' || text.charAt(at) == ';';
    at = back;
    return ends;
  }

  static boolean isDescription(char c) {
    return isWord(c) || "-:.?*\\[]!`@+~".indexOf(c) >= 0;
  }

  /** Reads a probe description, macros replaced; empty when none starts here. */
  Optional<External.ProbeSpec> probeSpec() {
    skip();
    int start = at;
    var spec = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '$') {
        spec.append(macroText(at).text());
      } else if (isDescription(c)) {
        spec.append(c);
        at++;
      } else {
        break;
      }
    }
    return at == start
        ? Optional.empty()
        : Optional.of(new External.ProbeSpec(spec.toString(), new Span(start, at)));
  }

  /**
   * The word that starts here if blanks and then another word or a star follow it: a declaration
   * with a type of that name, where a probe description cannot go on so.
   */
  boolean looksDeclared() {
    int back = at;
    skip();
    boolean word = at < text.length() && isWordStart(text.charAt(at));
    if (word) {
      var first = word(at);
      // A template such as module`type.
      if (at < text.length() && text.charAt(at) == '`') {
        at++;
        first = word(at);
      }
      int end = first.span().end();
      skip();
      word =
          at > end
              && at < text.length()
              && (isWordStart(text.charAt(at)) || text.charAt(at) == '*')
              && !text.startsWith("*:", at);
    }
    at = back;
    return word;
  }

  /** The word that starts here, or an empty string. */
  String peekWord() {
    int back = at;
    skip();
    int from = at;
    while (at < text.length() && isWord(text.charAt(at))) {
      at++;
    }
    // A description may begin with a keyword: char* or struct:...
    boolean alone =
        at >= text.length() || !isDescription(text.charAt(at)) || text.charAt(at) == '`';
    var word = alone ? text.substring(from, at) : "";
    at = back;
    return word;
  }

  boolean atEnd() {
    skip();
    return at >= text.length();
  }
}
