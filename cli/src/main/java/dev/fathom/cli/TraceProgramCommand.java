// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.dtrace.compile.Compiler;
import dev.fathom.dtrace.compile.Environment;
import dev.fathom.dtrace.compile.Input;
import dev.fathom.dtrace.consume.Consumer;
import dev.fathom.dtrace.consume.ConsumerOptions;
import dev.fathom.dtrace.syntax.Macros;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.trace.export.FlameGraph;
import dev.fathom.trace.export.FoldedStacks;
import dev.fathom.trace.export.Speedscope;
import dev.fathom.trace.export.Stacks;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jline.utils.Signals;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fathom trace}. */
@Command(
    name = "trace",
    description = "Trace with D: a guest, a process, or a recorded trace.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "TARGET is the address of a live guest as attach takes it, pid:PID, a recorded trace, or,",
      "with -l, a dump; -c runs a program. Without one there are BEGIN, END and tick. Probes stop the target for the",
      "moment that their clauses take; profile stops it for a sample. Ctrl-C and SIGTERM end tracing; however",
      "it ends, probes are removed and the target goes on. docs/tracing.md has more.",
      "",
      "  fathom trace -n 'fbt::vfs_read:entry { @[execname] = count(); }' --on localhost:1234",
      "  fathom trace -n 'profile-97 { @[stack()] = count(); }' --on qemu:PID --flamegraph f.html",
      "  fathom trace -n 'syscall:::entry { @[probefunc] = count(); }' -c 'ls -l'",
      "  fathom trace -s script.d --on tracefile",
      "  fathom trace -l -n 'fbt::tcp_*:' --on vmcore",
    })
class TraceProgramCommand implements Callable<Integer> {
  /** What ends tracing, as dtrace has it, and the status when it has to be said twice. */
  private static final Map<String, Integer> SIGNALS = Map.of("INT", 130, "TERM", 143);

  /** How long a second signal is one with the first: timeout(1) sends two. */
  private static final Duration AGAIN = Duration.ofSeconds(1);

  /** How long an engine works before output is written. */
  private static final long SLICE = 500_000_000;

  /** Nanoseconds from one view of the aggregations to the next when no rate is given. */
  private static final long USUAL_RATE = 1_000_000_000;

  @Spec private CommandSpec spec;

  private final List<Input> inputs = new ArrayList<>();
  private final List<String> titles = new ArrayList<>();

  /** What the names of variables of the environment begin with that are options of D. */
  private static final String ENVIRONMENT = "DTRACE_OPT_";

  private final Map<String, String> options = new LinkedHashMap<>();
  private final List<Input> libraries = new ArrayList<>();
  private Optional<String> script = Optional.empty();

  @Parameters(
      paramLabel = "ARGUMENT",
      arity = "0..*",
      description = "Arguments of the program: $1, $2, ...")
  private List<String> arguments = new ArrayList<>();

  @Option(names = "--on", paramLabel = "TARGET", description = "What is traced.")
  private String on;

  @Option(
      names = "-p",
      paramLabel = "PID",
      description = "Trace a process of this machine; $target is its number.")
  private Long process;

  @Option(
      names = "-c",
      paramLabel = "COMMAND",
      description =
          "Run a program and trace it until it ends; $target is its process. The command is split"
              + " at white space.")
  private String command;

  @Option(names = "-l", description = "List probes instead of enabling them.")
  private boolean list;

  @Option(names = "-v", description = "With -l also stability and argument types.")
  private boolean verbose;

  @Option(names = "-e", description = "End after compiling.")
  private boolean compileOnly;

  @Option(names = "-S", description = "Show the intermediate form of the program.")
  private boolean showCode;

  @Option(
      names = "-o",
      paramLabel = "FILE",
      description = "Write output to this file; stacks as folded ones if it ends in .folded.")
  private Path output;

  @Option(names = "--json", description = "Write a JSON object on a line for each event.")
  private boolean json;

  @Option(
      names = "--flamegraph",
      paramLabel = "FILE",
      description = "Write the stacks among the aggregations' keys as a flame graph page.")
  private Path flameGraph;

  @Option(
      names = "--speedscope",
      paramLabel = "FILE",
      description = "Write the stacks among the aggregations' keys for speedscope.")
  private Path speedscope;

