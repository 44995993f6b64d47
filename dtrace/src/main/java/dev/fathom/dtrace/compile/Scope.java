// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.dtrace.syntax.TypeText;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.OpaqueType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What the programs of one run declare: variables, inlines and translators. */
final class Scope {
  private static final int VARIABLE_LIMIT = 10_000;

  /** A D variable; one that an assignment brings about has its type once that is typed. */
  static final class Declared {
    private final int id;
    private final DVariable.Scope scope;
    private final String name;
    private Optional<CType> type = Optional.empty();
    private List<CType> keys = List.of();
    private boolean associative;

    private Declared(int id, DVariable.Scope scope, String name) {
      this.id = id;
      this.scope = scope;
      this.name = name;
    }

    int id() {
      return id;
    }

    DVariable.Scope scope() {
      return scope;
    }

    String name() {
      return name;
    }

    boolean isDefined() {
      return type.isPresent();
    }

    CType type() {
      return type.orElseThrow();
    }

    List<CType> keys() {
      return keys;
    }

    boolean associative() {
      return associative;
    }
  }

  record Inline(Source source, String name, CType type, List<TypeText> keys, Node value) {}

  /**
   * A translator; its types are looked up when it is first considered.
   *
   * @param members what each is made of; of several the first that this kernel's types have
   */
  record Translator(
      Source source,
      TypeText output,
      TypeText input,
      String inputName,
      Map<String, List<Node>> members) {}

  private final Texts texts;
  private final List<Declared> variables = new ArrayList<>();
  private final Map<DVariable.Scope, Map<String, Declared>> byName =
      new EnumMap<>(DVariable.Scope.class);
  private final Map<String, Inline> inlines = new HashMap<>();
  private final List<Translator> translators = new ArrayList<>();

  Scope(Texts texts) {
    this.texts = texts;
    for (var s : DVariable.Scope.values()) {
      byName.put(s, new HashMap<>());
    }
  }

  List<Translator> translators() {
    return translators;
  }

  Optional<Declared> find(DVariable.Scope scope, String name) {
    return Optional.ofNullable(byName.get(scope).get(name));
  }

  Set<String> names(DVariable.Scope scope) {
    return byName.get(scope).keySet();
  }

  Optional<Inline> inline(String name) {
    return Optional.ofNullable(inlines.get(name));
  }

  Set<String> inlineNames() {
    return inlines.keySet();
  }

  boolean isGlobal(int id) {
    return variables.get(id).scope() == DVariable.Scope.GLOBAL;
  }

  /** The variables as the intermediate form has them. */
  List<DVariable> variables() {
    return variables.stream()
        .map(
            d ->
                new DVariable(
                    d.id(),
                    d.name(),
                    d.scope(),
                    irType(d.type()),
                    d.keys().stream().map(Scope::irType).toList()))
        .toList();
  }

  private static IrType irType(CType type) {
    return DTypes.irType(type).orElseThrow();
  }

  void declareInline(Inline inline, Span at) {
    if (find(DVariable.Scope.GLOBAL, inline.name()).isPresent()
        || inlines.containsKey(inline.name())
        || Names.isReserved(inline.name())) {
      throw texts.error(at, Tag.D_DECL_IDRED, "'" + inline.name() + "' is declared already");
    }
    inlines.put(inline.name(), inline);
  }

  void declareTranslator(Translator translator) {
    translators.add(translator);
  }

  /**
   * Declares a variable of a D program: {@code int x;}, {@code self string s;}, {@code int
   * a[int];}.
   */
  void declareVariable(
      DVariable.Scope scope, String name, CType type, Optional<List<CType>> keys, Span at) {
    if (DTypes.isVoid(type)) {
      throw texts.error(at, Tag.D_DECL_VOIDOBJ, "'" + name + "' cannot be of type void");
    }
    if (type.resolved() instanceof FunctionType) {
      throw texts.error(at, Tag.D_DECL_CLASS, "D has no functions of its own: '" + name + "'");
    }
    if (type.bytes() == 0 && type.resolved() instanceof OpaqueType) {
      throw texts.error(
          at,
          Tag.D_DECL_INCOMPLETE,
          "'" + name + "' is of the incomplete type " + DTypes.text(type));
    }
    if (DTypes.isArray(type) && type.bytes() > DTypes.MOST_BYTES) {
      throw texts.error(
          at,
          Tag.D_DECL_ARRBIG,
          "'" + name + "' has " + type.bytes() + " bytes; at most " + DTypes.MOST_BYTES);
    }
    if (keys.isPresent() && scope == DVariable.Scope.CLAUSE) {
      throw texts.error(
          at,
          Tag.D_DECL_LOCASSC,
          "a clause-local variable cannot be an associative array: " + name);
    }
    if (scope == DVariable.Scope.GLOBAL && (inlines.containsKey(name) || Names.isReserved(name))) {
      throw texts.error(at, Tag.D_DECL_IDRED, "'" + name + "' is declared already");
    }
    var known = find(scope, name);
    if (known.isPresent()) {
      if (!DTypes.same(known.get().type(), type) || known.get().associative() != keys.isPresent()) {
        throw texts.error(
            at,
            Tag.D_DECL_IDRED,
            "'" + name + "' is declared again; it is " + DTypes.text(known.get().type()));
      }
      return;
    }
    define(introduce(scope, name, at), type, keys.orElse(List.of()), keys.isPresent(), at);
  }

  /** A variable that an assignment brings about, whose type is not known yet. */
  Declared introduce(DVariable.Scope scope, String name, Span at) {
    if (variables.size() >= VARIABLE_LIMIT) {
      throw texts.error(at, Tag.D_VAR_UNSUP, "more than " + VARIABLE_LIMIT + " variables");
    }
    var declared = new Declared(variables.size(), scope, name);
    variables.add(declared);
    byName.get(scope).put(name, declared);
    return declared;
  }

  /** Gives a variable its type. */
  void define(Declared declared, CType type, List<CType> keys, boolean associative, Span at) {
    texts.irType(type, at);
    keys.forEach(k -> texts.irType(k, at));
    declared.type = Optional.of(type);
    declared.keys = List.copyOf(keys);
    declared.associative = associative;
  }
}
