// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.ProgramException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.syntax.External;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Statement;
import dev.fathom.dtrace.syntax.Tag;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what each name of an expression stands for, in the order in which D evaluates, as an
 * assignment to a name that is not known brings a variable about. Bodies of inlines are resolved
 * where they are used, once for each clause.
 */
final class Resolver {
  private final Environment environment;
  private final Texts texts;
  private final Scope scope;
  private final TypeTable types;
  private final Map<Node, Meaning> meanings = new IdentityHashMap<>();
  private final Set<Node> resolvedBodies =
      java.util.Collections.newSetFromMap(new IdentityHashMap<>());
  private final Deque<String> inside = new ArrayDeque<>();
  private final StringBuilder shown = new StringBuilder();
  private Set<String> parameters = Set.of();
  private boolean bodyFirst;

  Resolver(Environment environment, Texts texts, Scope scope, TypeTable types) {
    this.environment = environment;
    this.texts = texts;
    this.scope = scope;
    this.types = types;
  }

  /** Forgets what was found in the clause before. */
  void begin() {
    meanings.clear();
    resolvedBodies.clear();
    shown.setLength(0);
  }

  /** What was found since {@link #begin}: a name and its meaning on each line. */
  String shown() {
    return shown.toString();
  }

  /** What a name stands for that was resolved. */
  Meaning meaning(Node name) {
    var m = meanings.get(name);
    if (m == null) {
      throw new IllegalStateException("a name that was not resolved: " + name);
    }
    return m;
  }

  /**
   * Whether the predicate of the clause that was resolved last asks for what its body assigns to,
   * as D allows.
   */
  boolean bodyFirst() {
    return bodyFirst;
  }

  void clause(External.Clause clause) {
    bodyFirst = false;
    if (clause.predicate().isPresent()) {
      try {
        resolve(clause.predicate().get());
      } catch (ProgramException e) {
        if (!e.tag().equals(Tag.D_IDENT_UNDEF.name()) && !e.tag().equals(Tag.D_VAR_UNDEF.name())) {
          throw e;
        }
        bodyFirst = true;
      }
    }
    block(clause.body());
    if (bodyFirst) {
      clause.predicate().ifPresent(this::resolve);
    }
  }

  private void block(List<Statement> statements) {
    for (var s : statements) {
      switch (s) {
        case Statement.Expression e -> resolve(e.node());
        case Statement.If i -> {
          resolve(i.test());
          block(i.yes());
          block(i.no());
        }
      }
    }
  }

  /** Resolves the body of an inline or a member of a translator. */
  void body(Node node, Set<String> names) {
    if (!resolvedBodies.add(node)) {
      return;
    }
    var outer = parameters;
    parameters = names;
    try {
      resolve(node);
    } catch (ProgramException e) {
      resolvedBodies.remove(node); // Its names may be known when it is come to again.
      throw e;
    } finally {
      parameters = outer;
    }
  }

  void resolve(Node node) {
    switch (node) {
      case Node.IntegerLiteral _,
          Node.CharLiteral _,
          Node.StringLiteral _,
          Node.SizeofType _,
          Node.Offsetof _ -> {}
      case Node.Name n -> found(n, n.name(), name(n));
      case Node.Symbol s -> found(s, s.name(), symbol(s));
      case Node.Scoped s -> found(s, s.scope().prefix() + s.name(), scoped(s));
      case Node.AggregationRef a -> a.keys().ifPresent(k -> k.forEach(this::resolve));
      case Node.Prefix p -> {
        if (p.op().equals("++") || p.op().equals("--")) {
          target(p.operand());
        } else {
          resolve(p.operand());
        }
      }
      case Node.Postfix p -> target(p.operand());
      case Node.Infix i -> {
        resolve(i.left());
        resolve(i.right());
      }
      case Node.Assign a -> {
        if (a.op().isEmpty()) {
          resolve(a.value());
          target(a.target());
        } else {
          target(a.target());
          resolve(a.value());
        }
      }
      case Node.Ternary t -> {
        resolve(t.test());
        resolve(t.yes());
        resolve(t.no());
      }
      case Node.Comma c -> {
        resolve(c.left());
        resolve(c.right());
      }
      case Node.Cast c -> resolve(c.operand());
      case Node.Sizeof s -> resolve(s.operand());
      case Node.Stringof s -> resolve(s.operand());
      case Node.Xlate x -> resolve(x.operand());
      case Node.Call c -> {
        function(c);
        c.arguments().forEach(this::resolve);
      }
      case Node.Index i -> {
        if (i.base() instanceof Node.Name n && undefined(n.name())) {
          throw texts.error(
              n.span(),
              Tag.D_IDENT_UNDEF,
              "'" + n.name() + "' is not known: nothing is assigned to it before" + near(n.name()));
        }
        resolve(i.base());
        i.indexes().forEach(this::resolve);
      }
      case Node.Member m -> resolve(m.base());
    }
  }

