// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.demangle;

import dev.fathom.base.BadDataException;
import dev.fathom.symbols.demangle.Node.Name;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Parses one mangled name, by the grammar of the Itanium C++ ABI, section 5.1. Each method is named
 * after the production that it reads.
 */
final class Parser {
  private static final int MAX_DEPTH = 256;
  private static final int MAX_PARTS = 1 << 14;
  private static final Name EMPTY = new Name("");

  private static final Map<String, String> BUILTIN =
      Map.ofEntries(
          Map.entry("v", "void"),
          Map.entry("w", "wchar_t"),
          Map.entry("b", "bool"),
          Map.entry("c", "char"),
          Map.entry("a", "signed char"),
          Map.entry("h", "unsigned char"),
          Map.entry("s", "short"),
          Map.entry("t", "unsigned short"),
          Map.entry("i", "int"),
          Map.entry("j", "unsigned int"),
          Map.entry("l", "long"),
          Map.entry("m", "unsigned long"),
          Map.entry("x", "long long"),
          Map.entry("y", "unsigned long long"),
          Map.entry("n", "__int128"),
          Map.entry("o", "unsigned __int128"),
          Map.entry("f", "float"),
          Map.entry("d", "double"),
          Map.entry("e", "long double"),
          Map.entry("g", "__float128"),
          Map.entry("z", "..."),
          Map.entry("Dd", "decimal64"),
          Map.entry("De", "decimal128"),
          Map.entry("Df", "decimal32"),
          Map.entry("Dh", "half"),
          Map.entry("Di", "char32_t"),
          Map.entry("Ds", "char16_t"),
          Map.entry("Du", "char8_t"),
          Map.entry("Da", "auto"),
          Map.entry("Dc", "decltype(auto)"),
          Map.entry("Dn", "decltype(nullptr)"));

  /** An operator's spelling and how many operands it has in an expression. */
  private record Operator(String text, int operands) {}

  private static final Map<String, Operator> OPERATORS =
      Map.ofEntries(
          operator("nw", "new", 3),
          operator("na", "new[]", 3),
          operator("dl", "delete", 1),
          operator("da", "delete[]", 1),
          operator("aw", "co_await ", 1),
          operator("ps", "+", 1),
          operator("ng", "-", 1),
          operator("ad", "&", 1),
          operator("de", "*", 1),
          operator("co", "~", 1),
          operator("pl", "+", 2),
          operator("mi", "-", 2),
          operator("ml", "*", 2),
          operator("dv", "/", 2),
          operator("rm", "%", 2),
          operator("an", "&", 2),
          operator("or", "|", 2),
          operator("eo", "^", 2),
          operator("aS", "=", 2),
          operator("pL", "+=", 2),
          operator("mI", "-=", 2),
          operator("mL", "*=", 2),
          operator("dV", "/=", 2),
          operator("rM", "%=", 2),
          operator("aN", "&=", 2),
          operator("oR", "|=", 2),
          operator("eO", "^=", 2),
          operator("ls", "<<", 2),
          operator("rs", ">>", 2),
          operator("lS", "<<=", 2),
          operator("rS", ">>=", 2),
          operator("eq", "==", 2),
          operator("ne", "!=", 2),
          operator("lt", "<", 2),
          operator("gt", ">", 2),
          operator("le", "<=", 2),
          operator("ge", ">=", 2),
          operator("ss", "<=>", 2),
          operator("nt", "!", 1),
          operator("aa", "&&", 2),
          operator("oo", "||", 2),
          operator("pp", "++", 1),
          operator("mm", "--", 1),
          operator("cm", ",", 2),
          operator("pm", "->*", 2),
          operator("pt", "->", 2),
          operator("dt", ".", 2),
          operator("ds", ".*", 2),
          operator("cl", "()", 2),
          operator("ix", "[]", 2),
          operator("qu", "?", 3));

  private static Map.Entry<String, Operator> operator(String code, String text, int operands) {
    return Map.entry(code, new Operator(text, operands));
  }

  private final String in;
  private int at;
  private int depth;
  private final List<Node> substitutions = new ArrayList<>();

