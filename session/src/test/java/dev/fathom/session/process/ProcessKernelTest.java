// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ProgramHeader;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.model.Image;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.Condition;
import dev.fathom.session.control.Hit;
import dev.fathom.session.control.Steps;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.ProcessView;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Processes and their core files as programs to look at, beside what gdb says of them. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class ProcessKernelTest {
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <string.h>
      #include <sys/prctl.h>
      #include <unistd.h>
      int *volatile bad;
      volatile long counter, go, napping;
      enum colour { RED, GREEN = 5 };
      struct pair { int left; const char *right; enum colour colour; } pair = {-4, "text", GREEN};
      const char constant[] = "this text can only be read";
      static void *nap(void *unused) {
        prctl(PR_SET_NAME, "napper");
        napping = 1;
        for (;;) pause();
        return unused;
      }
      __attribute__((noinline)) long inner(long n) { counter++; return *bad + n; }
      __attribute__((noinline)) long outer(long n) { return inner(n + 1) * 2; }
      static void handler(int number) { outer(number); counter = 0; }
      __attribute__((noinline)) long leaf(long n) { counter = n; return n + 1; }
      __attribute__((noinline)) long work(long n) { return leaf(n) * 3; }
      int main(int argc, char **argv) {
        pthread_t thread;
        pthread_create(&thread, 0, nap, 0);
        while (!napping) usleep(1000);
        puts("ready");
        fflush(stdout);
        if (strcmp(argv[1], "loop") == 0) {
          for (long i = 0; ; i++) {
            work(i);
            usleep(1000);
            if (go) execl("/bin/sleep", "sleep", "100", (char *) 0);
          }
        }
        if (strcmp(argv[1], "handler") == 0) {
          signal(SIGUSR1, handler);
          raise(SIGUSR1);
        }
        return outer(argc);
      }
      """;

  private static final Pattern GDB_FRAME =
      Pattern.compile("(?m)^#\\d+ +(?:0x[0-9a-f]+ in )?(<signal handler called>|[^ ]+)");

  @TempDir static Path directory;
  private static CProgram program;

  @BeforeAll
  static void compile() {
    program = CProgram.compile(directory, "subject", SOURCE, "-O1", "-g", "-pthread");
  }

  /** A core that gdb writes when the program crashes. */
  private static Path core(String mode) {
    Path core = directory.resolve("core." + mode);
    if (!Files.exists(core)) {
      CProgram.run(
          directory,
          List.of(
              "gdb",
              "-batch",
              "-nx",
              "-iex",
              "set debuginfod enabled off",
              "-ex",
              "handle SIGUSR1 nostop noprint pass",
              "-ex",
              "run " + mode,
              "-ex",
              "generate-core-file " + core,
              program.file().toString()));
    }
    return core;
  }

  /** The functions that gdb finds on a stack of the core. */
  private static List<String> gdbStack(Path core, int thread) {
    String text =
        CProgram.run(
            directory,
            List.of(
                "gdb",
                "-batch",
                "-nx",
                "-iex",
                "set debuginfod enabled off",
                "-ex",
                "thread " + thread,
                "-ex",
                "bt",
                program.file().toString(),
                core.toString()));
    var names = new ArrayList<String>();
    var matcher = GDB_FRAME.matcher(text.substring(text.lastIndexOf("[Switching to thread")));
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    // The line of the switch shows the innermost frame, too.
    return names.subList(1, names.size());
  }

  /** The functions of the program itself on a stack; a signal's frame as gdb calls it. */
  private static List<String> own(Kernel kernel, Backtrace trace) {
    var names = new ArrayList<String>();
    for (Frame frame : trace.frames()) {
      if (frame.how() == Frame.How.EXCEPTION) {
        names.add("<signal handler called>");
      }
      kernel
          .program()
          .symbols()
          .at(frame.lookup())
          .filter(at -> at.symbol().module().isEmpty() && !at.symbol().name().contains(".so"))
          .ifPresent(at -> names.add(at.symbol().name()));
    }
    return names;
  }

  private static List<String> known(List<String> gdb, List<String> ours) {
    // gdb knows names of static functions in the C library from files that may not be here.
    return gdb.stream().filter(ours::contains).toList();
  }

  private static Session open(Path... files) {
    return Session.open(List.of(files), OPTIONS);
  }

  @Test
  void stacksOfACoreAreAsGdbHasThem() {
    for (String mode : List.of("crash", "handler")) {
      var core = core(mode);
      try (var session = open(core)) {
        var kernel = session.kernel();
        assertThat(kernel.os()).isEqualTo("Linux process");
        var first = kernel.initialTask().orElseThrow();
        var trace = kernel.stack(first);
        assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
        var ours = own(kernel, trace);
        assertThat(ours).startsWith("inner", "outer").contains("main").endsWith("_start");
        assertThat(ours.contains("<signal handler called>")).isEqualTo(mode.equals("handler"));
        var without = new ArrayList<>(ours);
        without.remove("_start"); // gdb stops at main
        assertThat(known(gdbStack(core, 1), ours)).isEqualTo(without);
        var napper = kernel.tasks(_ -> {}).filter(task -> !task.isLeader()).findFirst();
        var napping = kernel.stack(napper.orElseThrow());
        assertThat(napping.end()).isEqualTo(Backtrace.End.COMPLETE);
        assertThat(own(kernel, napping)).containsExactly("nap");
      }
    }
  }

  @Test
  void aCoreTellsItsProcess() {
    try (var session = open(core("crash"), program.file())) {
      var kernel = session.kernel();
      var view = session.target().find(ProcessView.class).orElseThrow();
      assertThat(view.program()).contains(program.file().toString());
      assertThat(view.threads()).hasSize(2);
      var signal = view.threads().getFirst().signal().orElseThrow();
      assertThat(signal.number()).isEqualTo(11);
      assertThat(signal.address()).hasValue(0);
      assertThat(kernel.panic().getFirst().value().toString()).contains("11 (SIGSEGV) at 0x0");
      assertThat(kernel.images())
          .extracting(Image::name)
          .startsWith("subject")
          .contains("libc.so.6", "vdso");
      assertThat(kernel.images().getFirst().buildId()).isPresent();
      assertThat(kernel.mappings()).extracting(Mapping::name).contains("[stack]");
      var constant = kernel.program().symbols().first("constant").orElseThrow();
      assertThat(kernel.program().memory().cString(constant.address(), 64))
          .isEqualTo("this text can only be read");
      assertThat(kernel.whatis(constant.address() + 5).getFirst()).contains("constant+5");
      assertThat(kernel.program().symbols().first("libc.so.6`malloc")).isPresent();
    }
  }

  @Test
  void typesAreThoseOfTheProgramsDebugInformation() {
    try (var session = open(core("crash"))) {
      var program = session.kernel().program();
      var pair = program.global("pair");
      assertThat(pair.type().text()).isEqualTo("struct pair");
      assertThat(pair.member("left").asLong()).isEqualTo(-4);
      assertThat(pair.member("right").string(16)).isEqualTo("text");
      assertThat(program.types().enumerator("colour", "GREEN")).hasValue(5);
      assertThat(program.types().findOffset("pair", "right")).hasValue(8);
      assertThat(program.types().findStruct("no_such")).isEmpty();
      assertThat(session.kernel().warnings()).isEmpty();
    }
  }

  /** Drops what the core has of read-only pages, as writers may: it is read from the file then. */
  @Test
  void whatIsLeftOutIsReadFromTheFileOfTheSameBuild() throws IOException {
    Path core = directory.resolve("core.lean");
    Files.copy(core("crash"), core);
    strip(core);
    try (var session = open(core)) {
      var symbols = session.kernel().program().symbols();
      long constant = symbols.first("constant").orElseThrow().address();
      assertThat(session.kernel().program().memory().cString(constant, 64))
          .isEqualTo("this text can only be read");
    }
  }

  /** The wrong program is refused, once, and the right one serves that is where the core says. */
  @Test
  void anotherBuildOfTheProgramIsNotUsed() throws IOException {
    Path core = directory.resolve("core.leaner");
    Files.copy(core("crash"), core);
    strip(core);
    Path other =
        CProgram.compile(directory, "other", SOURCE, "-O2", "-g", "-pthread", "-DOTHER").file();
    try (var session = open(core, other)) {
      var image = session.kernel().image().orElseThrow();
      assertThat(session.kernel().file(image)).contains(program.file());
      long constant =
          session.kernel().program().symbols().first("constant").orElseThrow().address();
      assertThat(session.kernel().program().memory().cString(constant, 64))
          .isEqualTo("this text can only be read");
      assertThat(session.target().warnings())
          .singleElement()
          .asString()
          .startsWith(other + ": has build-id ")
          .endsWith("another build, which is not used");
      assertThat(session.kernel().warnings()).isEmpty();
    }
  }

  /** What is left of a core whose writer ran out of space is still one of a process. */
  @Test
  void aCoreThatIsCutOffInItsNotes() throws IOException {
    byte[] whole = Files.readAllBytes(core("crash"));
    long notes =
        ElfFile.read(ByteSource.of("core", whole)).programHeaders().stream()
            .filter(segment -> segment.type() == Elf.PT_NOTE)
            .mapToLong(ProgramHeader::offset)
            .findFirst()
            .orElseThrow();
    Path file = directory.resolve("core.cut");
    Files.write(file, Arrays.copyOf(whole, (int) notes + 8));
    assertThatThrownBy(() -> open(file, program.file()))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("the core of a process is cut off in its notes");
    Files.write(file, Arrays.copyOf(whole, (int) notes + 1200));
    try (var session = open(file, program.file())) {
      assertThat(session.target().cpus()).isNotEmpty();
      assertThat(session.target().warnings())
          .anyMatch(warning -> warning.contains("end in the middle of one"));
    }
  }

  /** Sets p_filesz of segments that cannot be written to 0, but for those with an ELF header. */
  private static void strip(Path core) throws IOException {
    try (var file = FileChannel.open(core, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      var map =
          file.map(FileChannel.MapMode.READ_WRITE, 0, file.size())
              .order(java.nio.ByteOrder.LITTLE_ENDIAN);
      int table = (int) map.getLong(32);
      int count = map.getShort(56) & 0xffff;
      for (int i = 0; i < count; i++) {
        int header = table + i * 56;
        boolean load = map.getInt(header) == 1;
        boolean writable = (map.getInt(header + 4) & 2) != 0;
        long offset = map.getLong(header + 8);
        boolean elf =
            load && map.getLong(header + 32) > 4 && map.getInt((int) offset) == 0x464c457f;
        if (load && !writable && !elf) {
          map.putLong(header + 32, 0);
        }
      }
    }
  }

  @Test
  void damagedCoresAreRefusedInOneLine() throws IOException {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    byte[] whole = Files.readAllBytes(core("crash"));
    Path file = directory.resolve("core.damaged");
    for (int round = 0; round < 20; round++) {
      byte[] bytes = whole.clone();
      int wounds = 1 + random.nextInt(30);
      for (int i = 0; i < wounds; i++) {
        // Headers and notes stand first.
        bytes[random.nextInt(Math.min(bytes.length, 12_000))] = (byte) random.nextInt();
      }
      int length = random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length;
      Files.write(file, Arrays.copyOf(bytes, length));
      try (var session = open(file)) {
        session.kernel().facts();
        session.kernel().tasks(_ -> {}).forEach(task -> session.kernel().stack(task));
        session.kernel().images();
      } catch (dev.fathom.base.FathomException e) {
        assertThat(e.getMessage()).as("seed %s", seed).doesNotContain("\n");
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", round " + round, e);
      }
    }
  }

  private static Subject loop() {
    var subject = Subject.start(List.of(program.file().toString(), "loop"));
    assertThat(subject.line()).isEqualTo("ready");
    return subject;
  }

  private static Session attach(Subject subject) {
    return Session.attach("pid:" + subject.pid(), AttachOptions.DEFAULT, OPTIONS);
  }

  @Test
  void aProcessIsLookedAtWhileItRuns() {
    try (var subject = loop();
        var session = attach(subject)) {
      subject.await("sleep", () -> subject.states().endsWith("S"));
      session.begin();
      var kernel = session.kernel();
      var tasks = kernel.tasks(_ -> {}).toList();
      assertThat(tasks).extracting(Task::name).containsExactly("subject", "napper");
      // Of a thread that waits the kernel tells where, which is enough for its stack.
      var napping = kernel.stack(tasks.getLast());
      assertThat(own(kernel, napping)).containsExactly("nap");
      assertThat(napping.end()).isEqualTo(Backtrace.End.COMPLETE);
      session.end();
      assertThat(subject.status("TracerPid")).isEqualTo("0");
    }
  }

  private record Even() implements Condition {
    @Override
    public String text() {
      return "the argument is even";
    }

    @Override
    public boolean holds(Hit hit) {
      return hit.registers().get(X86_64.RDI).orElseThrow() % 2 == 0;
    }
  }

  @Test
  void breakpointsConditionsAndSteps() {
    try (var subject = loop()) {
      try (var session = attach(subject)) {
        check(session);
      }
      subject.await("running", () -> !subject.states().contains("t"));
      assertThat(subject.status("TracerPid")).isEqualTo("0");
    }
  }

  private static void check(Session session) {
    session.begin();
    var control = session.control();
    control.stop();
    var breakpoint =
        control.add(
            new Breakpoint.Named("leaf", 0, "leaf"),
            Breakpoints.Kind.SOFTWARE,
            1,
            Optional.empty());
    breakpoint.condition(Optional.of(new Even()));
    for (int i = 0; i < 5; i++) {
      var event = control.proceed();
      assertThat(event.cause()).isEqualTo(new StopEvent.AtBreakpoint(List.of(breakpoint)));
      assertThat(event.thread().map(Task::name)).contains("subject");
      int cpu = event.cpu().orElseThrow();
      assertThat(session.target().cpu(cpu).orElseThrow().registers().get(X86_64.RDI).orElseThrow())
          .isEven();
      var out = new Steps(session).out(cpu);
      assertThat(out.cause()).isEqualTo(new StopEvent.Stepped());
      assertThat(function(session, out)).isEqualTo("work");
      var step = new Steps(session).instruction(cpu);
      assertThat(step.cause()).isEqualTo(new StopEvent.Stepped());
      assertThat(function(session, step)).isEqualTo("work");
    }
    assertThat(breakpoint.hits()).isEqualTo(5);
    control.delete(breakpoint);
    session.end();
  }

  private static String function(Session session, StopEvent event) {
    return session
        .kernel()
        .program()
        .symbols()
        .at(event.pc().orElseThrow())
        .orElseThrow()
        .symbol()
        .name();
  }

  @Test
  void anotherProgramIsFoundAfterExec() {
    try (var subject = loop();
        var session = attach(subject)) {
      session.begin();
      session.control().stop();
      var go = session.kernel().program().symbols().first("go").orElseThrow();
      var one = ByteBuffer.allocate(8).order(java.nio.ByteOrder.LITTLE_ENDIAN).putLong(1).array();
      session
          .target()
          .find(dev.fathom.target.MemoryWriter.class)
          .orElseThrow()
          .write(
              dev.fathom.target.MemoryWriter.Space.VIRTUAL,
              go.address(),
              java.lang.foreign.MemorySegment.ofArray(one));
      var event = session.control().proceed();
      assertThat(event.cause()).isEqualTo(new StopEvent.Replaced());
      session.end();
      assertThat(session.begin()).singleElement().asString().contains("/sleep");
      assertThat(session.kernel().images().getFirst().name()).isEqualTo("sleep");
      session.end();
    }
  }
}
