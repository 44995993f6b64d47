// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The same questions about one dump, asked of Fathom and of the debuggers that people use today.
 *
 * <p>Whole processes are measured: start, open, answer, exit; the dump and the peers' vmlinux are
 * in the page cache. Each line of the table is the median of several runs after one that is not
 * counted. A peer that is not installed, has no vmlinux or cannot answer gets a line that says so.
 */
public final class SideBySide {
  private static final Pattern KERNEL_ADDRESS = Pattern.compile("\\bffff[0-9a-f]{12}\\b");
  private static final Pattern TASK_OF_CRASH =
      Pattern.compile("^>? *\\d+ +\\d+ +\\d+ +ffff[0-9a-f]{12} ");
  private static final Pattern STACK_OF_FATHOM = Pattern.compile("^stack pointer for .*");
  private static final Pattern STACK_OF_CRASH = Pattern.compile("^PID: .*TASK: .*");
  private static final Pattern STACK_OF_DRGN = Pattern.compile("^TASK [0-9a-f]+$");
  private static final Pattern KTHREADD = Pattern.compile("kthreadd");

  /**
   * One way to get an answer.
   *
   * @param tool who answers, as the table says it
   * @param program what must be in PATH, or an absolute path
   * @param arguments to the program
   * @param item what a line of output matches once for each thing that was asked for
   * @param must what the output must contain to be about the dump: gdb shows the first task, whose
   *     content is in vmlinux too, and none after it
   * @param needsVmlinux whether it cannot start without the kernel's debug file
   * @param firstTime whether every run starts without what earlier runs remembered
   */
  private record Contender(
      String tool,
      String program,
      List<String> arguments,
      Pattern item,
      Optional<Pattern> must,
      boolean needsVmlinux,
      boolean firstTime) {}

  private record Question(String text, List<Contender> contenders) {}

  private sealed interface Answer {
    record Measured(double seconds, double processor, double mebibytes, long items)
        implements Answer {}

    record None(String why) implements Answer {}
  }

  private final Path dump;
  private final Optional<Path> vmlinux;
  private final int runs;
  private final Path scratch;

  private SideBySide(Path dump, Optional<Path> vmlinux, int runs, Path scratch) {
    this.dump = dump;
    this.vmlinux = vmlinux;
    this.runs = runs;
    this.scratch = scratch;
  }