  /** What {@code T_}, {@code T0_} ... stand for. */
  private List<Node> arguments = new ArrayList<>();

  /** Parameters whose arguments come later, inside a conversion operator's type. */
  private final List<Node.Later> later = new ArrayList<>();

  private boolean laterAllowed;

  Parser(String in, int at) {
    this.in = in;
    this.at = at;
  }

  /** The rest is not what the grammar says, or of a kind that is not known. */
  private BadDataException unknown() {
    return new BadDataException("mangled name", at, "is not understood");
  }

  /** What a name said about the function that it may be of. */
  private static final class NameInfo {
    /** Whether its template arguments are what parameters stand for from then on. */
    private final boolean ofFunction;

    private String suffix = "";
    private boolean templated;
    private boolean structorOrConversion;

    NameInfo(boolean ofFunction) {
      this.ofFunction = ofFunction;
    }
  }

  Node whole() {
    var node = encoding(true);
    while (at < in.length() && in.charAt(at) == '.') {
      node = new Node.Wrapped("", node, " [clone " + cloneSuffix() + "]");
    }
    require(at == in.length());
    return node;
  }

  /** {@code .constprop.0}, {@code .part.3.cold}. */
  private String cloneSuffix() {
    int start = at;
    at++;
    require(at < in.length() && (isWord(in.charAt(at))));
    while (at < in.length() && isWord(in.charAt(at))) {
      at++;
    }
    while (at + 1 < in.length() && in.charAt(at) == '.' && isDigit(in.charAt(at + 1))) {
      at++;
      while (at < in.length() && isDigit(in.charAt(at))) {
        at++;
      }
    }
    return in.substring(start, at);
  }

