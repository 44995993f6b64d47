// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Image;
import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import dev.fathom.testkit.lab.Fault;
import dev.fathom.testkit.lab.Flavour;
import dev.fathom.testkit.lab.GuestFacts;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LabDump;
import dev.fathom.testkit.lab.LabRecipes;
import dev.fathom.testkit.lab.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What Fathom finds in a dump against what the guest said about itself just before: its tasks,
 * modules, log, symbols, stacks, mappings and memory.
 */
@Tag("lab")
class GuestAnswersTest {
  private static final Lab LAB = Lab.open();

  /**
   * One way to open one guest's dump.
   *
   * @param lossy whether the dump lacks pages of the kernel: makedumpfile 1.7.2 does not know Linux
   *     6.12 ("the kernel version is not supported") and takes some slab pages for user data
   */
  private record Case(String name, LabDump dump, List<Path> files, boolean lossy) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Recipe> byQemu() {
    return LabRecipes.byQemu();
  }

  static List<Recipe> arm() {
    return LabRecipes.arm();
  }

  static Stream<Case> flavours() {
    List<Case> cases = new ArrayList<>();
    for (String kernel : LabRecipes.KERNELS) {
      LabDump healthy = LAB.dump(LabRecipes.healthy(kernel));
      for (Flavour flavour : Flavour.values()) {
        healthy
            .dump(flavour)
            .ifPresent(
                file -> cases.add(new Case(kernel + " " + flavour, healthy, List.of(file), false)));
      }
      LabDump kdump = LAB.dump(LabRecipes.kdump(kernel));
      boolean recent = kernel.equals("6.12");
      List<Path> split = new ArrayList<>();
      for (String name : kdump.kdumps()) {
        if (name.startsWith("split")) {
          split.add(kdump.kdump(name));
        } else {
          cases.add(
              new Case(
                  kernel + " kdump " + name,
                  kdump,
                  List.of(kdump.kdump(name)),
                  recent && name.endsWith("-d31")));
        }
      }
      cases.add(new Case(kernel + " kdump split", kdump, split, recent));
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("byQemu")
  void agreesWithTheGuest(Recipe recipe) {
    LabDump dump = LAB.dump(recipe);
    try (Session session = open(List.of(dump.dump()))) {
      check(session, dump);
    }
  }

  @ParameterizedTest
  @MethodSource("arm")
  void agreesWithGuestsOfArm(Recipe recipe) {
    LabDump dump = LAB.dump(recipe);
    for (Flavour flavour : recipe.flavours()) {
      if (dump.dump(flavour).isPresent()) {
        try (Session session = open(List.of(dump.dump(flavour).get()))) {
          check(session, dump);
        }
      }
    }
  }

  /** By the header of the kernel's image and page tables in it, where all notes are left aside. */
  @ParameterizedTest
  @MethodSource("arm")
  void findsKernelsOfArmWithoutNotes(Recipe recipe) {
    LabDump dump = LAB.dump(recipe);
    KernelOptions options = new KernelOptions(Optional.empty(), false, Progress.NONE);
    try (Session session = Session.open(List.of(dump.dump()), options)) {
      SoftAssertions softly = new SoftAssertions();
      softly.check(() -> tasks(session, dump.facts()));
      softly.check(() -> modules(session, dump, false));
      softly.check(() -> symbols(session, dump.facts()));
      softly.check(() -> stacks(session, dump.facts()));
      softly.assertAll();
    }
  }

  @ParameterizedTest
  @MethodSource("flavours")
  void readsEveryFlavour(Case one) {
    try (Session session = open(one.files())) {
      if (one.lossy()) {
        checkLossy(session, one.dump());
      } else {
        check(session, one.dump());
      }
    }
  }

  private static Session open(List<Path> files) {
    return Session.open(files, new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  private static void check(Session session, LabDump dump) {
    GuestFacts facts = dump.facts();
    SoftAssertions softly = new SoftAssertions();
    softly.check(() -> tasks(session, facts));
    softly.check(() -> assertThat(session.kernel().cpus()).as("CPUs").hasSize(2));
    softly.check(() -> modules(session, dump, false));
    softly.check(() -> log(session, facts));
    softly.check(() -> symbols(session, facts));
    softly.check(() -> stacks(session, facts));
    softly.check(() -> addresses(session, facts));
    softly.check(() -> mappings(session, facts));
    softly.check(() -> sizes(session, facts));
    softly.check(() -> faulted(session, dump));
    softly.assertAll();
  }

  /** What can be read is right, and what cannot be read is said. */
  private static void checkLossy(Session session, LabDump dump) {
    GuestFacts facts = dump.facts();
    Map<Integer, String> names =
        facts.tasks().stream()
            .collect(Collectors.toMap(GuestFacts.Task::tid, GuestFacts.Task::name));
    List<String> remarks = new ArrayList<>();
    List<Task> tasks = session.kernel().tasks(remarks::add).toList();
    int known = 0;
    for (Task task : tasks) {
      String name = task.isIdle() ? null : names.get((int) task.id().orElse(0));
      if (name != null) {
        assertThat(name).as("%s", task).startsWith(task.name());
        known++;
      }
    }
    assertThat(known).as("tasks that the guest knows too").isGreaterThan(names.size() / 2);
    assertThat(remarks).allMatch(remark -> remark.contains("page not in the dump"));
    SoftAssertions softly = new SoftAssertions();
    softly.check(() -> modules(session, dump, true));
    softly.check(() -> log(session, facts));
    softly.check(() -> symbols(session, facts));
    softly.assertAll();
  }

  /** Tasks that come and go by themselves, and that of the fault. */
  private static boolean transientTask(String name) {
    return name.startsWith("kworker/") || name.equals("insmod");
  }

  private static void tasks(Session session, GuestFacts facts) {
    Map<Long, Task> found = new LinkedHashMap<>();
    notes(notes -> session.kernel().tasks(notes))
        .forEach(task -> found.put(task.id().orElseThrow(), task));
    found.remove(0L);
    Set<String> said = new TreeSet<>();
    Set<String> saw = new TreeSet<>();
    for (GuestFacts.Task task : facts.tasks()) {
      if (!transientTask(task.name())) {
        said.add(line(task.tid(), task.tgid(), task.parent(), comm(task.name())));
      }
      Task same = found.get((long) task.tid());
      if (same != null && task.name().startsWith("kworker/")) {
        assertThat(task.name()).startsWith(same.name());
      }
      if (same != null && task.name().equals("sleep")) {
        assertThat(same.state()).as("state of %s", same).isEqualTo('S');
        assertThat(same.kernelThread()).as("%s", same).isFalse();
      }
    }
    for (Task task : found.values()) {
      if (!transientTask(task.name())) {
        saw.add(
            line(
                task.id().orElseThrow(),
                task.process().orElseThrow(),
                task.parent().orElseThrow(),
                task.name()));
      }
    }
    assertThat(saw).as("tasks").containsExactlyInAnyOrderElementsOf(said);
  }

  /**
   * A kernel thread's long name, which {@code /proc} shows since Linux 5.17, as its comm has it.
   */
  private static String comm(String name) {
    return name.length() > 15 ? name.substring(0, 15) : name;
  }

  private static String line(long id, long process, long parent, String name) {
    return "%5d process %5d parent %5d %s".formatted(id, process, parent, name);
  }

  /**
   * @param lossy whether pages with a part of a module's structure may be missing
   */
  private static void modules(Session session, LabDump dump, boolean lossy) {
    Map<String, Image> found =
        session.kernel().images().stream()
            .skip(1)
            .collect(Collectors.toMap(Image::name, image -> image));
    Set<String> said = new HashSet<>();
    for (GuestFacts.Module module : dump.facts().modules()) {
      said.add(module.name());
      assertThat(found).as("modules").containsKey(module.name());
      Image image = found.get(module.name());
      assertThat(image.ranges())
          .as("where %s is", module)
          .anyMatch(range -> range.contains(module.address()));
      List<Cell> use = session.kernel().details(image).stream().map(Datum.Field::value).toList();
      if (!lossy) {
        assertThat(image.buildId()).as("build-id of %s", module).isPresent();
        assertThat(use).as("use of %s", module).noneMatch(Cell.Absent.class::isInstance);
      }
      use.stream()
          .filter(cell -> !(cell instanceof Cell.Absent))
          .forEach(
              cell ->
                  assertThat(cell)
                      .as("use of %s", module)
                      .isEqualTo(Cell.decimal(module.references())));
    }
    if (dump.recipe().fault() != Fault.NONE && found.containsKey("fathom_fault")) {
      said.add("fathom_fault");
    }
    assertThat(found.keySet()).as("modules").isEqualTo(said);
  }

  private static void log(Session session, GuestFacts facts) {
    List<String> found = new ArrayList<>();
    for (LogEntry entry : notes(notes -> session.kernel().log(notes))) {
      long micros = entry.nanos() / 1000;
      String time = "[%5d.%06d] ".formatted(micros / 1_000_000, micros % 1_000_000);
      entry.text().lines().forEach(line -> found.add(time + line));
    }
    assertThat(found).as("log").hasSizeGreaterThanOrEqualTo(facts.log().size());
    assertThat(found.subList(0, facts.log().size())).as("log").isEqualTo(facts.log());
  }

  private static void symbols(Session session, GuestFacts facts) {
    Set<String> found = new HashSet<>();
    session.kernel().program().symbols().stream()
        .forEach(symbol -> found.add(key(symbol.address(), symbol.name(), symbol.module())));
    List<String> missing = new ArrayList<>();
    int asked = 0;
    for (GuestFacts.Symbol symbol : facts.symbols()) {
      String module = symbol.module().orElse("");
      boolean label = symbol.name().startsWith(".L");
      if (label || module.equals("bpf") || module.startsWith("__builtin__")) {
        continue;
      }
      asked++;
      String key = key(symbol.address(), symbol.name(), module);
      if (!found.contains(key)) {
        missing.add(key);
      }
    }
    assertThat(asked).as("symbols that the guest told").isGreaterThan(40_000);
    assertThat(missing).as("symbols not found").isEmpty();
  }

  private static String key(long address, String name, String module) {
    return Long.toHexString(address) + " " + name + " " + module;
  }

  /** {@code /proc/PID/stack} leaves out the scheduler's own functions, which come first. */
  private static void stacks(Session session, GuestFacts facts) {
    Map<Integer, List<String>> said = facts.stacks();
    SoftAssertions softly = new SoftAssertions();
    int compared = 0;
    for (GuestFacts.Task task : facts.tasks()) {
      boolean settled =
          task.state() == 'S' && (task.name().equals("sleep") || task.name().equals("lab-thread"));
      boolean workless = task.state() == 'I' && !task.name().matches("(kworker/|rcu_).*");
      List<String> lines = said.get(task.tid());
      if ((settled || workless) && lines != null) {
        Optional<Task> found = session.kernel().taskOfId(task.tid());
        softly.assertThat(found).as("%s", task).isPresent();
        if (found.isEmpty()) {
          continue;
        }
        Task same = found.get();
        Backtrace stack = session.kernel().stack(same);
        List<String> frames = new ArrayList<>();
        for (Frame frame : stack.frames()) {
          frames.add(
              session
                  .kernel()
                  .program()
                  .symbols()
                  .at(frame.lookup())
                  .map(at -> text(at, frame))
                  .orElse("0x" + Long.toHexString(frame.pc())));
        }
        List<String> wanted =
            lines.stream().map(line -> line.replaceFirst("/0x[0-9a-f]+.*", "")).toList();
        int from = frames.indexOf(wanted.getFirst());
        softly
            .assertThat(frames.subList(Math.max(0, from), frames.size()))
            .as("stack of %s, which ended %s: %s", task, stack.end(), stack.why())
            .isEqualTo(wanted);
        softly.assertThat(stack.end()).as("%s", task).isEqualTo(Backtrace.End.COMPLETE);
        compared++;
      }
    }
    softly.assertThat(compared).as("stacks to compare").isGreaterThanOrEqualTo(10);
    softly.assertAll();
  }

  private static String text(Located at, Frame frame) {
    long offset = frame.pc() - at.symbol().address();
    return at.symbol().name() + "+0x" + Long.toHexString(offset);
  }

  private static void addresses(Session session, GuestFacts facts) {
    var program = session.kernel().program();
    // The head of a 64-bit Arm image, from _text to _stext, is not mapped; until 6.1 it was not
    // counted as code.
    boolean arm = program.architecture().name().equals("aarch64");
    Symbol text = program.symbols().first(arm ? "_stext" : "_text").orElseThrow();
    long code =
        facts.memory().stream()
            .filter(resource -> resource.name().equals("Kernel code"))
            .findFirst()
            .orElseThrow()
            .start();
    assertThat(program.memory().physical(text.address()).orElseThrow() - code)
        .as(text.name())
        .isIn(arm ? List.of(0L, 0x10000L) : List.of(0L));
    assertThat(session.kernel().images().getFirst().buildId()).isEqualTo(facts.buildId());
  }

  private static void mappings(Session session, GuestFacts facts) {
    for (int process : facts.mapped()) {
      Task task = session.kernel().taskOfId(process).orElseThrow();
      List<String> said =
          facts.mappings(process).stream()
              .filter(mapping -> !mapping.name().equals("[vsyscall]"))
              .map(m -> region(m.start(), m.end(), m.permissions(), m.name()))
              .toList();
      List<String> found =
          notes(notes -> session.kernel().mappings(task, notes).stream()).stream()
              .map(m -> region(m.range().start(), m.range().end(), m.protection(), m.name()))
              .toList();
      assertThat(found).as("mappings of %d", process).isEqualTo(said);
    }
  }

  /**
   * What processes that sleep have in memory is what their page tables lead to. The guest said the
   * same less what had not been added yet, which {@code /proc/PID} leaves out: before 6.2 whatever
   * a thread counted at its last 64 faults, each of which may map many pages; then up to 64 pages
   * by CPU and kind.
   */
  private static void sizes(Session session, GuestFacts facts) {
    boolean byThread =
        session.kernel().program().types().findOffset("task_struct", "rss_stat.count").isPresent();
    long unadded = 0;
    int compared = 0;
    for (GuestFacts.Task said : facts.tasks()) {
      if (said.name().equals("sleep") && said.leader()) {
        Task task = session.kernel().taskOfId(said.tid()).orElseThrow();
        long found = session.kernel().memoryUse(task).orElseThrow().resident();
        assertThat(found).as("resident memory of %s", task).isEqualTo(inTables(session, task));
        long difference = (found >> 10) - said.residentKiB();
        if (byThread) {
          assertThat(difference).as("KiB not added for %s", task).isNotNegative();
        } else {
          assertThat(Math.abs(difference)).as("for %s", task).isLessThanOrEqualTo(3 * 2 * 64 * 4);
        }
        unadded += difference;
        compared++;
      }
    }
    assertThat(compared).as("processes to compare").isPositive();
    if (byThread) {
      assertThat(unadded).as("KiB that threads had not added").isPositive();
    }
  }

  /** The bytes of a task's memory behind its page tables, of those that the kernel counts. */
  private static long inTables(Session session, Task task) {
    var program = session.kernel().program();
    var space = session.kernel().userSpace(task).orElseThrow();
    long zeros =
        program
            .memory()
            .physical(program.symbols().first("empty_zero_page").orElseThrow().address())
            .orElseThrow();
    long bytes = 0;
    for (var mapping : notes(notes -> session.kernel().mappings(task, notes).stream())) {
      // [vvar] are pages of the kernel's, and so is the page of zeros.
      if (!mapping.name().startsWith("[vvar")) {
        for (long at = mapping.range().start(); at < mapping.range().end(); at += 4096) {
          var page = space.physical(at);
          bytes += page.isPresent() && page.getAsLong() != zeros ? 4096 : 0;
        }
      }
    }
    return bytes;
  }

  private static String region(long start, long end, String protection, String name) {
    return String.format(Locale.ROOT, "%x-%x %s %s", start, end, protection, name);
  }

  /** The panicked task's stack leads to the fault. */
  private static void faulted(Session session, LabDump dump) {
    List<String> wanted =
        switch (dump.recipe().fault()) {
          case NONE -> List.of();
          case SYSRQ -> List.of("panic", "sysrq_handle_crash", "vfs_write");
          case SYSRQ_IN_INTERRUPT -> List.of("panic", "sysrq_handle_crash", "serial8250_interrupt");
          case NULL_IN_MODULE ->
              List.of(
                  "fathom_fault_leaf",
                  "fathom_fault_middle",
                  "fathom_fault_outer",
                  "init_module",
                  "do_one_initcall",
                  "do_syscall_64");
          case NULL_IN_INTERRUPT ->
              List.of(
                  "fathom_fault_leaf",
                  "fathom_fault_middle",
                  "fathom_fault_outer",
                  "irq_work_run",
                  "irq_work_queue",
                  "init_module",
                  "do_one_initcall",
                  "do_syscall_64");
          case STACK_OVERFLOW -> List.of("fathom_fault_overflow");
        };
    if (wanted.isEmpty()) {
      return;
    }
    Task task = session.kernel().initialTask().orElseThrow();
    Backtrace stack = session.kernel().stack(task);
    List<String> names =
        stack.frames().stream()
            .map(frame -> session.kernel().program().symbols().at(frame.lookup()))
            .map(at -> at.map(found -> found.symbol().name()).orElse("?"))
            .toList();
    assertThat(names).as("stack of %s: %s", task, stack.why()).containsSubsequence(wanted);
    if (dump.recipe().fault() != Fault.STACK_OVERFLOW) {
      assertThat(stack.end()).as(stack.why()).isEqualTo(Backtrace.End.COMPLETE);
    }
  }

  /** All that a walk yields, which must have nothing to remark. */
  private static <T> List<T> notes(Function<Walker.Notes, Stream<T>> walk) {
    List<String> remarks = new ArrayList<>();
    List<T> all = walk.apply(remarks::add).toList();
    assertThat(remarks).as("remarks of the walk").isEmpty();
    return all;
  }
}