  @Option(
      names = "--record",
      paramLabel = "FILE",
      description = "Keep all that fires in a recording, which --on and trace-file read.")
  private Path record;

  @Option(names = "--no-index", description = "Neither read nor write the index on disk.")
  private boolean noIndex;

  @Mixin private DebugFileOptions debugFiles;

  @Option(names = "-n", paramLabel = "PROBE", description = "A probe by name, with clause.")
  void byName(String text) {
    add(Input.Kind.NAME, text);
  }

  @Option(names = "-f", paramLabel = "FUNCTION", description = "Probes of a function.")
  void byFunction(String text) {
    add(Input.Kind.FUNCTION, text);
  }

  @Option(names = "-m", paramLabel = "MODULE", description = "Probes of a module.")
  void byModule(String text) {
    add(Input.Kind.MODULE, text);
  }

  @Option(names = "-P", paramLabel = "PROVIDER", description = "Probes of a provider.")
  void byProvider(String text) {
    add(Input.Kind.PROVIDER, text);
  }

  @Option(names = "-i", paramLabel = "ID", description = "A probe by its number.")
  void byId(String text) {
    add(Input.Kind.ID, text);
  }

  private void add(Input.Kind kind, String text) {
    if (text != null) {
      inputs.add(Input.description(kind, text));
      titles.add("description '" + text.strip().split("[ {/]", 2)[0] + "'");
    }
  }

  @Option(names = "-s", paramLabel = "FILE", description = "A program in a file; - is the input.")
  void script(Path file) throws IOException {
    if (file != null) {
      script = Optional.of(file.toString());
      inputs.add(Input.script(file.toString(), text(file)));
      titles.add("script '" + file + "'");
    }
  }

  @Option(names = "-x", paramLabel = "OPTION[=VALUE]", description = "Set an option of D.")
  void option(String text) {
    if (text != null) {
      int equals = text.indexOf('=');
      options.put(
          equals < 0 ? text : text.substring(0, equals),
          equals < 0 ? "" : text.substring(equals + 1));
    }
  }

  @Option(names = "-b", paramLabel = "SIZE", description = "The same as -x bufsize=SIZE.")
  void buffer(String size) {
    set("bufsize", size);
  }

  @Option(names = "-q", description = "Print only what the program prints.")
  void quiet(boolean yes) {
    flag("quiet", yes);
  }

  @Option(names = "-F", description = "Indent by entries and returns.")
  void flow(boolean yes) {
    flag("flowindent", yes);
  }

  @Option(names = "-w", description = "Allow destructive actions.")
  void destructive(boolean yes) {
    flag("destructive", yes);
  }

  @Option(names = "-Z", description = "Allow descriptions that match no probe.")
  void zero(boolean yes) {
    flag("zdefs", yes);
  }

  @Option(names = "-C", hidden = true)
  void preprocess(boolean yes) {
    if (yes) {
      throw new ParameterException(
          spec.commandLine(), "-C: programs are not run through the C preprocessor here");
    }
  }

  @Option(names = "-L", paramLabel = "DIR", description = "Declarations: the .d files there.")
  void libraries(Path folder) throws IOException {
    if (folder == null) {
      return;
    }
    try (var files = Files.newDirectoryStream(folder, "*.d")) {
      var sorted = new ArrayList<Path>();
      files.forEach(sorted::add);
      sorted.sort(null);
      for (var file : sorted) {
        libraries.add(Input.script(file.toString(), text(file)));
      }
    }
  }

  @Option(
      names = "-D",
      paramLabel = "NAME[=VALUE]",
      description = "A name that stands for a number, 1 without a value.")
  void define(String text) {
    if (text != null) {
      int equals = text.indexOf('=');
      var name = equals < 0 ? text : text.substring(0, equals);
      var value = equals < 0 ? "1" : text.substring(equals + 1);
      libraries.add(Input.script("-D " + name, "inline long " + name + " = " + value + ";\n"));
    }
  }

  /** D's options that variables of the environment name: {@code DTRACE_OPT_STRSIZE=1k}. */
  static Map<String, String> environmentOptions(Map<String, String> environment) {
    var found = new TreeMap<String, String>();
    environment.forEach(
        (name, value) -> {
          if (name.startsWith(ENVIRONMENT) && name.length() > ENVIRONMENT.length()) {
            found.put(name.substring(ENVIRONMENT.length()).toLowerCase(Locale.ROOT), value);
          }
        });
    return found;
  }

