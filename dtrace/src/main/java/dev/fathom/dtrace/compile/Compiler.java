// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.EvalException;
import dev.fathom.base.Span;
import dev.fathom.base.UsageException;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.ir.DVariable;
import dev.fathom.dtrace.ir.Dump;
import dev.fathom.dtrace.ir.IrProgram;
import dev.fathom.dtrace.ir.Limits;
import dev.fathom.dtrace.ir.OptionFlags;
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
import dev.fathom.dtrace.vprobe.Vprobes;
import dev.fathom.model.Program;
import dev.fathom.model.arch.aarch64.Aarch64;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The D compiler: programs of a command line together, as they share variables and aggregations.
 *
 * <p>Passes: {@code parse} makes a syntax tree of each text; {@code expand} finds the probes of
 * each clause; then, clause by clause, as an assignment defines what later clauses use: {@code
 * resolve} finds what names stand for ({@link Resolver}), {@code type} makes a typed tree ({@link
 * Typer}, {@link Typed}), {@code check} looks at the order of actions and at what changes things
 * ({@link Safety}), {@code lower} makes the intermediate form ({@link Lower}); {@code verify}
 * proves that form. What each pass made can be looked at ({@link Compiled#dump}).
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
  public record Compiled(Plan plan, List<Integer> matched, Map<String, Supplier<String>> passes) {
    public Compiled {
      matched = List.copyOf(matched);
    }

    /**
     * What a pass made, as text: {@code parse}, {@code expand}, {@code resolve}, {@code type},
     * {@code check}, {@code lower}, {@code verify}.
     */
    public String dump(String pass) {
      var text = passes.get(pass);
      if (text == null) {
        throw new UsageException(
            "no pass '" + pass + "'; the passes are " + String.join(", ", passes.keySet()));
      }
      return text.get();
    }
  }

  private final Environment environment;
  private final Map<String, String> options;
  private final Map<String, Supplier<String>> passes = new LinkedHashMap<>();
  private final BitSet usedArguments = new BitSet();
  private final StringBuilder resolved = new StringBuilder();
  private final List<TypedStatement.TypedClause> typed = new ArrayList<>();
  private final StringBuilder checked = new StringBuilder();

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
    environment
        .options()
        .forEach(
            (name, value) ->
                Options.problem(name, value, false)
                    .ifPresent(
                        problem -> {
                          throw new UsageException("option " + name + ": " + problem);
                        }));
    return new Compiler(environment).run(libraries, inputs);
  }

  private Compiled run(List<Input> libraries, List<Input> inputs) {
    var all = new ArrayList<Input>();
    all.add(resource("prelude.d"));
    all.add(
        resource(environment.builtins().contains(Builtin.CURTHREAD) ? "kernel.d" : "process.d"));
    all.add(registers());
    all.addAll(libraries);
    int own = all.size();
    all.addAll(inputs);
    var trees = new ArrayList<List<External>>();
    for (int i = 0; i < all.size(); i++) {
      var tree = parse(all.get(i), i < own);
      trees.add(tree);
    }
    requireArgumentsUsed(all.getLast().source());
    passes.put(
        "parse",
        () ->
            trees.subList(own, trees.size()).stream()
                .flatMap(List::stream)
                .map(e -> e + "\n")
                .collect(Collectors.joining()));
    var limits = limits(all.getLast().source());
    var texts = new Texts(all.getFirst().source());
    var typer = new Typer(environment, limits, texts);
    var aggregations = new Aggregations(typer);
    var expansion = new Expansion(environment.providers());
    var clauses = new ArrayList<Clause>();
    var enabled = new ArrayList<EnabledProbe>();
    var descriptions = new ArrayList<Plan.Description>();
    var matched = new ArrayList<Integer>();
    var expanded = new ArrayList<Expanded>();
    for (int i = 0; i < all.size(); i++) {
      int count = 0;
      texts.use(all.get(i).source());
      for (var external : trees.get(i)) {
        if (external instanceof External.Clause clause) {
          if (i < own) {
            throw all.get(i)
                .source()
                .error(clause.span(), Tag.D_SYNTAX, "a library has no clauses");
          }
          for (var e : expand(expansion, all.get(i), clause)) {
            count += e.probes().size();
            expanded.add(e);
            clauses.add(clause(e, typer, aggregations, clauses.size(), limits));
            enable(e, clauses.size() - 1, enabled);
            description(e, clauses.size() - 1, typer.usesArguments()).ifPresent(descriptions::add);
          }
        } else {
          declare(external, typer, i >= own);
        }
      }
      if (i >= own) {
        matched.add(count);
      }
    }
    passes.put("expand", () -> described(expanded));
    var program = new IrProgram(typer.scope().variables(), aggregations.all(), clauses, limits);
    passes.put("resolve", resolved::toString);
    passes.put("type", () -> typed.stream().map(TypedText::of).collect(Collectors.joining()));
    passes.put("check", checked::toString);
    passes.put("lower", () -> Dump.of(program));
    Verifier.verify(program);
    passes.put("verify", () -> "verified " + clauses.size() + " clauses\n");
    return new Compiled(
        new Plan(program, enabled, descriptions, options),
        matched,
        java.util.Collections.unmodifiableMap(passes));
  }

  /** One program may use what another does not. */
  private void requireArgumentsUsed(Source source) {
    int unused = usedArguments.nextClearBit(1);
    boolean defaults = environment.macros().defaults() || OptionFlags.isOn(options, "defaultargs");
    if (unused < environment.macros().arguments().size() && !defaults) {
      throw source.error(
          Span.at(source.text().length()),
          Tag.D_MACRO_UNUSED,
          "argument $" + unused + " was given but is not used (option defaultargs allows that)");
    }
  }

  /** The numbers of registers in {@code uregs[]}. */
  private Input registers() {
    boolean arm = environment.program().map(Program::architecture).orElse(null) == Aarch64.INSTANCE;
    return resource(arm ? "registers-aarch64.d" : "registers-x86_64.d");
  }

  private static Input resource(String name) {
    try (var in = Compiler.class.getResourceAsStream(name)) {
      return Input.script(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
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
        input.kind() == Input.Kind.VPROBES
            ? Vprobes.parse(input.source())
            : Parser.parse(
                input.source(),
                defaults,
                usedArguments,
                name -> TypeTable.isTypeName(environment.program(), name),
                bare);
    for (var e : tree) {
      if (e instanceof External.Pragma p) {
        pragma(p, input.source(), library);
      }
    }
    return tree;
  }

  private void pragma(External.Pragma p, Source source, boolean library) {
    switch (p.kind()) {
      case "option" -> {
        if (p.words().size() != 1) {
          throw source.error(
              p.span(), Tag.D_PRAGMA_MALFORM, "expected #pragma D option NAME or NAME=VALUE");
        }
        var word = p.words().getFirst();
        int equals = word.indexOf('=');
        var name = (equals < 0 ? word : word.substring(0, equals)).toLowerCase(Locale.ROOT);
        var value = equals < 0 ? "" : word.substring(equals + 1);
        var problem = Options.problem(name, value, true);
        if (problem.isPresent()) {
          throw source.error(
              p.span(), Tag.D_PRAGMA_OPTSET, "option " + name + ": " + problem.get());
        }
        // What the command line says counts.
        options.putIfAbsent(name, value);
      }
      case "attributes", "binding", "depends_on" -> {
        if (p.words().size() < 2) {
          throw source.error(
              p.span(), Tag.D_PRAGMA_MALFORM, "#pragma D " + p.kind() + " says too little");
        }
        if (p.kind().equals("depends_on") && p.words().getFirst().equals("library") && !library) {
          throw source.error(
              p.span(), Tag.D_PRAGMA_DEPEND, "only a library depends on a library, not a program");
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
        (int) size("strsize", d.strsize(), 2, 1 << 20, source),
        size("dynvarsize", d.dynvarsize(), 0, 1L << 34, source),
        (int) size("scratchsize", d.scratchsize(), 0, 1 << 26, source),
        (int) size("nspec", d.nspec(), 0, 1 << 20, source),
        (int) size("stackframes", d.stackframes(), 1, 8192, source),
        (int) size("ustackframes", d.ustackframes(), 1, 8192, source),
        OptionFlags.isOn(options, "destructive"));
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
              expansion.expand(
                  input.source(), spec, input.kind(), OptionFlags.isOn(options, "zdefs"))));
    }
    return result;
  }

  private static String described(List<Expanded> all) {
    var into = new StringBuilder();
    for (var e : all) {
      into.append(e.spec().text()).append('\n');
      for (var p : e.probes()) {
        into.append("  ").append(p.id()).append(' ').append(p.name()).append('\n');
      }
    }
    return into.toString();
  }

  /** The passes over one clause at one probe description. */
  private Clause clause(Expanded e, Typer typer, Aggregations aggregations, int id, Limits limits) {
    var description =
        e.spec().text().chars().allMatch(Character::isDigit)
            ? e.spec().text()
            : Expansion.pattern(e.input().source(), e.spec(), e.input().kind()).toString();
    typer.resolver().begin();
    typer.resolver().clause(e.clause());
    section(resolved, id, description).append(typer.resolver().shown());
    var clause = new ClauseTyper(typer, aggregations, description, e.probes()).type(id, e.clause());
    typed.add(clause);
    section(checked, id, description)
        .append("  ")
        .append(Safety.check(clause, typer.texts(), limits.destructive()))
        .append('\n');
    return Lower.lower(clause, limits.strsize());
  }

  private static StringBuilder section(StringBuilder of, int id, String description) {
    return of.append("clause ").append(id).append(' ').append(description).append('\n');
  }

  /** What later probes are enabled by; a number stands for the one probe that has it. */
  private static Optional<Plan.Description> description(
      Expanded e, int clause, boolean usesArguments) {
    if (e.spec().text().chars().allMatch(Character::isDigit)) {
      return Optional.empty();
    }
    return Optional.of(
        new Plan.Description(
            Expansion.pattern(e.input().source(), e.spec(), e.input().kind()),
            clause,
            usesArguments ? Optional.of(e.probes().getFirst().arguments()) : Optional.empty()));
  }

  private static void enable(Expanded e, int clause, List<EnabledProbe> enabled) {
    for (var p : e.probes()) {
      if (enabled.size() >= MOST_ENABLED) {
        throw e.input()
            .source()
            .error(e.spec().span(), Tag.D_PDESC_INVAL, "more than " + MOST_ENABLED + " probes");
      }
      enabled.add(new EnabledProbe(enabled.size() + 1, p, clause));
    }
  }

  private static void declare(External external, Typer typer, boolean own) {
    var texts = typer.texts();
    switch (external) {
      case External.Clause _, External.Pragma _ -> {}
      case External.Declaration d -> declaration(d, typer, texts.source());
      case External.Inline i -> {
        var inline =
            new Scope.Inline(
                texts.source(),
                i.type().declarator().name(),
                typer.types().resolve(i.type()),
                i.keys(),
                i.value());
        if (own) {
          typer.checkInline(inline, i.span());
        }
        typer.scope().declareInline(inline, i.span());
      }
      case External.Translator t -> {
        var members = new LinkedHashMap<String, List<Node>>();
        for (var m : t.members()) {
          var all = members.computeIfAbsent(m.name(), _ -> new ArrayList<>());
          if (all.isEmpty() || !own) {
            all.add(m.value());
          }
        }
        var translator =
            new Scope.Translator(
                texts.source(), t.output(), t.input(), t.input().declarator().name(), members);
        if (own) {
          typer.translators().check(translator, t);
        }
        typer.scope().declareTranslator(translator);
      }
      case External.ProviderDeclaration p ->
          throw texts.error(
              p.span(),
              Tag.D_PROV_BADNAME,
              "provider '"
                  + p.name()
                  + "' is declared for programs that are built with it (-h, -G), which is not done"
                  + " here");
    }
  }

  private static void declaration(External.Declaration d, Typer typer, Source source) {
    var storage = d.specifier().storage();
    if (storage.size() > 1) {
      throw source.error(
          d.span(), Tag.D_DECL_CLASS, "more than one storage class: " + String.join(" ", storage));
    }
    var kind = storage.isEmpty() ? "" : storage.getFirst();
    if (kind.equals("auto") || kind.equals("register") || kind.equals("static")) {
      throw source.error(d.span(), Tag.D_DECL_BADCLASS, "storage class " + kind + " is not in D");
    }
    var base = typer.types().base(d.specifier());
    if (d.declarators().isEmpty()
        && !(d.specifier().base() instanceof TypeText.Tagged)
        && !(d.specifier().base() instanceof TypeText.EnumText)) {
      throw source.error(d.span(), Tag.D_DECL_USELESS, "the declaration declares nothing");
    }
    for (var declarator : d.declarators()) {
      var keys = Optional.<List<dev.fathom.model.type.CType>>empty();
      var derivations = declarator.derivations();
      if (!derivations.isEmpty() && derivations.getFirst() instanceof TypeText.Tuple t) {
        keys = Optional.of(t.keys().stream().map(k -> typer.types().resolve(k)).toList());
        derivations = derivations.subList(1, derivations.size());
      }
      var type =
          typer
              .types()
              .derive(
                  base, new TypeText.Declarator(declarator.name(), derivations, declarator.span()));
      if (kind.equals("typedef")) {
        if (keys.isPresent()) {
          throw source.error(
              declarator.span(), Tag.D_DECL_DYNOBJ, "an associative array is no type");
        }
        typer.types().declareTypedef(declarator.name(), type, declarator.span());
      } else if (!kind.equals("extern")) {
        typer
            .scope()
            .declareVariable(
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
