// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import dev.fathom.base.UsageException;
import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.Dump;
import dev.fathom.dtrace.ir.IrProgram;
import dev.fathom.dtrace.ir.Limits;
import dev.fathom.dtrace.ir.Verifier;
import dev.fathom.dtrace.probe.EnabledProbe;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.syntax.External;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Parser;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.dtrace.syntax.TypeText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The D compiler: programs of a command line together, as they share variables and aggregations.
 *
 * <p>Passes: {@code parse} makes a syntax tree of each text; {@code expand} finds the probes of
 * each clause; {@code lower} resolves names, checks types and makes the intermediate form; {@code
 * verify} proves that form. What each pass made can be looked at ({@link Compiled#dump}).
 */
public final class Compiler {
  private static final int MOST_ENABLED = 2_000_000;

  /** A clause of a program with the probes of one of its descriptions. */
  private record Expanded(
      Input input, External.Clause clause, External.ProbeSpec spec, List<Probe> probes) {}

  /**
   * What was compiled.
   *
   * @param matched for each input, how many probes its descriptions match, each counted once for
   *     each description; in order of the inputs
   */
  public record Compiled(Plan plan, List<Integer> matched, Map<String, String> passes) {
    public Compiled {
      matched = List.copyOf(matched);
    }

    /** What a pass made, as text: {@code parse}, {@code expand}, {@code lower}, {@code verify}. */
    public String dump(String pass) {
      var text = passes.get(pass);
      if (text == null) {
        throw new UsageException(
            "no pass '" + pass + "'; the passes are " + String.join(", ", passes.keySet()));
      }
      return text;
    }
  }

  private final Environment environment;
  private final Map<String, String> options;
  private final Map<String, String> passes = new LinkedHashMap<>();

  private Compiler(Environment environment) {
    this.environment = environment;
    this.options = new HashMap<>(environment.options());
  }

  /**
   * Compiles programs.
   *
   * @param libraries D texts of declarations that the programs may use
   * @throws dev.fathom.base.ProgramException for what is wrong in a text
   */
  public static Compiled compile(
      Environment environment, List<Input> libraries, List<Input> inputs) {
    if (inputs.isEmpty()) {
      throw new UsageException("no program to compile");
    }
    return new Compiler(environment).run(libraries, inputs);
  }

  private Compiled run(List<Input> libraries, List<Input> inputs) {
    var all = new ArrayList<Input>();
    all.add(prelude());
    all.addAll(libraries);
    int own = all.size();
    all.addAll(inputs);
    var trees = new ArrayList<List<External>>();
    var parsed = new StringBuilder();
    for (int i = 0; i < all.size(); i++) {
      var tree = parse(all.get(i), i < own);
      trees.add(tree);
      if (i >= own) {
        tree.forEach(e -> parsed.append(e).append('\n'));
      }
    }
    passes.put("parse", parsed.toString());
    var limits = limits(all.getLast().source());
    var lowering = new Lowering(environment, limits, all.getFirst().source());
    var aggregations = new Aggregations(lowering);
    var expansion = new Expansion(environment.providers());
    var clauses = new ArrayList<Clause>();
    var enabled = new ArrayList<EnabledProbe>();
    var matched = new ArrayList<Integer>();
    var expandedText = new StringBuilder();
    for (int i = 0; i < all.size(); i++) {
      int count = 0;
      lowering.use(all.get(i).source());
      for (var external : trees.get(i)) {
        if (external instanceof External.Clause clause) {
          if (i < own) {
            throw all.get(i)
                .source()
                .error(clause.span(), Tag.D_SYNTAX, "a library has no clauses");
          }
          for (var e : expand(expansion, all.get(i), clause)) {
            count += e.probes().size();
            describe(e, expandedText);
            lower(e, lowering, aggregations, clauses, enabled);
          }
        } else {
          declare(external, lowering, all.get(i).source());
        }
      }
      if (i >= own) {
        matched.add(count);
      }
    }
    passes.put("expand", expandedText.toString());
    var program = new IrProgram(lowering.variables(), aggregations.all(), clauses, limits);
    passes.put("lower", Dump.of(program));
    Verifier.verify(program);
    passes.put("verify", "verified " + clauses.size() + " clauses\n");
    return new Compiled(
        new Plan(program, enabled, options),
        matched,
        java.util.Collections.unmodifiableMap(passes));
  }

  private static Input prelude() {
    try (var in = Compiler.class.getResourceAsStream("prelude.d")) {
      return Input.script("prelude.d", new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<External> parse(Input input, boolean library) {
    boolean bare = input.kind() != Input.Kind.SCRIPT || environment.has("empty");
    var macros =
        library
                || (input.kind() != Input.Kind.SCRIPT
                    && environment.macros().arguments().size() <= 1)
            ? new dev.fathom.dtrace.syntax.Macros(
                environment
                    .macros()
                    .arguments()
                    .subList(0, Math.min(1, environment.macros().arguments().size())),
                environment.macros().variables(),
                environment.macros().defaults())
            : environment.macros();
    var defaults =
        new dev.fathom.dtrace.syntax.Macros(
            macros.arguments(),
            macros.variables(),
            macros.defaults() || environment.has("defaultargs"));
    var tree =
        Parser.parse(
            input.source(),
            defaults,
            name -> TypeTable.isTypeName(environment.program(), name),
            bare);
    for (var e : tree) {
      if (e instanceof External.Pragma p) {
        pragma(p, input.source());
      }
    }
    return tree;
  }

  private void pragma(External.Pragma p, Source source) {
    switch (p.kind()) {
      case "option" -> {
        if (p.words().size() != 1) {
          throw source.error(
              p.span(), Tag.D_PRAGMA_MALFORM, "expected #pragma D option NAME or NAME=VALUE");
        }
        var word = p.words().getFirst();
        int equals = word.indexOf('=');
        var name = (equals < 0 ? word : word.substring(0, equals)).toLowerCase(Locale.ROOT);
        // What the command line says counts.
        options.putIfAbsent(name, equals < 0 ? "" : word.substring(equals + 1));
      }
      case "attributes", "binding", "depends_on" -> {
        if (p.words().size() < (p.kind().equals("attributes") ? 1 : 2)) {
          throw source.error(
              p.span(), Tag.D_PRAGMA_MALFORM, "#pragma D " + p.kind() + " says too little");
        }
      }
      default ->
          throw source.error(
              p.span(),
              Tag.D_PRAGMA_INVAL,
              "#pragma D "
                  + p.kind()
                  + " is none; expected attributes, binding, depends_on or option");
    }
  }

  // Options that the probe side needs

  private Limits limits(Source source) {
    var d = Limits.DEFAULT;
    return new Limits(
        (int) size("strsize", d.strsize(), 8, 1 << 20, source),
        size("dynvarsize", d.dynvarsize(), 0, 1L << 34, source),
        (int) size("scratchsize", d.scratchsize(), 0, 1 << 26, source),
        (int) size("nspec", d.nspec(), 0, 1 << 20, source),
        (int) size("stackframes", d.stackframes(), 1, 8192, source),
        (int) size("ustackframes", d.ustackframes(), 1, 8192, source),
        options.containsKey("destructive"));
  }

  private long size(String name, long otherwise, long least, long most, Source source) {
    var text = options.get(name);
    if (text == null) {
      return otherwise;
    }
    try {
      long value = Sizes.parse(text);
      if (value < least || value > most) {
        throw new EvalException("expected " + least + " to " + most);
      }
      return value;
    } catch (EvalException e) {
      throw source.error(
          Span.at(0),
          Tag.D_PRAGMA_OPTSET,
          "option " + name + " cannot be '" + text + "': " + e.getMessage());
    }
  }

  // Passes over one program

  private List<Expanded> expand(Expansion expansion, Input input, External.Clause clause) {
    var result = new ArrayList<Expanded>();
    for (var spec : clause.specs()) {
      result.add(
          new Expanded(
              input,
              clause,
              spec,
              expansion.expand(input.source(), spec, input.kind(), options.containsKey("zdefs"))));
    }
    return result;
  }

  private static void describe(Expanded e, StringBuilder into) {
    into.append(e.spec().text()).append('\n');
    for (var p : e.probes()) {
      into.append("  ").append(p.id()).append(' ').append(p.name()).append('\n');
    }
  }

  private static void lower(
      Expanded e,
      Lowering lowering,
      Aggregations aggregations,
      List<Clause> clauses,
      List<EnabledProbe> enabled) {
    var description =
        e.spec().text().chars().allMatch(Character::isDigit)
            ? e.spec().text()
            : Expansion.pattern(e.input().source(), e.spec(), e.input().kind()).toString();
    var clause =
        new ClauseLowering(lowering, aggregations, description, e.probes())
            .lower(clauses.size(), e.clause());
    clauses.add(clause);
    for (var p : e.probes()) {
      if (enabled.size() >= MOST_ENABLED) {
        throw e.input()
            .source()
            .error(e.spec().span(), Tag.D_PDESC_INVAL, "more than " + MOST_ENABLED + " probes");
      }
      enabled.add(new EnabledProbe(enabled.size() + 1, p, clause.id()));
    }
  }

  private void declare(External external, Lowering lowering, Source source) {
    switch (external) {
      case External.Clause _, External.Pragma _ -> {}
      case External.Declaration d -> declaration(d, lowering, source);
      case External.Inline i ->
          lowering.declareInline(
              new Lowering.InlineDef(
                  source,
                  i.type().declarator().name(),
                  lowering.types().resolve(i.type()),
                  i.keys(),
                  i.value()),
              i.span());
      case External.Translator t -> {
        var members = new LinkedHashMap<String, Node>();
        for (var m : t.members()) {
          if (members.put(m.name(), m.value()) != null) {
            throw source.error(
                m.span(), Tag.D_XLATE_MEMB, "member '" + m.name() + "' is translated twice");
          }
        }
        lowering.declareTranslator(
            new Lowering.TranslatorDef(
                source, t.output(), t.input(), t.input().declarator().name(), members));
      }
      case External.ProviderDeclaration p ->
          throw source.error(
              p.span(),
              Tag.D_PROV_BADNAME,
              "provider '"
                  + p.name()
                  + "' is declared for programs that are built with it (-h, -G), which is not done"
                  + " here");
    }
  }

  private static void declaration(External.Declaration d, Lowering lowering, Source source) {
    var storage = d.specifier().storage();
    if (storage.size() > 1) {
      throw source.error(
          d.span(), Tag.D_DECL_CLASS, "more than one storage class: " + String.join(" ", storage));
    }
    var kind = storage.isEmpty() ? "" : storage.getFirst();
    if (kind.equals("auto") || kind.equals("register") || kind.equals("static")) {
      throw source.error(d.span(), Tag.D_DECL_BADCLASS, "storage class " + kind + " is not in D");
    }
    var base = lowering.types().base(d.specifier());
    if (d.declarators().isEmpty()
        && !(d.specifier().base() instanceof TypeText.Tagged)
        && !(d.specifier().base() instanceof TypeText.EnumText)) {
      throw source.error(d.span(), Tag.D_DECL_USELESS, "the declaration declares nothing");
    }
    for (var declarator : d.declarators()) {
      var keys = Optional.<List<dev.fathom.model.type.CType>>empty();
      var derivations = declarator.derivations();
      if (!derivations.isEmpty() && derivations.getFirst() instanceof TypeText.Tuple t) {
        keys = Optional.of(t.keys().stream().map(k -> lowering.types().resolve(k)).toList());
        derivations = derivations.subList(1, derivations.size());
      }
      var type =
          lowering
              .types()
              .derive(
                  base, new TypeText.Declarator(declarator.name(), derivations, declarator.span()));
      if (kind.equals("typedef")) {
        if (keys.isPresent()) {
          throw source.error(
              declarator.span(), Tag.D_DECL_DYNOBJ, "an associative array is no type");
        }
        lowering.types().declareTypedef(declarator.name(), type, declarator.span());
      } else if (!kind.equals("extern")) {
        lowering.declareVariable(
            switch (kind) {
              case "self" -> DVariable.Scope.THREAD;
              case "this" -> DVariable.Scope.CLAUSE;
              default -> DVariable.Scope.GLOBAL;
            },
            declarator.name(),
            type,
            keys,
            declarator.span());
      }
    }
  }
}