  private void set(String name, String value) {
    if (value != null) {
      options.put(name, value);
    }
  }

  private void flag(String name, boolean yes) {
    if (yes) {
      options.put(name, "");
    }
  }

  private static String text(Path file) throws IOException {
    try {
      var bytes = file.toString().equals("-") ? System.in.readAllBytes() : Files.readAllBytes(file);
      return new String(bytes, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException _) {
      throw new UsageException(file + ": there is no such file");
    }
  }

  /** What messages begin with. */
  String program() {
    return "fathom";
  }

  @Override
  public Integer call() throws IOException {
    if (inputs.isEmpty() && !list) {
      throw new ParameterException(
          spec.commandLine(), "expected a program: -n, -s, -f, -m, -P or -i, or -l for a list");
    }
    if ((process != null ? 1 : 0) + (on != null ? 1 : 0) + (command != null ? 1 : 0) > 1) {
      throw new ParameterException(
          spec.commandLine(), "only one of -p, -c and --on can name the target");
    }
    environmentOptions(System.getenv()).forEach(options::putIfAbsent);
    var console = Console.standard();
    var address =
        process != null
            ? Optional.of("pid:" + process)
            : command != null ? Optional.of("run:" + command) : Optional.ofNullable(on);
    try (var tracer = Tracer.open(address, record, options(console), list, console)) {
      return list ? list(tracer, console) : trace(tracer, console);
    } finally {
      console.flush();
    }
  }

  private KernelOptions options(Console console) {
    return new KernelOptions(
        noIndex ? Optional.empty() : Folders.index(),
        true,
        console.progress(),
        debugFiles.files(console.progress()));
  }

  private int list(Tracer tracer, Console console) throws IOException {
    var listing = new ProbeListing(tracer.engine(), verbose);
    if (inputs.isEmpty()) {
      listing.all(console.out());
    } else {
      var compiled = compile(tracer);
      listing.of(compiled.plan().probes().toList(), console.out());
    }
    return 0;
  }

  private Compiler.Compiled compile(Tracer tracer) {
    var engine = tracer.engine();
    var environment = Environment.of(engine, tracer.program(), macros(tracer), options);
    return Compiler.compile(environment, libraries, inputs);
  }

  private Macros macros(Tracer tracer) {
    var words = new ArrayList<String>();
    words.add(script.orElse("dtrace"));
    words.addAll(arguments);
    var variables = new HashMap<>(OwnProcess.macros());
    tracer.process().ifPresent(pid -> variables.put("target", pid));
    return new Macros(words, variables, false);
  }

  private int trace(Tracer tracer, Console console) throws IOException {
    var compiled = compile(tracer);
    if (showCode) {
      console.out().append(compiled.dump("lower"));
      console.flush();
    }
    if (compileOnly) {
      return 0;
    }
    var plan = compiled.plan();
    var merged = new ConsumerOptions(plan.options());
    boolean quiet = merged.flag("quiet");
    if (!quiet) {
      for (int i = 0; i < titles.size(); i++) {
        int count = compiled.matched().get(i);
        tell(console, titles.get(i) + " matched " + count + (count == 1 ? " probe" : " probes"));
      }
    }
    boolean folded = output != null && output.toString().endsWith(".folded");
    var out = folded || output == null ? standardOutput() : append(output);
    var around =
        new Consumer.Surroundings(
            tracer.names(), tracer.order(), ZoneId.systemDefault(), command -> run(command, out));
    var consumer =
        json
            ? Consumer.json(plan, merged, around, out)
            : Consumer.text(plan, merged, around, out, line -> tell(console, line));
    var told = tracer.warnings();
    run(tracer, consumer, plan, console, out, quiet);
    tracer.warnings().stream().filter(text -> !told.contains(text)).forEach(console::warn);
    if (!folded) {
      consumer.finish();
    }
    out.flush();
    export(consumer, folded);
    tracer.cost().filter(_ -> !quiet).ifPresent(cost -> tell(console, cost));
    return consumer.status().orElse(0);
  }

  private void run(
      Tracer tracer,
      Consumer consumer,
      dev.fathom.dtrace.probe.Plan plan,
      Console console,
      OutputStream out,
      boolean quiet)
      throws IOException {
    var engine = tracer.engine();
    var asked = new AtomicReference<Instant>();
    var before = new HashMap<String, Object>();
    for (var signal : SIGNALS.entrySet()) {
      Runnable end =
          () -> {
            var now = Instant.now();
            var first = asked.compareAndExchange(null, now);
            if (first != null && first.plus(AGAIN).isBefore(now)) {
              System.exit(signal.getValue()); // It was asked to before, and does not come to it.
            }
            engine.interrupt();
          };
      before.put(signal.getKey(), Signals.register(signal.getKey(), end));
    }
    try {
      for (var problem : engine.start(plan, consumer)) {
        tell(console, problem);
      }
      var live = live(plan.options(), consumer, out, console);
      while (engine.work(live.isPresent() ? live.get().until(SLICE) : SLICE)
          && asked.get() == null) {
        if (live.isPresent()) {
          live.get().update();
        }
        out.flush();
        notices(engine, console, quiet);
      }
      if (live.isPresent()) {
        live.get().close();
      }
      notices(engine, console, quiet);
      engine.stop();
    } finally {
      before.forEach(Signals::unregister);
      engine.close();
    }
  }

  /** What {@code -x aggrate} asks for; dtrace has the option for another purpose. */
  private Optional<LiveView> live(
      Map<String, String> all, Consumer consumer, OutputStream out, Console console) {
    if (!all.containsKey("aggrate") || !showsAggregations()) {
      return Optional.empty();
    }
    var own = new ConsumerOptions(all);
    long interval = own.interval("aggrate").orElse(USUAL_RATE);
    boolean screen = output == null && !json && console.interactive();
    long started = System.nanoTime();
    return Optional.of(
        new LiveView(
            out,
            interval,
            () -> screen ? OptionalInt.of(console.height()) : OptionalInt.empty(),
            () ->
                String.format(
                    java.util.Locale.ROOT,
                    "%s: %.1f s; Ctrl-C ends",
                    program(),
                    (System.nanoTime() - started) / 1e9),
            consumer::snapshot));
  }

  /** Whether {@code -x aggrate} asks for a view. */
  boolean showsAggregations() {
    return true;
  }

  private void notices(dev.fathom.dtrace.probe.Engine engine, Console console, boolean quiet) {
    for (var notice : engine.notices()) {
      if (!quiet) {
        tell(console, notice);
      }
    }
  }

  private void tell(Console console, String line) {
    try {
      console.flush();
      console.err().append(program()).append(": ").append(line).append('\n').flush();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static OutputStream standardOutput() {
    return new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
  }

  /** As dtrace: what is there stays. */
  private static OutputStream append(Path file) throws IOException {
    return new BufferedOutputStream(
        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
  }

  private static void run(String command, OutputStream out) {
    try {
      out.flush();
      var process =
          new ProcessBuilder("/bin/sh", "-c", command)
              .redirectErrorStream(false)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .start();
      process.getInputStream().transferTo(out);
      process.waitFor();
    } catch (IOException e) {
      throw new TargetException("system(): " + e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void export(Consumer consumer, boolean folded) throws IOException {
    if (!folded && flameGraph == null && speedscope == null) {
      return;
    }
    var stacks = new Stacks("fathom trace", Stacks.Unit.COUNT);
    for (var one : consumer.stacks()) {
      stacks.addInnermostFirst(one.frames(), one.weight());
    }
    if (stacks.isEmpty()) {
      throw new UnsupportedException(
          "no stacks to write: the program has no aggregation with stack() or ustack() as a key,"
              + " or nothing fired");
    }
    if (folded) {
      write(output, to -> FoldedStacks.write(stacks, to));
    }
    if (flameGraph != null) {
      write(flameGraph, to -> FlameGraph.write(stacks, to));
    }
    if (speedscope != null) {
      write(speedscope, to -> Speedscope.write(List.of(stacks), to));
    }
  }

  /** Writes text. */
  private interface Content {
    void write(Writer to) throws IOException;
  }

  private static void write(Path file, Content content) throws IOException {
    try (var to = Files.newBufferedWriter(file)) {
      content.write(to);
    } catch (FathomException e) {
      throw new TargetException(file + ": " + e.getMessage());
    }
  }
}
