// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypeSystem;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Types and declarations of variables read from C text, laid out as the System V ABI has it for the
 * program's data model. Text can be added; what it declares must not contradict what is there.
 */
public final class CTextTypes implements TypeSource {
  private final String name;
  private final DataModel model;
  private final TypeSystem program;
  private final Map<TypeName, CType> types = new LinkedHashMap<>();
  private final Map<String, CType> variables = new LinkedHashMap<>();
  private final Map<CType, Long> alignments = new IdentityHashMap<>();
  private final Map<String, EnumType> enumerators = new HashMap<>();
  private final List<String> notes = new ArrayList<>();

  /** What takes back what the declaration that is read has declared so far, the last one first. */
  private final Deque<Runnable> undo = new ArrayDeque<>();

  /**
   * @param name how the source is called: {@code c:FILE}
   * @param program where types are looked for that the text does not declare
   */
  public CTextTypes(String name, DataModel model, TypeSystem program) {
    this.name = name;
    this.model = model;
    this.program = program;
  }

  /**
   * Reads declarations.
   *
   * @param file the name for messages
   * @throws EvalException for text that is wrong: it names file, line and column. What stood before
   *     it is kept.
   */
  public void read(String file, String text) {
    var lines = new Lines(file, text);
    try {
      var tokens = new Preprocessor(text, lines, notes, Optional.empty()).tokens();
      new CTextParser(tokens, this, model).read();
    } catch (FathomException e) {
      throw lines.located(e);
    }
  }

  /**
   * As {@link #read}, but leaves out declarations that are wrong.
   *
   * @return what is wrong, each with file, line and column, and the lines that were left out for it
   * @throws EvalException when what is wrong is not in a declaration, but concerns all of the text
   */
  public List<String> readWhatIsRight(String file, String text) {
    var lines = new Lines(file, text);
    var skipped = new Skipped(lines);
    try {
      var tokens = new Preprocessor(text, lines, notes, Optional.of(skipped)).tokens();
      new CTextParser(tokens, this, model).read(skipped);
    } catch (FathomException e) {
      throw lines.located(e);
    }
    return List.copyOf(skipped.told);
  }

  /**
   * The last brace of a text that is not closed, as an index; braces in comments and in quotes are
   * none. Empty too for a text that is no C: reading it tells what is wrong with it.
   */
  public static OptionalInt unclosed(String text) {
    List<Token> tokens;
    try {
      tokens = Lexer.tokens(Preprocessor.bare(text));
    } catch (EvalException _) {
      return OptionalInt.empty();
    }
    var open = new ArrayDeque<Token>();
    for (var token : tokens) {
      if (token.is("{")) {
        open.push(token);
      } else if (token.is("}")) {
        open.poll();
      }
    }
    return open.isEmpty() ? OptionalInt.empty() : OptionalInt.of(open.peek().span().start());
  }

  @Override
  public String name() {
    return name;
  }

  /** What was left out, such as included files. */
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /** The variables and functions that the text declares. */
  public Map<String, CType> variables() {
    return Map.copyOf(variables);
  }

  @Override
  public Optional<CType> find(TypeName wanted) {
    return Optional.ofNullable(types.get(wanted));
  }

  @Override
  public Optional<CType> ofSymbol(String symbol) {
    return Optional.ofNullable(variables.get(symbol));
  }

  @Override
  public Stream<CType> stream() {
    return types.values().stream();
  }

  @Override
  public Map<String, EnumType> enumerators() {
    return Map.copyOf(enumerators);
  }

  // ---- for the parser

  TypeSystem program() {
    return program;
  }

  /** The type of that name in the text, else in the program's other sources. */
  Optional<CType> known(TypeName wanted) {
    var own = find(wanted);
    if (own.isPresent()) {
      return own;
    }
    for (var source : program.sources()) {
      var found = source == this ? Optional.<CType>empty() : source.find(wanted);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  /** A declaration is complete: what it declared stays. */
  void commit() {
    undo.clear();
  }

  /** A declaration is wrong: nothing of it stays. */
  void rollBack() {
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
  }

  /**
   * Defines a type, unless the text has one of that name.
   *
   * @return the one that it has
   */
  Optional<CType> define(TypeName wanted, CType type) {
    var old = types.putIfAbsent(wanted, type);
    if (old == null) {
      undo.push(() -> types.remove(wanted));
    }
    return Optional.ofNullable(old);
  }

  void variable(String variable, CType type) {
    if (variables.putIfAbsent(variable, type) == null) {
      undo.push(() -> variables.remove(variable));
    }
  }

  /** States which enumeration an enumerator belongs to. */
  void enumerator(String enumerator, EnumType type) {
    var old = enumerators.put(enumerator, type);
    undo.push(
        () -> {
          if (old == null) {
            enumerators.remove(enumerator);
          } else {
            enumerators.put(enumerator, old);
          }
        });
  }

  Optional<Long> enumeratorValue(String enumerator) {
    return Optional.ofNullable(enumerators.get(enumerator))
        .flatMap(e -> e.named(enumerator))
        .map(EnumType.Enumerator::value);
  }

  Map<CType, Long> alignments() {
    return alignments;
  }

  /** Takes what is left out of a text. */
  static final class Skipped {
    /** When so much is wrong the text is no C. */
    private static final int MOST = 100;

    private final Lines lines;
    private final List<String> told = new ArrayList<>();

    private Skipped(Lines lines) {
      this.lines = lines;
    }

    /**
     * A declaration, or a part of a line that is no C, is left out.
     *
     * @param start where it begins
     * @param end where it ends
     * @throws EvalException when too much has been left out
     */
    void text(FathomException why, int start, int end) {
      if (told.size() == MOST) {
        throw new EvalException(
            "more than " + MOST + " errors, the first of which is " + told.getFirst());
      }
      int first = lines.line(start);
      int last = lines.line(Math.max(start, end - 1));
      told.add(
          lines.located(why).getMessage()
              + (first == last
                  ? "; line " + first + " is left out"
                  : "; lines " + first + " to " + last + " are left out"));
    }

    boolean beginsLine(int position) {
      return lines.beginsLine(position);
    }
  }

  /** Tells where in a text a place is. */
  static final class Lines {
    private final String file;
    private final String text;

    Lines(String file, String text) {
      this.file = file;
      this.text = text;
    }

    /** The number of the line that a place is in, from 1. */
    int line(int position) {
      return 1 + (int) text.substring(0, position).chars().filter(c -> c == '\n').count();
    }

    /** Whether nothing is in front of a place in its line. */
    boolean beginsLine(int position) {
      return position == 0 || text.charAt(position - 1) == '\n';
    }

    String at(int position) {
      int line = 1;
      int start = 0;
      for (int i = 0; i < Math.min(position, text.length()); i++) {
        if (text.charAt(i) == '\n') {
          line++;
          start = i + 1;
        }
      }
      return file + ":" + line + ":" + (position - start + 1);
    }

    /** The error with file, line and column in front. */
    EvalException located(FathomException e) {
      var span = e.span();
      var message = e.getMessage().replaceFirst("( at column [0-9]+| \\(column [0-9]+\\))$", "");
      return span.isPresent()
          ? new EvalException(span.get(), at(span.get().start()) + ": " + message)
          : new EvalException(file + ": " + message);
    }
  }
}
