// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import dev.fathom.command.CommandSpec.Reading;
import dev.fathom.command.Environment;
import dev.fathom.command.Grammar;
import dev.fathom.command.language.Expr.BinaryOperator;
import dev.fathom.command.language.Expr.UnaryOperator;
import dev.fathom.command.language.Statement.Arg;
import dev.fathom.command.language.Statement.ExprArg;
import dev.fathom.command.language.Statement.FormatChar;
import dev.fathom.command.language.Statement.FormatCount;
import dev.fathom.command.language.Statement.FormatItem;
import dev.fathom.command.language.Statement.FormatText;
import dev.fathom.command.language.Statement.Stage;
import dev.fathom.command.language.Statement.Tail;
import dev.fathom.command.language.Statement.WordArg;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads statements from text, one at a time, as mdb does:
 *
 * <pre>
 * statement = [expr] ["," expr] pipeline ["!" shell] end | expr ["," expr] ["!" shell] end
 *           | "," expr ["!" shell] end | "!" shell end | crashline
 * pipeline  = command { "|" command }
 * command   = ("/"|"\"|"@"|"?"|"=") { char | decimal | string | "$[" expr "]" }
 *           | ("::" name | "$" char | ":" char | "&gt;" name) { word | "$[" expr "]" }
 * expr      = expr binary expr | unary expr | "(" expr ")" | number | symbol [":" cpu] | "&lt;" variable
 *           | "." | "+" | "^" | "&amp;"
 * crashline = name { word } [ ("|" shell | "|" pipeline | "&gt;" file | "&gt;&gt;" file) ]
 * end       = newline | ";"
 * </pre>
 *
 * What a character means depends on where it stands, so there is no separate list of tokens: {@code
 * |} is an operator in an expression and a pipe behind a command; numbers in a format are decimal.
 *
 * <p>A {@code crashline} is a line whose first word is the bare name of a command in crash's
 * spelling, followed by a blank or the end of the statement, and not (blanks aside) by a format
 * verb, {@code ,} or {@code :}. So {@code ps -k} is crash's, {@code ps/X} and {@code ps::nm} mdb's.
 * The name of a structure or union that is no symbol's stands for {@code struct} and that name,
 * with members or without: {@code task_struct.pid,comm init_task}. What {@code >} and {@code |}
 * outside of brackets and quotes mean in it is the command's {@link Reading}.
 */
final class Parser {
  private static final int TEXT_LIMIT = 1 << 20;
  private static final int NESTING_LIMIT = 100;
  private static final int OPERATOR_LIMIT = 1000;
  private static final int COMMAND_LIMIT = 1000;

  /** How a file is named behind an expression: as no expression begins. */
  private static final Pattern PATH = Pattern.compile(">>?[ \\t]*(?:/|\\.\\.?/)");

  /** {@code |} in front of a number, which is no command. */
  private static final Pattern OR_NUMBER =
      Pattern.compile("\\|[ \\t]*(?:0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*(?![\\w./-])");

  private static final BinaryOperator[] OPERATORS = {
    // The longer of two that begin alike comes first.
    BinaryOperator.EQUAL,
    BinaryOperator.UNEQUAL,
    BinaryOperator.SHIFT_LEFT,
    BinaryOperator.SHIFT_RIGHT,
    BinaryOperator.MODULO,
    BinaryOperator.OR,
    BinaryOperator.XOR,
    BinaryOperator.AND,
    BinaryOperator.ADD,
    BinaryOperator.SUBTRACT,
    BinaryOperator.MULTIPLY,
    BinaryOperator.DIVIDE,
    BinaryOperator.ROUND_UP
  };

  private final String text;
  private final Environment environment;
  private int at;
  private int nesting;
  private int operators;
  private boolean inBrackets;

  Parser(String text, Environment environment) {
    if (text.length() > TEXT_LIMIT) {
      throw new EvalException("command line is longer than " + TEXT_LIMIT + " characters");
    }
    this.text = text;
    this.environment = environment;
  }

  /** The expression that is all of {@code text}. */
  static Expr expression(String text, Environment environment) {
    var parser = new Parser(text, environment);
    var expression = parser.expression();
    parser.skipBlanks();
    if (parser.at < text.length()) {
      throw parser.syntaxError();
    }
    return expression;
  }

  /** The next statement; empty at the end of the text. */
  Optional<Statement> next() {
    skipToStatement();
    if (at >= text.length()) {
      return Optional.empty();
    }
    operators = 0;
    var crash = crashLine();
    if (crash.isPresent()) {
      return crash;
    }
    Optional<Expr> address =
        startsExpression() ? Optional.of(expression()) : Optional.<Expr>empty();
    skipBlanks();
    Optional<Expr> count = Optional.empty();
    if (peek() == ',') {
      at++;
      count = Optional.of(expression());
      skipBlanks();
    }
    var stages = new ArrayList<Stage>();
    if (startsCommand()) {
      pipeline(stages);
    }
    var tail = shellTail();
    endStatement();
    return Optional.of(new Statement(address, count, List.copyOf(stages), tail));
  }

  private void pipeline(List<Stage> stages) {
    stages.add(command());
    skipBlanks();
    while (peek() == '|') {
      at++;
      skipBlanks();
      if (!startsCommand() || stages.size() >= COMMAND_LIMIT) {
        throw syntaxError();
      }
      stages.add(command());
      skipBlanks();
    }
  }

  private Optional<Tail> shellTail() {
    if (peek() != '!') {
      return Optional.empty();
    }
    at++;
    int start = at;
    while (at < text.length() && text.charAt(at) != ';' && text.charAt(at) != '\n') {
      at++;
    }
    return Optional.of(new Statement.ToShell(text.substring(start, at).strip()));
  }

  private void endStatement() {
    skipBlanks();
    skipComment();
    if (at < text.length()) {
      if (text.charAt(at) != ';' && text.charAt(at) != '\n') {
        throw syntaxError();
      }
      at++;
    }
  }

  // Commands

  private boolean startsCommand() {
    char c = peek();
    return switch (c) {
      case '/', '\\', '@', '?', '=', '$', ':', '>' -> true;
      default -> false;
    };
  }

  private Stage command() {
    char c = text.charAt(at);
    return switch (c) {
      case '/', '\\', '@', '?', '=' -> verb(c);
      case '$' -> dollar();
      case ':' -> colon();
      case '>' -> assignment();
      default -> throw syntaxError();
    };
  }

  private Stage verb(char verb) {
    at++;
    int mark = at;
    skipBlanks();
    char letter = peek();
    if (verb != '=' && verb != '@' && letter != 0 && "vwzWZlLM".indexOf(letter) >= 0) {
      at++;
      return new Statement.Cells(verb, letter, words());
    }
    at = mark;
    var items = new ArrayList<FormatItem>();
    for (skipBlanks(); !endsCommand(); skipBlanks()) {
      char c = text.charAt(at);
      if (c == '"') {
        items.add(new FormatText(quoted('"')));
      } else if (c >= '0' && c <= '9') {
        items.add(new FormatCount(new Expr.Number(decimal())));
      } else if (text.startsWith("$[", at)) {
        items.add(new FormatCount(bracketed()));
      } else {
        items.add(new FormatChar(c));
        at++;
      }
    }
    return new Statement.Verb(verb, List.copyOf(items));
  }

  private boolean endsCommand() {
    skipComment();
    char c = peek();
    return at >= text.length() || c == '|' || c == '!' || c == ';' || c == '\n';
  }

  private long decimal() {
    int start = at;
    while (isDigit(peek())) {
      at++;
    }
    try {
      return Long.parseUnsignedLong(text, start, at, 10);
    } catch (NumberFormatException e) {
      throw new EvalException(
          new Span(start, at), "number is too large: " + text.substring(start, at));
    }
  }

  private Stage dollar() {
    at++;
    char c = peek();
    String name;
    if (text.startsWith("<<", at)) {
      name = "$<<";
      at += 2;
    } else if (c == '<' || c == '>') {
      name = "$" + c;
      at++;
    } else if (isCommandLetter(c)) {
      name = "$" + c;
      at++;
    } else {
      name = "$?";
    }
    return new Statement.Run(Grammar.MDB, known(name), words());
  }

  private Stage colon() {
    at++;
    if (peek() != ':') {
      char c = peek();
      if (!isCommandLetter(c)) {
        throw syntaxError();
      }
      at++;
      return new Statement.Run(Grammar.MDB, known(":" + c), words());
    }
    at++;
    if (!isSymbolStart(peek())) {
      throw syntaxError();
    }
    return new Statement.Run(Grammar.MDB, known(symbol()), words());
  }

  private String known(String name) {
    if (environment.command(Grammar.MDB, name).isEmpty()) {
      boolean bare = name.startsWith("$") || name.startsWith(":");
      throw new EvalException(
          Span.at(at),
          "invalid command '"
              + (bare ? "" : "::")
              + name
              + "': unknown dcmd name"
              + (bare ? "" : NearMisses.hint(environment, name)));
    }
    return name;
  }

  private Stage assignment() {
    at++;
    var arguments = new ArrayList<Arg>();
    if (peek() == '/') {
      int end = text.indexOf('/', at + 1);
      if (end < 0 || end > at + 2) {
        throw syntaxError();
      }
      arguments.add(new WordArg(text.substring(at + 1, end)));
      at = end + 1;
    } else {
      arguments.add(new WordArg(""));
    }
    int start = at;
    while (at < text.length() && " \t;|!\n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    if (start == at) {
      throw syntaxError();
    }
    arguments.add(new WordArg(text.substring(start, at)));
    skipBlanks();
    if (!endsCommand()) {
      throw syntaxError();
    }
    return new Statement.Run(Grammar.MDB, known(">"), List.copyOf(arguments));
  }

  private static boolean isCommandLetter(char c) {
    return isLetter(c) || (c != 0 && "?%@^_`".indexOf(c) >= 0);
  }

  // Arguments

  private List<Arg> words() {
    var words = new ArrayList<Arg>();
    for (skipBlanks(); !endsCommand(); skipBlanks()) {
      if (text.startsWith("$[", at)) {
        words.add(new ExprArg(bracketed()));
      } else {
        words.add(new WordArg(word()));
      }
    }
    return List.copyOf(words);
  }

  private String word() {
    var word = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '"' || c == '\'') {
        word.append(quoted(c));
      } else if (" \t;!|\n".indexOf(c) >= 0 || text.startsWith("$[", at)) {
        break;
      } else {
        word.append(c);
        at++;
      }
    }
    return word.toString();
  }

  /** A quoted piece, without its quotes; only double quotes convert escapes. */
  private String quoted(char quote) {
    int start = at++;
    var piece = new StringBuilder();
    while (peek() != quote) {
      if (at >= text.length() || text.charAt(at) == '\n') {
        throw new EvalException(new Span(start, at), "syntax error: " + quote + " unmatched");
      }
      if (quote == '"' && peek() == '\\') {
        piece.append((char) escape());
      } else {
        piece.append(text.charAt(at++));
      }
    }
    at++;
    return piece.toString();
  }

  /** The character that a C escape stands for. */
  private int escape() {
    at++;
    char c = peek();
    if (at >= text.length()) {
      throw syntaxError();
    }
    at++;
    switch (c) {
      case 'a':
        return 7;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return 11;
      case 'x':
        return digits(16, 2, "escape");
      default:
        if (c >= '0' && c <= '7') {
          at--;
          return digits(8, 3, "escape") & 0xff;
        }
        return c;
    }
  }

  private int digits(int base, int most, String what) {
    int value = 0;
    int start = at;
    while (at < text.length() && at < start + most && Character.digit(peek(), base) >= 0) {
      value = value * base + Character.digit(peek(), base);
      at++;
    }
    if (at == start) {
      throw new EvalException(Span.at(at), "syntax error: " + what + " without digits");
    }
    return value;
  }

  private Expr bracketed() {
    int start = at;
    at += 2;
    boolean outer = inBrackets;
    inBrackets = true;
    var expression = expression();
    inBrackets = outer;
    skipBlanks();
    if (peek() != ']') {
      char c = peek();
      if (at >= text.length() || c == ';' || c == '!' || c == '\n') {
        throw new EvalException(new Span(start, at), "syntax error: $[ unmatched");
      }
      throw syntaxError();
    }
    at++;
    return expression;
  }

  // Expressions

  private boolean startsExpression() {
    char c = peek();
    return isSymbolStart(c) || isDigit(c) || (c != 0 && "'<+^&*%-~#(".indexOf(c) >= 0);
  }

  Expr expression() {
    skipBlanks();
    return binary(1);
  }

  private Expr binary(int level) {
    var left = unary();
    while (true) {
      skipBlanks();
      var operator = operator();
      if (operator == null || operator.level() < level) {
        return left;
      }
      if (++operators > OPERATOR_LIMIT) {
        throw new EvalException(Span.at(at), "expression has too many operators");
      }
      at += operator.token().length();
      skipBlanks();
      left = new Expr.Binary(operator, left, binary(operator.level() + 1));
    }
  }

  /** The binary operator that comes next, not consumed; null when none does. */
  private BinaryOperator operator() {
    for (var operator : OPERATORS) {
      if (text.startsWith(operator.token(), at)) {
        return operator;
      }
    }
    return null;
  }

  private Expr unary() {
    if (++nesting > NESTING_LIMIT) {
      throw new EvalException(Span.at(at), "expression is nested too deeply");
    }
    try {
      return switch (peek()) {
        case '*', '%' -> load();
        case '-' -> new Expr.Unary(UnaryOperator.NEGATE, operand());
        case '~' -> new Expr.Unary(UnaryOperator.COMPLEMENT, operand());
        case '#' -> new Expr.Unary(UnaryOperator.NOT, operand());
        default -> primary();
      };
    } finally {
      nesting--;
    }
  }

  private Expr operand() {
    at++;
    skipBlanks();
    return unary();
  }

  private Expr load() {
    at++;
    int size = 0;
    if (peek() == '/' && at + 2 < text.length() && text.charAt(at + 2) == '/') {
      size =
          switch (text.charAt(at + 1)) {
            case 'c', '1' -> 1;
            case 's', '2' -> 2;
            case 'i', '4' -> 4;
            case '8' -> 8;
            case 'l' -> 0;
            default -> throw syntaxError();
          };
      at += 3;
    }
    skipBlanks();
    return new Expr.Load(unary(), size);
  }

  private Expr primary() {
    char c = peek();
    switch (c) {
      case '(':
        at++;
        var inner = expression();
        skipBlanks();
        if (peek() != ')') {
          throw syntaxError();
        }
        at++;
        return inner;
      case '+':
        at++;
        return new Expr.Next();
      case '^':
        at++;
        return new Expr.Previous();
      case '&':
        at++;
        return new Expr.LastAddress();
      case '<':
        at++;
        return new Expr.Variable(variable());
      case '\'':
        return new Expr.Number(characters());
      default:
        if (isDigit(c)) {
          return number();
        }
        if (isSymbolStart(c)) {
          return name();
        }
        throw syntaxError();
    }
  }

  private String variable() {
    if (isDigit(peek())) {
      at++;
      return text.substring(at - 1, at);
    }
    if (!isSymbolStart(peek())) {
      throw syntaxError();
    }
    return symbol();
  }

  private Expr name() {
    var name = symbol();
    if (name.equals(".")) {
      return new Expr.Dot();
    }
    if (peek() == ':' && at + 1 < text.length() && isDigit(text.charAt(at + 1))) {
      at++;
      return new Expr.PerCpu(name, cpu());
    }
    for (int i = 0; i < name.length(); i++) {
      if (Character.digit(name.charAt(i), 16) < 0) {
        return new Expr.Name(name);
      }
    }
    return new Expr.Digits(name);
  }

  /** The number of a CPU: decimal, as people count CPUs. */
  private int cpu() {
    int start = at;
    long number = decimal();
    if (Long.compareUnsigned(number, Integer.MAX_VALUE) > 0 || isSymbolStart(peek())) {
      throw new EvalException(
          new Span(start, at), "'" + text.substring(start, at) + symbol() + "' is not a CPU");
    }
    return (int) number;
  }

  private String symbol() {
    int start = at;
    while (isSymbolStart(peek()) || isDigit(peek()) || peek() == '`') {
      at++;
    }
    return text.substring(start, at);
  }

  private Expr number() {
    int start = at;
    int base =
        peek() != '0' || at + 1 >= text.length()
            ? 0
            : switch (text.charAt(at + 1)) {
              case 'i', 'I' -> 2;
              case 'o', 'O' -> 8;
              case 't', 'T' -> 10;
              case 'x', 'X' -> 16;
              default -> 0;
            };
    if (base == 0) {
      while (at < text.length() && Character.digit(peek(), 16) >= 0) {
        at++;
      }
      return new Expr.Digits(text.substring(start, at));
    }
    at += 2;
    int first = at;
    while (at < text.length() && Character.digit(peek(), base) >= 0) {
      at++;
    }
    if (first == at) {
      throw syntaxError();
    }
    if (base == 10 && peek() == '.') {
      at++;
      while (isDigit(peek())) {
        at++;
      }
      return new Expr.Number(
          Double.doubleToRawLongBits(Double.parseDouble(text.substring(first, at))));
    }
    return new Expr.Number(Evaluator.parseNumber(text.substring(first, at), base));
  }

  /** The value of a character constant: the first character is the most significant. */
  private long characters() {
    int start = at++;
    long value = 0;
    int count = 0;
    while (peek() != '\'') {
      if (at >= text.length() || text.charAt(at) == '\n') {
        throw new EvalException(new Span(start, at), "syntax error: ' unmatched");
      }
      int c = peek() == '\\' ? escape() : text.charAt(at++);
      if (++count > 8 || c > 0xff) {
        throw new EvalException(new Span(start, at), "character constant may not exceed 8 bytes");
      }
      value = value << 8 | c;
    }
    at++;
    return value;
  }

  // crash's spelling

  private Optional<Statement> crashLine() {
    int start = at;
    if (!isSymbolStart(peek())) {
      return Optional.empty();
    }
    var name = symbol();
    int end = at;
    skipBlanks();
    char c = peek();
    boolean separated = at > end || at >= text.length() || "|;\n>".indexOf(c) >= 0;
    var found = environment.command(Grammar.CRASH, name);
    var reading = found.isPresent() ? found.get().spec().reading() : Reading.WORDS;
    boolean isC = reading.isC();
    boolean mdb = c != 0 && "/\\@?=,:".indexOf(c) >= 0 && !(isC && separated && isGlobalName());
    boolean format = isC && c == '/' && isFormat(text.charAt(Math.min(at + 1, text.length() - 1)));
    boolean known = found.isPresent() && ((separated && !mdb) || format);
    boolean members = at == end && name.indexOf('.') > 0 && (c == ',' || c == '[');
    boolean structure = !known && ((separated && !mdb) || members) && environment.isStructure(name);
    if (!known && !structure) {
      at = start;
      return Optional.empty();
    }
    var words = new ArrayList<Arg>();
    if (structure) {
      at = start;
    }
    if (name.equals("set") && setsC()) {
      reading = Reading.STATEMENT;
    }
    while (at < text.length() && ";\n".indexOf(peek()) < 0) {
      // No expression begins so: without one even a statement's output can go elsewhere.
      if (leaves(words.isEmpty() ? Reading.WORDS : reading)) {
        break;
      }
      var word = crashWord(reading);
      words.add(new WordArg(word));
      if (reading == Reading.CONDITION && word.equals("if")) {
        reading = Reading.STATEMENT;
      }
      skipBlanks();
    }
    var stages = new ArrayList<Stage>();
    var command = structure ? "struct" : name;
    stages.add(new Statement.Run(Grammar.CRASH, command, List.copyOf(words)));
    var tail = crashTail(stages);
    if (at < text.length()) {
      at++;
    }
    return Optional.of(
        new Statement(Optional.empty(), Optional.empty(), List.copyOf(stages), tail));
  }

  /** Whether C++'s name of something outside of all scopes stands here, not a dcmd. */
  private boolean isGlobalName() {
    int end = at + 2;
    while (end < text.length() && Character.isJavaIdentifierPart(text.charAt(end))) {
      end++;
    }
    return text.startsWith("::", at)
        && end > at + 2
        && environment.command(Grammar.MDB, text.substring(at + 2, end)).isEmpty();
  }

  /**
   * A word: blanks and separators inside brackets or quotes belong to it. Quotes are taken away
   * unless it is C, but for those of a C character constant.
   */
  private String crashWord(Reading reading) {
    boolean keep = reading.isC();
    var word = new StringBuilder();
    int depth = 0;
    while (at < text.length() && text.charAt(at) != '\n') {
      char c = text.charAt(at);
      if (c == '\'' && characterConstant() > 0) {
        int end = at + characterConstant();
        word.append(text, at, end);
        at = end;
        continue;
      }
      if (c == '"' || c == '\'') {
        int start = at;
        var inside = quoted(c);
        word.append(keep ? text.substring(start, at) : inside);
        continue;
      }
      if (c == '<' && !word.isEmpty() && isLetter(word.charAt(word.length() - 1))) {
        int end = templateEnd();
        if (end > 0) {
          word.append(text, at, end);
          at = end;
          continue;
        }
      }
      if (keep && (text.startsWith("||", at) || text.startsWith(">>", at))) {
        if (depth == 0 && leaves(reading)) {
          break;
        }
        word.append(c).append(c);
        at += 2;
        continue;
      }
      if (depth == 0 && (" \t;".indexOf(c) >= 0 || leaves(reading))) {
        break;
      }
      // A condition may stand close to its word: no function is called "if".
      if (c == '(' && reading != Reading.WORDS && word.toString().equals("if")) {
        break;
      }
      depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
      depth = Math.max(0, depth);
      word.append(c);
      at++;
    }
    return word.toString();
  }

  /**
   * Where the arguments of a C++ template end that begin here, as in {@code vector<pair<int, int>
   * >}; 0 when this is an operator. The sign that ends them stands behind a name or another such
   * sign.
   */
  private int templateEnd() {
    int depth = 0;
    char before = ' ';
    for (int i = at; i < text.length() && ";|\n\"'".indexOf(text.charAt(i)) < 0; i++) {
      char c = text.charAt(i);
      depth += c == '<' ? 1 : 0;
      if (c == '>') {
        boolean closes = text.charAt(i - 1) != ' ' || before == '>';
        if (!closes || text.charAt(i - 1) == '-') {
          return 0;
        }
        if (--depth == 0) {
          return i + 1;
        }
      }
      before = c == ' ' ? before : c;
    }
    return 0;
  }

  /** The length of the C character constant that begins here, as {@code 'a'}; 0 without one. */
  private int characterConstant() {
    int length = text.startsWith("\\", at + 1) ? 4 : 3;
    return at + length <= text.length()
            && text.charAt(at + length - 1) == '\''
            && text.charAt(at + 1) != '\''
            && text.charAt(at + length - 2) != '\n'
        ? length
        : 0;
  }

  private static boolean isFormat(char c) {
    return isLetter(c) || isDigit(c) || c == '-';
  }

  /** Whether what follows {@code set} is gdb's: an assignment. */
  private boolean setsC() {
    return peek() == '$' || text.startsWith("var", at);
  }

  /**
   * Whether the output goes to a file or a command from here on. {@code ->}, {@code >=} and {@code
   * |=} are operators everywhere.
   */
  private boolean leaves(Reading reading) {
    char c = peek();
    if (c != '|' && c != '>') {
      return false;
    }
    if (text.startsWith("=", at + 1) || (c == '>' && text.charAt(at - 1) == '-')) {
      return false;
    }
    return switch (reading) {
      case WORDS, CONDITION -> true;
      case C -> !text.startsWith("||", at);
      case EXPRESSION ->
          c == '>'
              ? PATH.matcher(text).region(at, text.length()).lookingAt()
              : !text.startsWith("||", at)
                  && !OR_NUMBER.matcher(text).region(at, text.length()).lookingAt();
      case STATEMENT -> false;
    };
  }

  private Optional<Tail> crashTail(List<Stage> stages) {
    if (peek() == '>') {
      boolean append = text.startsWith(">>", at);
      at += append ? 2 : 1;
      skipBlanks();
      var path = crashWord(Reading.WORDS);
      skipBlanks();
      if (path.isEmpty() || (at < text.length() && ";\n".indexOf(peek()) < 0)) {
        throw syntaxError();
      }
      return Optional.of(new Statement.ToFile(path, append));
    }
    while (peek() == '|') {
      at++;
      skipBlanks();
      if (!text.startsWith("::", at)) {
        int start = at;
        while (at < text.length() && text.charAt(at) != '\n') {
          at++;
        }
        return Optional.of(new Statement.ToShell(text.substring(start, at).strip()));
      }
      stages.add(command());
      skipBlanks();
    }
    return shellTail();
  }

  // Characters

  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isLetter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }

  private static boolean isSymbolStart(char c) {
    return isLetter(c) || c == '_' || c == '.';
  }

  private void skipBlanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') {
      at++;
    }
  }

  private void skipComment() {
    if (!inBrackets && text.startsWith("//", at)) {
      int end = text.indexOf('\n', at);
      at = end < 0 ? text.length() : end;
    }
  }

  private void skipToStatement() {
    int start;
    do {
      start = at;
      skipBlanks();
      skipComment();
      while (peek() == ';' || peek() == '\n') {
        at++;
      }
    } while (at != start);
  }

  private EvalException syntaxError() {
    int start = Math.min(at, text.length());
    if (start == text.length()) {
      return new EvalException(Span.at(start), "syntax error near \"\\n\"");
    }
    int end = start + 1;
    if (isSymbolStart(text.charAt(start)) || isDigit(text.charAt(start))) {
      while (end < text.length()
          && (isSymbolStart(text.charAt(end)) || isDigit(text.charAt(end)))) {
        end++;
      }
    }
    var near = text.substring(start, end);
    return new EvalException(
        new Span(start, end), "syntax error near \"" + (near.equals("\n") ? "\\n" : near) + "\"");
  }
}