  /**
   * Arguments: the launcher, the number of runs, the dump, and the kernel's vmlinux if there is
   * one.
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length < 3 || args.length > 4) {
      System.err.println("usage: bench/run beside DUMP [VMLINUX]");
      System.exit(2);
    }
    Path scratch = Files.createTempDirectory("fathom-bench");
    try {
      Optional<Path> vmlinux = args.length == 4 ? Optional.of(Path.of(args[3])) : Optional.empty();
      SideBySide bench =
          new SideBySide(Path.of(args[2]), vmlinux, Integer.parseInt(args[1]), scratch);
      bench.run(Path.of(args[0]).toAbsolutePath().toString());
    } finally {
      Trees.delete(scratch);
    }
  }

  private void run(String fathom) throws IOException, InterruptedException {
    Trees.readOnce(dump);
    if (vmlinux.isPresent()) {
      Trees.readOnce(vmlinux.get());
    }
    System.out.printf(
        Locale.ROOT,
        "%s, %s, %d CPUs, Java %s, dump of %d MiB, median of %d runs%n%n",
        LocalDate.now(ZoneOffset.UTC),
        cpuModel(),
        Runtime.getRuntime().availableProcessors(),
        Runtime.version(),
        Files.size(dump) >> 20,
        runs);
    System.out.println(
        "| question | tool | answered | seconds | times Fathom | processor s | MiB |");
    System.out.println("|---|---|---|---|---|---|---|");
    for (Question question : questions(fathom)) {
      double own = 0;
      for (Contender contender : question.contenders()) {
        Answer answer = ask(contender);
        if (own == 0 && answer instanceof Answer.Measured measured && !contender.firstTime()) {
          own = measured.seconds();
        }
        System.out.println(line(question, contender, answer, own));
      }
    }
  }

  private List<Question> questions(String fathom) throws IOException {
    String core = dump.toString();
    String kernel = vmlinux.map(Path::toString).orElse("");
    List<String> tasks = List.of("open", core, "-e", "::ps");
    List<String> stacks = List.of("open", core, "-e", "::walk thread | ::findstack -v");
    return List.of(
        new Question(
            "list the tasks",
            List.of(
                own("Fathom", fathom, tasks, KERNEL_ADDRESS, false),
                own("Fathom, kernel never seen before", fathom, tasks, KERNEL_ADDRESS, true),
                peer("crash", crash(script("tasks.crash"), kernel, core), TASK_OF_CRASH),
                new Contender(
                    "gdb",
                    "gdb",
                    List.of("-nx", "-q", "-batch", "-x", script("tasks.gdb.py"), kernel, core),
                    KERNEL_ADDRESS,
                    Optional.of(KTHREADD),
                    true,
                    false),
                peer("drgn", drgn(script("tasks.drgn.py"), kernel, core), KERNEL_ADDRESS))),
        new Question(
            "stack of every task",
            List.of(
                own("Fathom", fathom, stacks, STACK_OF_FATHOM, false),
                peer("crash", crash(script("stacks.crash"), kernel, core), STACK_OF_CRASH),
                peer("drgn", drgn(script("stacks.drgn.py"), kernel, core), STACK_OF_DRGN))));
  }

  private static Contender own(
      String name, String launcher, List<String> arguments, Pattern item, boolean firstTime) {
    return new Contender(name, launcher, arguments, item, Optional.empty(), false, firstTime);
  }

  private static Contender peer(String program, List<String> arguments, Pattern item) {
    return new Contender(program, program, arguments, item, Optional.empty(), true, false);
  }

  private static List<String> crash(String script, String kernel, String core) {
    return List.of("-s", "-i", script, kernel, core);
  }

  private static List<String> drgn(String script, String kernel, String core) {
    return List.of("-q", "-c", core, "-s", kernel, script);
  }

  private Answer ask(Contender contender) throws IOException, InterruptedException {
    Optional<Path> program = inPath(contender.program());
    if (program.isEmpty()) {
      return new Answer.None("not installed");
    }
    if (contender.needsVmlinux() && vmlinux.isEmpty()) {
      return new Answer.None("needs the kernel's vmlinux");
    }
    List<String> command = new ArrayList<>();
    command.add(program.get().toString());
    command.addAll(contender.arguments());
    Path memory = scratch.resolve("cache");

    List<Timed> measured = new ArrayList<>();
    long items = 0;
    for (int run = 0; run <= runs; run++) {
      if (contender.firstTime()) {
        Trees.delete(memory);
      }
      Timed timed = Timed.run(command, Map.of("XDG_CACHE_HOME", memory.toString()));
      items = count(timed, contender.item());
      boolean about =
          contender.must().isEmpty() || count(timed, contender.must().orElseThrow()) > 0;
      if (timed.status() != 0 || items == 0) {
        return new Answer.None("cannot: " + lastLine(timed));
      }
      if (!about) {
        return new Answer.None("cannot: answers from vmlinux, not from the dump");
      }
      if (run > 0) {
        measured.add(timed);
      }
    }
    Timed median = Timed.median(measured);
    return new Answer.Measured(median.seconds(), median.processor(), median.mebibytes(), items);
  }

  private static String line(Question question, Contender contender, Answer answer, double own) {
    String start = "| " + question.text() + " | " + contender.tool() + " | ";
    return switch (answer) {
      case Answer.None none -> start + none.why().replace("|", "\\|") + " | | | | |";
      case Answer.Measured(double seconds, double processor, double mebibytes, long items) ->
          start
              + String.format(
                  Locale.ROOT,
                  "%d | %.2f | %s | %.2f | %.0f |",
                  items,
                  seconds,
                  own == 0 ? "" : String.format(Locale.ROOT, "%.1f", seconds / own),
                  processor,
                  mebibytes);
    };
  }

  private static long count(Timed timed, Pattern item) {
    return timed.output().stream().filter(line -> item.matcher(line).find()).count();
  }

  private static String lastLine(Timed timed) {
    return timed.output().reversed().stream()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .findFirst()
        .orElse("status " + timed.status() + " without a word");
  }

  /** A resource as a file, because the peers read scripts from files. */
  private String script(String name) throws IOException {
    Path file = scratch.resolve(name);
    try (InputStream in = SideBySide.class.getResourceAsStream(name)) {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    return file.toString();
  }

  private static Optional<Path> inPath(String program) {
    return Stream.of(System.getenv("PATH").split(":"))
        .map(folder -> Path.of(folder).resolve(program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private static String cpuModel() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("a CPU without a name");
    }
  }
}