  private void found(Node node, String name, Meaning meaning) {
    if (meanings.put(node, meaning) == null) {
      shown.append("  ").append(name).append(": ").append(meaning.text()).append('\n');
    }
  }

  /** What is assigned to: a name that is not known becomes a variable. */
  private void target(Node node) {
    switch (node) {
      case Node.Name n when undefined(n.name()) -> introduce(n, DVariable.Scope.GLOBAL, n.name());
      case Node.Scoped s when scope.find(scopeOf(s), s.name()).isEmpty() ->
          introduce(s, scopeOf(s), s.name());
      case Node.Index i
          when (i.base() instanceof Node.Name n && undefined(n.name()))
              || (i.base() instanceof Node.Scoped s
                  && scope.find(scopeOf(s), s.name()).isEmpty()) -> {
        i.indexes().forEach(this::resolve);
        target(i.base());
      }
      default -> resolve(node);
    }
  }

  private void introduce(Node node, DVariable.Scope kind, String name) {
    found(
        node,
        prefix(kind) + name,
        new Meaning.Variable(scope.introduce(kind, name, node.span()), true));
  }

  private static String prefix(DVariable.Scope kind) {
    return switch (kind) {
      case GLOBAL -> "";
      case THREAD -> "self->";
      case CLAUSE -> "this->";
    };
  }

  static DVariable.Scope scopeOf(Node.Scoped s) {
    return switch (s.scope()) {
      case SELF -> DVariable.Scope.THREAD;
      case THIS -> DVariable.Scope.CLAUSE;
    };
  }

  private boolean undefined(String name) {
    return scope.find(DVariable.Scope.GLOBAL, name).isEmpty()
        && scope.inline(name).isEmpty()
        && !parameters.contains(name)
        && !Names.isReserved(name)
        && types.enumerator(name).isEmpty();
  }

  private Meaning name(Node.Name n) {
    var name = n.name();
    if (parameters.contains(name)) {
      return new Meaning.Parameter(name);
    }
    var variable = scope.find(DVariable.Scope.GLOBAL, name);
    if (variable.isPresent()) {
      return new Meaning.Variable(variable.get(), false);
    }
    var inline = scope.inline(name);
    if (inline.isPresent()) {
      inlined(inline.get(), n.span());
      return new Meaning.Inlined(inline.get());
    }
    var builtin = builtin(n);
    if (builtin.isPresent()) {
      return builtin.get();
    }
    var enumerator = types.enumerator(name);
    if (enumerator.isPresent()) {
      return new Meaning.Enumerator(enumerator.get());
    }
    if (Names.isFunction(name)) {
      throw texts.error(
          n.span(), Tag.D_IDENT_BADREF, "'" + name + "' is a function; expected " + name + "(...)");
    }
    throw texts.error(n.span(), Tag.D_IDENT_UNDEF, "'" + name + "' is not known" + near(name));
  }

  private void inlined(Scope.Inline inline, Span at) {
    if (inside.contains(inline.name())) {
      throw texts.error(at, Tag.D_SYNTAX, "inline '" + inline.name() + "' leads to itself");
    }
    inside.push(inline.name());
    try {
      texts.in(
          inline.source(),
          () -> {
            body(inline.value(), parameterNames(inline));
            return inline;
          });
    } finally {
      inside.pop();
    }
  }