  private static boolean isWord(char c) {
    return (c >= 'a' && c <= 'z') || isDigit(c) || c == '_';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private void require(boolean condition) {
    if (!condition) {
      throw unknown();
    }
  }

  private char peek() {
    return at < in.length() ? in.charAt(at) : 0;
  }

  private char peek(int ahead) {
    return at + ahead < in.length() ? in.charAt(at + ahead) : 0;
  }

  private boolean take(String text) {
    if (!in.startsWith(text, at)) {
      return false;
    }
    at += text.length();
    return true;
  }

  private void expect(String text) {
    require(take(text));
  }

  private void enter() {
    require(++depth < MAX_DEPTH);
  }

  private <T extends Node> T remember(T node) {
    require(substitutions.size() < MAX_PARTS);
    substitutions.add(node);
    return node;
  }

  private Node encoding(boolean top) {
    enter();
    var node = peek() == 'G' || peek() == 'T' ? specialName() : function(top);
    depth--;
    return node;
  }

  private Node function(boolean top) {
    var info = new NameInfo(true);
    int pending = later.size();
    boolean outer = laterAllowed;
    var name = name(info);
    for (var one : later.subList(pending, later.size())) {
      require(one.index < arguments.size());
      var argument = arguments.get(one.index);
      one.is = argument instanceof Node.Pack pack ? new Node.PackParameter(pack) : argument;
    }
    later.subList(pending, later.size()).clear();
    laterAllowed = outer;
    if (at == in.length() || peek() == 'E' || peek() == '.') {
      return name;
    }
    var result = Optional.<Node>empty();
    if (info.templated && !info.structorOrConversion) {
      var type = type();
      result = top ? Optional.of(type) : Optional.empty();
    }
    return new Node.Encoding(result, name, parameters(), info.suffix);
  }

  /** Types up to the end; {@code v} alone is none. */
  private List<Node> parameters() {
    var types = new ArrayList<Node>();
    while (at < in.length() && peek() != 'E' && peek() != '.' && !isRefBeforeEnd()) {
      types.add(type());
    }
    require(!types.isEmpty());
    boolean none = types.size() == 1 && types.getFirst() instanceof Name(var n) && n.equals("void");
    return none ? List.of() : types;
  }

  private boolean isRefBeforeEnd() {
    return (peek() == 'R' || peek() == 'O') && peek(1) == 'E';
  }

  private Node specialName() {
    if (take("TV")) {
      return new Node.Wrapped("vtable for ", type(), "");
    }
    if (take("TT")) {
      return new Node.Wrapped("VTT for ", type(), "");
    }
    if (take("TI")) {
      return new Node.Wrapped("typeinfo for ", type(), "");
    }
    if (take("TS")) {
      return new Node.Wrapped("typeinfo name for ", type(), "");
    }
    if (take("TW")) {
      return new Node.Wrapped("TLS wrapper function for ", name(new NameInfo(false)), "");
    }
    if (take("TH")) {
      return new Node.Wrapped("TLS init function for ", name(new NameInfo(false)), "");
    }
    if (take("TC")) {
      var derived = type();
      number();
      expect("_");
      return new Node.Row(
          List.of(new Name("construction vtable for "), type(), new Name("-in-"), derived));
    }
    if (take("Tc")) {
      callOffset();
      callOffset();
      return new Node.Wrapped("covariant return thunk to ", encoding(false), "");
    }
    if (peek() == 'T' && (peek(1) == 'h' || peek(1) == 'v')) {
      boolean virtual = peek(1) == 'v';
      at++;
      callOffset();
      return new Node.Wrapped(
          virtual ? "virtual thunk to " : "non-virtual thunk to ", encoding(false), "");
    }
    if (take("GV")) {
      return new Node.Wrapped("guard variable for ", name(new NameInfo(false)), "");
    }
    if (take("GR")) {
      var name = name(new NameInfo(false));
      int number = peek() == '_' ? 0 : seq() + 1;
      take("_");
      return new Node.Wrapped("reference temporary #" + number + " for ", name, "");
    }
    if (take("GTt")) {
      return new Node.Wrapped("transaction clone for ", encoding(false), "");
    }
    throw unknown();
  }

  private void callOffset() {
    if (take("h")) {
      number();
      expect("_");
    } else {
      expect("v");
      number();
      expect("_");
      number();
      expect("_");
    }
  }

  /** A decimal number, {@code n} for minus. */
  private String number() {
    boolean negative = take("n");
    int start = at;
    while (isDigit(peek())) {
      at++;
    }
    require(at > start);
    return (negative ? "-" : "") + in.substring(start, at);
  }

  /** A number to the base of 36, without its underscore. */
  private int seq() {
    int value = 0;
    int start = at;
    while (isDigit(peek()) || (peek() >= 'A' && peek() <= 'Z')) {
      value = value * 36 + Character.digit(in.charAt(at++), 36);
      require(value < MAX_PARTS);
    }
    require(at > start);
    return value;
  }

  private Node name(NameInfo info) {
    enter();
    var node = nameInside(info);
    depth--;
    return node;
  }

  private Node nameInside(NameInfo info) {
    switch (peek()) {
      case 'N' -> {
        return nestedName(info);
      }
      case 'Z' -> {
        return localName(info);
      }
      default -> {}
    }
    Node node;
    if (peek() == 'S' && peek(1) != 't') {
      node = substitution();
      require(peek() == 'I');
    } else {
      boolean std = take("St");
      node = unqualifiedName(info, EMPTY);
      if (std) {
        node = new Node.Qualified(new Name("std"), node);
      }
      if (peek() == 'I') {
        remember(node);
      }
    }
    if (peek() == 'I') {
      node = new Node.Template(node, templateArguments(info.ofFunction));
      info.templated = true;
    }
    return node;
  }

  private Node nestedName(NameInfo info) {
    expect("N");
    if (take("H")) {
      throw unknown(); // an explicit object parameter
    }
    var suffix = qualifiers();
    if (take("R")) {
      suffix += " &";
    } else if (take("O")) {
      suffix += " &&";
    }
    Node node = EMPTY;
    boolean remembered = false;
    while (!take("E")) {
      require(at < in.length());
      info.templated = false;
      remembered = true;
      char c = peek();
      if (c == 'S' && peek(1) != 't') {
        require(isEmpty(node));
        node = substitution();
        remembered = false;
        continue;
      }
      if (c == 'T') {
        require(isEmpty(node));
        node = remember(templateParameter());
        continue;
      }
      if (c == 'I') {
        require(!isEmpty(node));
        node = remember(new Node.Template(node, templateArguments(info.ofFunction)));
        info.templated = true;
        continue;
      }
      if (c == 'D' && (peek(1) == 't' || peek(1) == 'T')) {
        require(isEmpty(node));
        node = remember(decltype());
        continue;
      }
      if (take("M")) {
        continue; // what precedes is the variable that a lambda initialises
      }
      if (take("St")) {
        node = new Name("std");
        remembered = false;
        continue;
      }
      var part = unqualifiedName(info, node);
      node = isEmpty(node) ? part : new Node.Qualified(node, part);
      remember(node);
    }
    // The whole name is a candidate only where it is a type; then that is remembered instead.
    require(!isEmpty(node));
    if (remembered && !substitutions.isEmpty()) {
      substitutions.removeLast();
    }
    info.suffix = suffix;
    return node;
  }

  private static boolean isEmpty(Node node) {
    return node instanceof Name(var text) && text.isEmpty();
  }

  private Node localName(NameInfo info) {
    expect("Z");
    var scope = encoding(false);
    expect("E");
    if (take("s")) {
      discriminator();
      return new Node.Qualified(scope, new Name("string literal"));
    }
    if (take("d")) {
      int number = peek() == '_' ? 1 : Integer.parseInt(shortNumber()) + 2;
      expect("_");
      var inner = new Node.Qualified(new Name("{default arg#" + number + "}"), name(info));
      return new Node.Qualified(scope, inner);
    }
    var name = name(info);
    discriminator();
    return new Node.Qualified(scope, name);
  }

  private String shortNumber() {
    var digits = number();
    require(digits.length() < 8 && !digits.startsWith("-"));
    return digits;
  }

  private void discriminator() {
    if (peek() == '_' && isDigit(peek(1))) {
      at += 2;
    } else if (peek() == '_' && peek(1) == '_' && isDigit(peek(2))) {
      at += 2;
      number();
      expect("_");
    }
  }

  private Node unqualifiedName(NameInfo info, Node scope) {
    info.structorOrConversion = false;
    Node node;
    take("L");
    char c = peek();
    if (isDigit(c)) {
      node = sourceName();
    } else if (c == 'U') {
      node = unnamedType();
    } else if (c == 'D' && peek(1) == 'C') {
      at += 2;
      var names = new ArrayList<Node>();
      while (!take("E")) {
        names.add(sourceName());
      }
      node = new Node.Commas("[", names, "]");
    } else if (c == 'C' || c == 'D') {
      node = structor(scope);
      info.structorOrConversion = true;
    } else {
      node = operatorName(info);
    }
    while (take("B")) {
      require(isDigit(peek()));
      node = new Node.Tagged(node, sourceText());
    }
    return node;
  }

  private Node structor(Node scope) {
    boolean destructor = peek() == 'D';
    at++;
    if (!destructor && take("I")) {
      require(isDigit(peek()));
      at++;
      type();
    } else {
      require(isDigit(peek()));
      at++;
    }
    return new Node.Structor(last(scope), destructor);
  }

  /** The name that a class's constructor has. */
  private Node last(Node scope) {
    var node = scope;
    while (true) {
      switch (node) {
        case Node.Qualified q -> node = q.name();
        case Node.Template t -> node = t.name();
        case Node.Tagged t -> node = t.name();
        case Node.Std s -> {
          return new Name(s.last());
        }
        case Name n -> {
          require(!n.text().isEmpty());
          return n;
        }
        case Node.Lambda l -> {
          return l;
        }
        default -> throw unknown();
      }
    }
  }

  private Name sourceName() {
    var text = sourceText();
    boolean anonymous =
        text.startsWith("_GLOBAL_")
            && text.length() > 9
            && "._$".indexOf(text.charAt(8)) >= 0
            && text.charAt(9) == 'N';
    return new Name(anonymous ? "(anonymous namespace)" : text);
  }

  private String sourceText() {
    int length = Integer.parseInt(shortNumber());
    require(length > 0 && length <= in.length() - at);
    at += length;
    return in.substring(at - length, at);
  }

  private Node unnamedType() {
    if (take("Ut")) {
      int number = peek() == '_' ? 1 : Integer.parseInt(shortNumber()) + 2;
      expect("_");
      return remember(new Name("{unnamed type#" + number + "}"));
    }
    expect("Ul");
    var types = new ArrayList<Node>();
    while (!take("E")) {
      types.add(type());
    }
    if (types.size() == 1 && types.getFirst() instanceof Name(var n) && n.equals("void")) {
      types.clear();
    }
    int number = peek() == '_' ? 1 : Integer.parseInt(shortNumber()) + 2;
    expect("_");
    return new Node.Lambda(types, Integer.toString(number));
  }

  private Node operatorName(NameInfo info) {
    if (take("cv")) {
      boolean outer = laterAllowed;
      laterAllowed = true;
      var type = type();
      laterAllowed = outer;
      info.structorOrConversion = true;
      return new Node.Conversion(type);
    }
    if (take("li")) {
      return new Name("operator\"\" " + sourceText());
    }
    var operator = at + 2 <= in.length() ? OPERATORS.get(in.substring(at, at + 2)) : null;
    require(operator != null);
    at += 2;
    var text = operator.text().strip();
    return new Name("operator" + (Character.isLowerCase(text.charAt(0)) ? " " : "") + text);
  }

  private Node substitution() {
    expect("S");
    char c = peek();
    if (c == '_' || isDigit(c) || (c >= 'A' && c <= 'Z')) {
      int index = c == '_' ? 0 : seq() + 1;
      expect("_");
      require(index < substitutions.size());
      return substitutions.get(index);
    }
    at++;
    Node node =
        switch (c) {
          case 'a' -> new Node.Std("std::allocator", "allocator");
          case 'b' -> new Node.Std("std::basic_string", "basic_string");
          case 's' ->
              new Node.Std(
                  "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
                  "basic_string");
          case 'i' ->
              new Node.Std("std::basic_istream<char, std::char_traits<char> >", "basic_istream");
          case 'o' ->
              new Node.Std("std::basic_ostream<char, std::char_traits<char> >", "basic_ostream");
          case 'd' ->
              new Node.Std("std::basic_iostream<char, std::char_traits<char> >", "basic_iostream");
          default -> throw unknown();
        };
    while (take("B")) {
      node = remember(new Node.Tagged(node, sourceText()));
    }
    return node;
  }

  private Node templateParameter() {
    expect("T");
    int index = peek() == '_' ? 0 : seq10() + 1;
    expect("_");
    if (index < arguments.size() && !laterAllowed) {
      var argument = arguments.get(index);
      return argument instanceof Node.Pack pack ? new Node.PackParameter(pack) : argument;
    }
    if (laterAllowed) {
      var one = new Node.Later(index);
      later.add(one);
      return one;
    }
    // A generic lambda's parameter.
    return new Name("auto:" + (index + 1));
  }

  private int seq10() {
    return Integer.parseInt(shortNumber());
  }

  private List<Node> templateArguments(boolean current) {
    enter();
    expect("I");
    boolean outerLater = laterAllowed;
    laterAllowed = false;
    var list = new ArrayList<Node>();
    if (current) {
      arguments = new ArrayList<>();
    }
    while (!take("E")) {
      require(list.size() < MAX_PARTS);
      var argument = templateArgument();
      list.add(argument);
      if (current) {
        arguments = new ArrayList<>(list);
      }
    }
    laterAllowed = outerLater;
    depth--;
    return list;
  }

  private Node templateArgument() {
    enter();
    Node node;
    switch (peek()) {
      case 'X' -> {
        at++;
        node = expression();
        expect("E");
      }
      case 'L' -> node = literal();
      case 'J' -> {
        at++;
        var nodes = new ArrayList<Node>();
        while (!take("E")) {
          require(nodes.size() < MAX_PARTS);
          nodes.add(templateArgument());
        }
        node = new Node.Pack(nodes);
      }
      default -> {
        var saved = arguments;
        node = type();
        arguments = saved;
      }
    }
    depth--;
    return node;
  }

  private String qualifiers() {
    var text = new StringBuilder();
    // The outermost stands first in the mangled name and last in the text.
    boolean restrict = take("r");
    boolean isVolatile = take("V");
    boolean isConst = take("K");
    text.append(isConst ? " const" : "");
    text.append(isVolatile ? " volatile" : "");
    text.append(restrict ? " restrict" : "");
    return text.toString();
  }

  Node type() {
    enter();
    var node = typeInside();
    depth--;
    return node;
  }

  private Node typeInside() {
    char c = peek();
    if (c == 'r' || c == 'V' || c == 'K') {
      var suffix = qualifiers().replace("restrict", "__restrict");
      if (peek() == 'F' || (peek() == 'D' && (peek(1) == 'o' || peek(1) == 'O'))) {
        return remember(functionType(suffix));
      }
      return remember(new Node.Suffixed(type(), suffix));
    }
    for (int length = 1; length <= 2 && at + length <= in.length(); length++) {
      var builtin = BUILTIN.get(in.substring(at, at + length));
      if (builtin != null) {
        at += length;
        return new Name(builtin);
      }
    }
    switch (c) {
      case 'u' -> {
        at++;
        return remember(sourceName());
      }
      case 'P' -> {
        at++;
        return remember(new Node.Pointer(type(), "*"));
      }
      case 'R' -> {
        at++;
        return remember(new Node.Pointer(type(), "&"));
      }
      case 'O' -> {
        at++;
        return remember(new Node.Pointer(type(), "&&"));
      }
      case 'C' -> {
        at++;
        return remember(new Node.Suffixed(type(), " _Complex"));
      }
      case 'G' -> {
        at++;
        return remember(new Node.Suffixed(type(), " _Imaginary"));
      }
      case 'F' -> {
        return remember(functionType(""));
      }
      case 'A' -> {
        return remember(arrayType());
      }
      case 'M' -> {
        at++;
        var owner = type();
        return remember(new Node.MemberPointer(owner, type()));
      }
      case 'U' -> {
        if (peek(1) == 't' || peek(1) == 'l') {
          return remember(name(new NameInfo(false)));
        }
        at++;
        var qualifier = sourceText();
        if (peek() == 'I') {
          throw unknown();
        }
        return remember(new Node.Suffixed(type(), " " + qualifier));
      }
      case 'T' -> {
        if (peek(1) == 's' || peek(1) == 'u' || peek(1) == 'e') {
          at += 2;
          return remember(name(new NameInfo(false)));
        }
        Node node = remember(templateParameter());
        if (peek() == 'I' && !laterAllowed) {
          node = remember(new Node.Template(node, templateArguments(false)));
        }
        return node;
      }
      case 'D' -> {
        return extended();
      }
      case 'S' -> {
        if (peek(1) != 't') {
          var node = substitution();
          if (peek() == 'I') {
            return remember(new Node.Template(node, templateArguments(false)));
          }
          return node;
        }
        return classType();
      }
      default -> {
        require(isDigit(c) || c == 'N' || c == 'Z');
        return classType();
      }
    }
  }

  /** A class's name, whose template arguments do not count for what comes after. */
  private Node classType() {
    var saved = arguments;
    var node = remember(name(new NameInfo(false)));
    arguments = saved;
    return node;
  }

  private Node extended() {
    switch (peek(1)) {
      case 'p' -> {
        at += 2;
        return remember(new Node.Expansion(type()));
      }
      case 't', 'T' -> {
        return remember(decltype());
      }
      case 'o', 'O' -> {
        return remember(functionType(""));
      }
      case 'v' -> {
        at += 2;
        Node size = isDigit(peek()) ? new Name(number()) : emptyOrExpression();
        expect("_");
        var element = type();
        return remember(
            new Node.Row(List.of(element, new Name(" __vector("), size, new Name(")"))));
      }
      case 'F' -> {
        at += 2;
        var bits = number();
        if (take("x")) {
          return new Name("_Float" + bits + "x");
        }
        if (take("b")) {
          return new Name("std::bfloat" + bits + "_t");
        }
        expect("_");
        return new Name("_Float" + bits);
      }
      default -> throw unknown();
    }
  }

  private Node emptyOrExpression() {
    expect("_");
    return expression();
  }

  private Node decltype() {
    expect("D");
    require(peek() == 't' || peek() == 'T');
    at++;
    var node = new Node.Wrapped("decltype (", expression(), ")");
    expect("E");
    return node;
  }

  private Node functionType(String qualifiers) {
    var suffix = qualifiers;
    if (take("Do")) {
      suffix += " noexcept";
    } else if (take("DO")) {
      var condition = expression();
      expect("E");
      var printer = new Printer(1 << 12);
      printer.print(condition);
      suffix += " noexcept(" + printer.text() + ")";
    }
    expect("F");
    take("Y");
    var result = type();
    var parameters = parameters();
    if (take("R")) {
      suffix += " &";
    } else if (take("O")) {
      suffix += " &&";
    }
    expect("E");
    return new Node.Function(result, parameters, suffix);
  }

  private Node arrayType() {
    expect("A");
    var bound = Optional.<Node>empty();
    if (isDigit(peek())) {
      bound = Optional.of(new Name(number()));
    } else if (peek() != '_') {
      bound = Optional.of(expression());
    }
    expect("_");
    return new Node.Array(type(), bound);
  }

  private Node literal() {
    expect("L");
    if (peek() == '_' || (peek() == 'Z')) {
      take("_");
      expect("Z");
      var node = encoding(false);
      expect("E");
      return node;
    }
    char kind = peek();
    var type = type();
    if (take("E")) {
      return new Node.Wrapped("(", type, ")0");
    }
    boolean negative = take("n");
    int start = at;
    while (at < in.length() && peek() != 'E') {
      at++;
    }
    var digits = (negative ? "-" : "") + in.substring(start, at);
    expect("E");
    return switch (kind) {
      case 'i' -> new Name(digits);
      case 'j' -> new Name(digits + "u");
      case 'l' -> new Name(digits + "l");
      case 'm' -> new Name(digits + "ul");
      case 'x' -> new Name(digits + "ll");
      case 'y' -> new Name(digits + "ull");
      case 'b' ->
          switch (digits) {
            case "0" -> new Name("false");
            case "1" -> new Name("true");
            default -> new Name("(bool)" + digits);
          };
      case 'f', 'd', 'e', 'g' -> new Node.Wrapped("(", type, ")[" + digits + "]");
      default -> new Node.Wrapped("(", type, ")" + digits);
    };
  }

  private Node expression() {
    enter();
    var node = expressionInside();
    depth--;
    return node;
  }

  private Node expressionInside() {
    char c = peek();
    if (c == 'L') {
      return literal();
    }
    if (c == 'T') {
      return templateParameter();
    }
    if (take("fpT")) {
      return new Name("this");
    }
    if (take("fp")) {
      qualifiers();
      int number = peek() == '_' ? 1 : Integer.parseInt(shortNumber()) + 2;
      expect("_");
      return new Name("{parm#" + number + "}");
    }
    if (take("sr")) {
      return unresolved();
    }
    if (take("on")) {
      return withArguments(operatorName(new NameInfo(false)));
    }
    if (isDigit(c)) {
      return withArguments(sourceName());
    }
    if (take("st")) {
      return new Node.Wrapped("sizeof (", type(), ")");
    }
    if (take("sz")) {
      return new Node.Row(List.of(new Name("sizeof "), operand(expression())));
    }
    if (take("at")) {
      return new Node.Wrapped("alignof (", type(), ")");
    }
    if (take("az")) {
      return new Node.Row(List.of(new Name("alignof "), operand(expression())));
    }
    if (take("nx")) {
      return new Node.Row(List.of(new Name("noexcept"), operand(expression())));
    }
    if (take("sp")) {
      return new Node.Expansion(expression());
    }
    if (take("sZ")) {
      if (peek() == 'T') {
        var parameter = templateParameter();
        return new Name(
            Integer.toString(
                parameter instanceof Node.PackParameter p ? p.pack().nodes().size() : 1));
      }
      throw unknown();
    }
    if (take("cv")) {
      var type = type();
      if (take("_")) {
        return new Node.Row(
            List.of(new Node.Wrapped("(", type, ")"), new Node.Commas("(", expressions(), ")")));
      }
      return new Node.Row(List.of(new Node.Wrapped("(", type, ")"), operand(expression())));
    }
    if (take("tl")) {
      var type = type();
      return new Node.Row(List.of(type, new Node.Commas("{", expressions(), "}")));
    }
    if (take("il")) {
      return new Node.Commas("{", expressions(), "}");
    }
    if (take("cl")) {
      var function = expression();
      // What is called is named without its parameters.
      var callee = function instanceof Node.Encoding e ? e.name() : function;
      return new Node.Row(List.of(operand(callee), new Node.Commas("(", expressions(), ")")));
    }
    return operation();
  }

  private List<Node> expressions() {
    var nodes = new ArrayList<Node>();
    while (!take("E")) {
      require(nodes.size() < MAX_PARTS);
      nodes.add(expression());
    }
    return nodes;
  }

  private Node operation() {
    var code = at + 2 <= in.length() ? in.substring(at, at + 2) : "";
    var operator = OPERATORS.get(code);
    require(operator != null);
    at += 2;
    boolean prefix = (code.equals("pp") || code.equals("mm")) && take("_");
    switch (operator.operands()) {
      case 1 -> {
        var one = expression();
        if (code.equals("ad")
            && one instanceof Node.Encoding e
            && e.name() instanceof Node.Qualified) {
          return new Node.Row(List.of(new Name("&"), e.name()));
        }
        if ((code.equals("pp") || code.equals("mm")) && !prefix) {
          return new Node.Row(List.of(operand(one), new Name(operator.text())));
        }
        return new Node.Row(List.of(new Name(operator.text()), operand(one)));
      }
      case 2 -> {
        var left = expression();
        if (code.equals("ix")) {
          return new Node.Row(List.of(operand(left), new Name("["), expression(), new Name("]")));
        }
        var right = expression();
        if (code.equals("dt") || code.equals("pt")) {
          return new Node.Row(List.of(operand(left), new Name(operator.text()), right));
        }
        var row = new Node.Row(List.of(operand(left), new Name(operator.text()), operand(right)));
        return code.equals("gt") ? new Node.Wrapped("(", row, ")") : row;
      }
      default -> {
        require(code.equals("qu"));
        return new Node.Row(
            List.of(
                operand(expression()),
                new Name("?"),
                operand(expression()),
                new Name(" : "),
                operand(expression())));
      }
    }
  }

  private static Node operand(Node node) {
    return switch (node) {
      case Name _, Node.Qualified _, Node.Commas _ -> simple(node);
      default -> new Node.Wrapped("(", node, ")");
    };
  }

  /** Numbers and types are put in parentheses as well. */
  private static Node simple(Node node) {
    boolean isNumber =
        node instanceof Name(var text)
            && !text.isEmpty()
            && (isDigit(text.charAt(0))
                || text.equals("true")
                || text.equals("false")
                || text.charAt(0) == '-');
    return isNumber ? new Node.Wrapped("(", node, ")") : node;
  }

  private Node unresolved() {
    Node scope;
    if (isDigit(peek())) {
      scope = withArguments(sourceName());
      scope = levels(scope);
    } else if (take("N")) {
      scope = levels(type());
    } else {
      scope = type();
    }
    var name = take("on") ? operatorName(new NameInfo(false)) : sourceName();
    return withArguments(new Node.Qualified(scope, name));
  }

  private Node levels(Node first) {
    var scope = first;
    while (!take("E")) {
      scope = new Node.Qualified(scope, withArguments(sourceName()));
    }
    return scope;
  }

  private Node withArguments(Node node) {
    return peek() == 'I' ? new Node.Template(node, templateArguments(false)) : node;
  }
}