  static Set<String> parameterNames(Scope.Inline inline) {
    var names = new LinkedHashSet<String>();
    inline.keys().forEach(k -> names.add(k.declarator().name()));
    return names;
  }

  private String near(String name) {
    var known = new LinkedHashSet<>(scope.names(DVariable.Scope.GLOBAL));
    known.addAll(scope.inlineNames());
    known.addAll(Names.all());
    known.addAll(parameters);
    return Near.text(name, known);
  }

  private Optional<Meaning> builtin(Node.Name n) {
    var name = n.name();
    if (name.length() == 4 && name.startsWith("arg") && Character.isDigit(name.charAt(3))) {
      return Optional.of(new Meaning.Argument(name.charAt(3) - '0'));
    }
    switch (name) {
      case "args" -> {
        return Optional.of(new Meaning.Arguments());
      }
      case "uregs" -> {
        return Optional.of(new Meaning.Registers());
      }
      case "self", "this" ->
          throw texts.error(
              n.span(),
              Tag.D_IDENT_BADREF,
              "expected '->' and a variable's name after '" + name + "'");
      default -> {
        return Builtin.named(name).map(b -> available(n, b));
      }
    }
  }

  private Meaning available(Node.Name n, Builtin b) {
    if (!environment.builtins().contains(b)) {
      throw texts.error(
          n.span(),
          Tag.D_IDENT_UNDEF,
          "'" + n.name() + "' is not available from what is traced here");
    }
    return new Meaning.BuiltIn(b);
  }

  private Meaning symbol(Node.Symbol s) {
    if (environment.program().isEmpty()) {
      throw texts.error(
          s.span(), Tag.D_SYM_NOTYPES, "kernel symbol '" + s.name() + "': there is no kernel here");
    }
    var symbols = environment.program().get().symbols();
    var full = s.module().isEmpty() ? s.name() : s.module() + "`" + s.name();
    if (symbols.named(full).isEmpty()) {
      throw texts.error(
          s.span(),
          Tag.D_IDENT_UNDEF,
          "there is no kernel symbol '"
              + full
              + "'"
              + Near.text(
                  s.name(),
                  symbols.completions(
                      s.name().substring(0, Math.min(3, s.name().length())), 2000)));
    }
    return new Meaning.KernelSymbol(full);
  }

  private Meaning scoped(Node.Scoped s) {
    return scope
        .find(scopeOf(s), s.name())
        .<Meaning>map(d -> new Meaning.Variable(d, false))
        .orElseThrow(
            () ->
                texts.error(
                    s.span(),
                    Tag.D_VAR_UNDEF,
                    s.scope().prefix()
                        + s.name()
                        + " is used before anything is assigned to it"
                        + Near.text(s.name(), scope.names(scopeOf(s)))));
  }

  /** Whether a call names a function that there is here. */
  private void function(Node.Call c) {
    if (!(c.function() instanceof Node.Name n)) {
      throw texts.error(
          c.span(),
          Tag.D_FUNC_IDENT,
          "expected a function's name before '(': D calls only its own");
    }
    var name = n.name();
    if (Names.isAction(name) || Names.isAggregating(name) || Names.isSpecial(name)) {
      return;
    }
    var subroutine = Subroutine.named(name);
    if (subroutine.filter(s -> !s.inner()).isEmpty()) {
      boolean variable =
          scope.find(DVariable.Scope.GLOBAL, name).isPresent() || Builtin.named(name).isPresent();
      throw texts.error(
          n.span(),
          variable ? Tag.D_FUNC_IDKIND : Tag.D_FUNC_UNDEF,
          variable
              ? "'" + name + "' is a variable, not a function"
              : "there is no function '" + name + "'" + Near.text(name, Names.functions()));
    }
    if (!environment.subroutines().contains(subroutine.get())) {
      throw texts.error(
          n.span(), Tag.D_FUNC_UNDEF, name + "() is not available on what is traced here");
    }
  }
}
