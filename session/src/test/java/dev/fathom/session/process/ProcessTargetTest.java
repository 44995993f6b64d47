// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Live;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.SignalControl;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A process of this machine, looked at and traced. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class ProcessTargetTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/prctl.h>
      #include <sys/wait.h>
      #include <unistd.h>
      volatile long counter, watched, caught, finish, go;
      pthread_barrier_t named;
      __attribute__((noinline)) long work(long n) {
        counter++;
        if (n % 20 == 0) watched = n;
        return n * 3 + 1;
      }
      static void handler(int number) { caught++; }
      static void *spin(void *name) {
        prctl(PR_SET_NAME, name);
        pthread_barrier_wait(&named);
        for (long i = 0;; i++) { work(i); usleep(500); }
      }
      static void *nap(void *name) {
        prctl(PR_SET_NAME, name);
        pthread_barrier_wait(&named);
        for (;;) pause();
      }
      static void *brief(void *unused) { return unused; }
      int main(int argc, char **argv) {
        pthread_t thread;
        signal(SIGUSR1, handler);
        signal(SIGALRM, handler);
        pthread_barrier_init(&named, 0, 3);
        pthread_create(&thread, 0, spin, "spinner");
        pthread_create(&thread, 0, nap, "napper");
        pthread_barrier_wait(&named);
        puts("ready");
        fflush(stdout);
        for (long i = 0; !finish; i++) {
          work(i);
          usleep(1000);
          if (argc < 2) continue;
          if (strcmp(argv[1], "exec") == 0 && go)
            execl("/bin/sleep", "sleep", "100", (char *) 0);
          if (strcmp(argv[1], "busy") != 0) continue;
          if (i % 7 == 0) {
            pthread_create(&thread, 0, brief, 0);
            pthread_join(thread, 0);
          }
          if (i % 11 == 0) {
            int child = fork(), status;
            if (child == 0) { work(1); _exit(3); }
            waitpid(child, &status, 0);
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 3) { puts("child died"); abort(); }
          }
          if (i % 13 == 0 && system("true") != 0) { puts("vfork died"); abort(); }
        }
        return 7;
      }
      """;

  @TempDir static Path directory;
  private static CProgram program;

  @BeforeAll
  static void compile() {
    program = CProgram.compile(directory, "subject", SOURCE, "-O1", "-g", "-pthread");
  }

  private static Subject start(String... arguments) {
    var command = new ArrayList<>(List.of(program.file().toString()));
    command.addAll(List.of(arguments));
    var subject = Subject.start(command);
    assertThat(subject.line()).isEqualTo("ready");
    return subject;
  }

  private static LiveTargetProvider provider() {
    for (var provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.name().equals("process")) {
        return provider;
      }
    }
    throw new AssertionError("no provider of processes");
  }

  private static Target attach(Subject subject) {
    return provider().attach("pid:" + subject.pid(), AttachOptions.DEFAULT);
  }

  /** Where the executable was loaded: it is position-independent. */
  private static long address(Target target, String symbol) {
    var first = target.find(ProcessView.class).orElseThrow().mappings().getFirst();
    assertThat(first.name()).isEqualTo(program.file().toString());
    return first.range().start() + program.symbol(symbol).orElseThrow();
  }

  private static Registers registers(Target target, long thread) {
    return target.cpu((int) thread).orElseThrow().registers();
  }

  private static long read(Target target, long address) {
    return target.find(VirtualMemory.class).orElseThrow().u64(address);
  }

  /** Sets a variable to 1. */
  private static void write(Target target, String variable) {
    var one = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(1).array();
    target
        .find(MemoryWriter.class)
        .orElseThrow()
        .write(MemoryWriter.Space.VIRTUAL, address(target, variable), MemorySegment.ofArray(one));
  }

  private static Stop next(Target target) {
    var run = target.find(RunControl.class).orElseThrow();
    run.resume();
    return run.await(LONG).orElseThrow();
  }

  /** Gets the thread off the breakpoint at which it stands. */
  private static void stepOff(Target target, int thread, long address) {
    var points = target.find(Breakpoints.class).orElseThrow();
    var run = target.find(RunControl.class).orElseThrow();
    points.remove(Breakpoints.Kind.SOFTWARE, address, 1);
    run.step(thread, false, false);
    assertThat(run.await(LONG)).contains(new Stop(thread, new Stop.Trap()));
    assertThat(points.insert(Breakpoints.Kind.SOFTWARE, address, 1)).isTrue();
  }

  /** The process runs on as nobody's. */
  private static void assertFree(Subject subject, Target target, long counter) {
    assertThat(subject.status("TracerPid")).isEqualTo("0");
    assertThat(subject.states()).doesNotContain("t").doesNotContain("T");
    long now = read(target, counter);
    subject.await("counting", () -> read(target, counter) > now);
  }

  @Test
  void looksWithoutStopping() {
    try (var subject = start();
        var target = attach(subject)) {
      var view = target.find(ProcessView.class).orElseThrow();
      assertThat(view.process()).isEqualTo(subject.pid());
      assertThat(view.program()).contains(program.file().toString());
      assertThat(view.arguments()).containsExactly(program.file().toString());
      assertThat(view.threads())
          .extracting(ProcessView.ThreadState::name)
          .containsExactly("subject", "spinner", "napper");
      assertThat(view.threads().getFirst().id()).isEqualTo(subject.pid());
      assertThat(view.mappings())
          .extracting(ProcessView.Mapped::name)
          .contains("[stack]", "[vdso]");
      // AT_PAGESZ
      assertThat(view.auxiliary()).containsEntry(6L, 4096L);
      long counter = address(target, "counter");
      long before = read(target, counter);
      subject.await("counting", () -> read(target, counter) > before);
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.RUNNING);
      assertThat(subject.status("TracerPid")).isEqualTo("0");
      long napper = view.threads().getLast().id();
      subject.await(
          "pause(2)", () -> registers(target, napper).get(X86_64.ORIG_RAX).orElse(-1) == 34);
      var registers = registers(target, napper);
      assertThat(registers.pc()).isPresent();
      assertThat(registers.get(X86_64.RBP)).isEmpty();
    }
  }

  @Test
  void stopsEveryThreadAndLetsThemGo() {
    try (var subject = start()) {
      var target = attach(subject);
      long counter = address(target, "counter");
      var run = target.find(RunControl.class).orElseThrow();
      run.stop();
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.STOPPED);
      assertThat(subject.states()).isEqualTo("ttt");
      assertThat(target.cpus()).hasSize(3).allMatch(cpu -> cpu.source().equals("ptrace"));
      assertThat(target.cpus()).allMatch(cpu -> cpu.registers().get(X86_64.RBP).isPresent());
      long stood = read(target, counter);
      assertThat(read(target, counter)).isEqualTo(stood);
      run.resume();
      assertThat(run.await(Duration.ofMillis(50))).isEmpty();
      target.close();
      var again = attach(subject);
      assertFree(subject, again, counter);
      again.close();
    }
  }

  @Test
  void staysStoppedWhenAskedTo() {
    try (var subject = start()) {
      var target = attach(subject);
      var run = target.find(RunControl.class).orElseThrow();
      run.stop();
      run.leaveStopped(true);
      target.close();
      subject.await("its stop", () -> subject.states().equals("TTT"));
      assertThat(subject.status("TracerPid")).isEqualTo("0");
      // Stopped by its job's signal: looked at and let go, it stays so.
      var other = attach(subject);
      other.find(RunControl.class).orElseThrow().stop();
      other.close();
      subject.await("its stop", () -> subject.states().equals("TTT"));
      subject.signal("CONT");
      subject.await("running", () -> !subject.states().contains("T"));
    }
  }

  /**
   * No thread of a process that its job has stopped carries out system calls: what is to keep it
   * alive when its tracer is killed is put in at the first stop at which one can.
   */
  @Test
  void theGuardIsPutInLaterWhereNoThreadCanCallAtFirst() {
    try (var subject = start()) {
      subject.signal("STOP");
      subject.await("its stop", () -> subject.states().equals("TTT"));
      var target = attach(subject);
      long work = address(target, "work");
      var code = target.find(VirtualMemory.class).orElseThrow().bytes(work, 16);
      target.find(RunControl.class).orElseThrow().stop();
      var points = target.find(Breakpoints.class).orElseThrow();
      assertThat(points.insert(Breakpoints.Kind.SOFTWARE, work, 1)).isTrue();
      assertThat(catchesTraps(subject)).isFalse();
      target.find(RunControl.class).orElseThrow().resume();
      subject.signal("CONT");
      var stop = target.find(RunControl.class).orElseThrow().await(LONG).orElseThrow();
      while (!(stop.reason() instanceof Stop.Trap)) {
        stop = next(target); // Told of SIGCONT.
      }
      assertThat(catchesTraps(subject)).isTrue();
      target.close();
      subject.await("its own action", () -> !catchesTraps(subject));
      var again = attach(subject);
      assertThat(again.find(VirtualMemory.class).orElseThrow().bytes(work, 16)).isEqualTo(code);
      assertFree(subject, again, address(again, "counter"));
      again.close();
    }
  }

  /** Whether the process has a handler for SIGTRAP (proc(5), SigCgt). */
  private static boolean catchesTraps(Subject subject) {
    return (Long.parseUnsignedLong(subject.status("SigCgt"), 16) >> 4 & 1) != 0;
  }

  @Test
  void breakpointsStopAndAreNotSeen() {
    try (var subject = start()) {
      var target = attach(subject);
      long work = address(target, "work");
      var memory = target.find(VirtualMemory.class).orElseThrow();
      byte[] code = memory.bytes(work, 16);
      target.find(RunControl.class).orElseThrow().stop();
      var points = target.find(Breakpoints.class).orElseThrow();
      assertThat(points.insert(Breakpoints.Kind.SOFTWARE, work, 1)).isTrue();
      assertThat(memory.bytes(work - 3, 19)).endsWith(code);
      for (int i = 0; i < 20; i++) {
        var stop = next(target);
        assertThat(stop.reason()).isEqualTo(new Stop.Trap());
        var cpu = target.cpu(stop.cpu()).orElseThrow();
        assertThat(cpu.registers().pc()).hasValue(work);
        stepOff(target, stop.cpu(), work);
      }
      assertThat(points.insert(Breakpoints.Kind.SOFTWARE, 8, 1)).isFalse();
      // Left in: letting go takes it out.
      target.close();
      var again = attach(subject);
      assertThat(again.find(VirtualMemory.class).orElseThrow().bytes(work, 16)).isEqualTo(code);
      assertFree(subject, again, address(again, "counter"));
      again.close();
    }
  }

  @Test
  void childrenAndThreadsThatComeAndGoAreFollowed() {
    try (var subject = start("busy")) {
      var target = attach(subject);
      long work = address(target, "work");
      long counter = address(target, "counter");
      target.find(RunControl.class).orElseThrow().stop();
      var points = target.find(Breakpoints.class).orElseThrow();
      assertThat(points.insert(Breakpoints.Kind.SOFTWARE, work, 1)).isTrue();
      int hits = 0;
      while (hits < 120) {
        var stop = next(target);
        assertThat(stop.reason()).isEqualTo(new Stop.Trap());
        hits++;
        stepOff(target, stop.cpu(), work);
      }
      target.close();
      var again = attach(subject);
      assertFree(subject, again, counter);
      again.close();
    }
  }

  /** Some hypervisors take what is written to debug registers, and never act on it. */
  private boolean debugRegistersTrap() {
    var trial =
        CProgram.compile(
            directory,
            "registers",
            """
            #include <signal.h>
            #include <stddef.h>
            #include <sys/ptrace.h>
            #include <sys/user.h>
            #include <sys/wait.h>
            #include <unistd.h>
            static volatile long watched;
            int main(void) {
              int status;
              pid_t child = fork();
              if (child == 0) {
                ptrace(PTRACE_TRACEME, 0, 0, 0);
                raise(SIGSTOP);
                watched = 1;
                _exit(0);
              }
              waitpid(child, &status, 0);
              ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[0]), &watched);
              ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[7]), 0xd0001L);
              ptrace(PTRACE_CONT, child, 0, 0);
              waitpid(child, &status, 0);
              if (!WIFSTOPPED(status)) return write(1, "no", 2) != 2;
              kill(child, SIGKILL);
              return write(1, "yes", 3) != 3;
            }
            """);
    return CProgram.run(directory, List.of(trial.file().toString())).equals("yes");
  }

  @Test
  void watchesData() {
    try (var subject = start()) {
      var target = attach(subject);
      long watched = address(target, "watched");
      target.find(RunControl.class).orElseThrow().stop();
      var points = target.find(Breakpoints.class).orElseThrow();
      if (!debugRegistersTrap()) {
        assertThatExceptionOfType(UnsupportedException.class)
            .isThrownBy(() -> points.require(Breakpoints.Kind.WRITE))
            .withMessageContaining("debug registers stop nothing");
        target.close();
        return;
      }
      points.require(Breakpoints.Kind.WRITE);
      assertThat(points.insert(Breakpoints.Kind.WRITE, watched, 8)).isTrue();
      long before = read(target, watched);
      assertThat(next(target).reason()).isEqualTo(new Stop.Watch(Breakpoints.Kind.WRITE, watched));
      assertThat(read(target, watched)).isNotEqualTo(before);
      points.remove(Breakpoints.Kind.WRITE, watched, 8);
      long work = address(target, "work");
      assertThat(points.insert(Breakpoints.Kind.HARDWARE, work, 1)).isTrue();
      var stop = next(target);
      assertThat(stop.reason()).isEqualTo(new Stop.Trap());
      assertThat(target.cpu(stop.cpu()).orElseThrow().registers().pc()).hasValue(work);
      points.remove(Breakpoints.Kind.HARDWARE, work, 1);
      assertThat(points.insert(Breakpoints.Kind.READ, watched, 8)).isFalse();
      assertThat(points.insert(Breakpoints.Kind.WRITE, watched + 1, 8)).isFalse();
      target.close();
    }
  }

  @Test
  void signalsStopOrPassOrAreDropped() {
    try (var subject = start()) {
      var target = attach(subject);
      long caught = address(target, "caught");
      var run = target.find(RunControl.class).orElseThrow();
      var signals = target.find(SignalControl.class).orElseThrow();
      run.stop();
      run.resume();
      subject.signal("USR1");
      var stop = run.await(LONG).orElseThrow();
      assertThat(stop.reason()).isEqualTo(new Stop.Signal(10));
      assertThat(signals.pending(stop.cpu())).isEqualTo(10);
      assertThat(read(target, caught)).isZero();
      run.resume();
      subject.await("its handler", () -> read(target, caught) == 1);
      // Quiet ones do not stop, and are delivered.
      subject.signal("ALRM");
      subject.await("its handler", () -> read(target, caught) == 2);
      assertThat(run.await(Duration.ofMillis(20))).isEmpty();
      signals.pass(10, true);
      subject.signal("USR1");
      subject.await("its handler", () -> read(target, caught) == 3);
      signals.pass(10, false);
      subject.signal("USR1");
      var dropped = run.await(LONG).orElseThrow();
      signals.pending(dropped.cpu(), 0);
      run.resume();
      assertThat(run.await(Duration.ofMillis(50))).isEmpty();
      assertThat(read(target, caught)).isEqualTo(3);
      target.close();
    }
  }

  @Test
  void writesMemoryAndRegistersAndTellsTheEnd() {
    try (var subject = start()) {
      var target = attach(subject);
      long work = address(target, "work");
      target.find(RunControl.class).orElseThrow().stop();
      var points = target.find(Breakpoints.class).orElseThrow();
      assertThat(points.insert(Breakpoints.Kind.SOFTWARE, work, 1)).isTrue();
      var stop = next(target);
      target.find(RegisterWriter.class).orElseThrow().write(stop.cpu(), X86_64.RDI, 41);
      assertThat(target.cpu(stop.cpu()).orElseThrow().registers().get(X86_64.RDI)).hasValue(41);
      points.remove(Breakpoints.Kind.SOFTWARE, work, 1);
      write(target, "finish");
      assertThat(next(target).reason()).isEqualTo(new Stop.Ended(7));
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.GONE);
      target.close();
    }
  }

  @Test
  void followsIntoAnotherProgram() {
    try (var subject = start("exec")) {
      var target = attach(subject);
      long work = address(target, "work");
      var run = target.find(RunControl.class).orElseThrow();
      run.stop();
      assertThat(
              target
                  .find(Breakpoints.class)
                  .orElseThrow()
                  .insert(Breakpoints.Kind.SOFTWARE, work, 1))
          .isTrue();
      write(target, "go");
      Optional<Stop> stop = Optional.empty();
      while (stop.isEmpty() || stop.get().reason() instanceof Stop.Trap) {
        stop.ifPresent(at -> stepOff(target, at.cpu(), work));
        stop = Optional.of(next(target));
      }
      assertThat(stop.get().reason()).isEqualTo(new Stop.Replaced());
      var view = target.find(ProcessView.class).orElseThrow();
      assertThat(view.program().orElseThrow()).endsWith("/sleep");
      assertThat(target.cpus()).hasSize(1);
      long start = view.mappings().getFirst().range().start();
      assertThat(target.find(VirtualMemory.class).orElseThrow().u32(start)).isEqualTo(0x464c457f);
      target.close();
      assertThat(subject.status("TracerPid")).isEqualTo("0");
    }
  }

  /** As when what a clause prints is not read, and the program is to end. */
  @Test
  void putsTheCodeBackWhenTheTracingThreadDoesNotAnswer() throws InterruptedException {
    try (var subject = start()) {
      var target = attach(subject);
      long work = address(target, "work");
      long before = read(target, work);
      var run = target.find(RunControl.class).orElseThrow();
      run.stop();
      target.find(Breakpoints.class).orElseThrow().insert(Breakpoints.Kind.SOFTWARE, work, 1);
      var busy = new CountDownLatch(1);
      var stuck = new Thread(() -> run.nearStops(() -> wait(busy)));
      stuck.start();
      subject.await("stuck", () -> stuck.getState() == Thread.State.TIMED_WAITING);
      assertThatThrownBy(target::close).isInstanceOf(TargetException.class);
      try (var other = attach(subject)) {
        assertThat(read(other, work)).isEqualTo(before);
      }
      busy.countDown();
      stuck.join();
      subject.await("let go", () -> subject.status("TracerPid").equals("0"));
    }
  }

  private static boolean wait(CountDownLatch busy) {
    try {
      busy.await();
      return true;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A stop that is asked for comes before the signal of a breakpoint that was executed already. */
  @Test
  void stopsBetweenABreakpointAndItsSignal() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    try (var subject = start("busy");
        var target = attach(subject)) {
      long work = address(target, "work");
      var run = target.find(RunControl.class).orElseThrow();
      var points = target.find(Breakpoints.class).orElseThrow();
      for (int round = 0; round < 300; round++) {
        run.stop();
        points.insert(Breakpoints.Kind.SOFTWARE, work, 1);
        run.resume();
        long until = System.nanoTime() + random.nextInt(200_000);
        while (System.nanoTime() < until) {
          Thread.onSpinWait();
        }
        run.stop();
        points.remove(Breakpoints.Kind.SOFTWARE, work, 1);
        run.resume();
        assertThat(run.await(Duration.ofMillis(1)))
            .as("seed " + seed + ", round " + round)
            .isEmpty();
      }
    }
  }

  /** It was noticed while nobody waited for it. */
  @Test
  void aBreakpointThatIsGoneIsNotToldOf() throws InterruptedException {
    try (var subject = start("busy");
        var target = attach(subject)) {
      long work = address(target, "work");
      var run = target.find(RunControl.class).orElseThrow();
      var points = target.find(Breakpoints.class).orElseThrow();
      run.stop();
      points.insert(Breakpoints.Kind.SOFTWARE, work, 1);
      run.resume();
      Thread.sleep(300);
      run.stop();
      points.remove(Breakpoints.Kind.SOFTWARE, work, 1);
      run.resume();
      assertThat(run.await(Duration.ofMillis(100))).isEmpty();
    }
  }

  @Test
  void letsGoAtAnyMoment() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    try (var subject = start("busy")) {
      for (int round = 0; round < 12; round++) {
        var target = attach(subject);
        long work = address(target, "work");
        var run = target.find(RunControl.class).orElseThrow();
        run.stop();
        target.find(Breakpoints.class).orElseThrow().insert(Breakpoints.Kind.SOFTWARE, work, 1);
        int moves = random.nextInt(5);
        for (int i = 0; i < moves; i++) {
          var stop = next(target);
          if (random.nextBoolean()) {
            stepOff(target, stop.cpu(), work);
          }
        }
        if (random.nextBoolean()) {
          run.resume();
        }
        // As a hook at the end of the program does it: from another thread.
        var closer = new Thread(target::close);
        closer.start();
        try {
          closer.join();
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
        }
        var free = attach(subject);
        assertFree(subject, free, address(free, "counter"));
        free.close();
      }
    } catch (AssertionError e) {
      throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
    }
  }

  @Test
  void aProcessThatIsKilledEndsTheSession() {
    try (var subject = start()) {
      var target = attach(subject);
      var run = target.find(RunControl.class).orElseThrow();
      run.stop();
      run.resume();
      subject.signal("KILL");
      assertThat(run.await(LONG).orElseThrow().reason()).isEqualTo(new Stop.Ended(128 + 9));
      target.close();
    }
  }

  @Test
  void refusesWhatItCannotAttachTo() {
    var provider = provider();
    assertThatThrownBy(() -> provider.attach("pid:none", AttachOptions.DEFAULT))
        .isInstanceOf(UsageException.class)
        .hasMessage("pid:none: not the number of a process: none");
    assertThatThrownBy(() -> provider.attach("pid:2000000000", AttachOptions.DEFAULT))
        .isInstanceOf(TargetException.class)
        .hasMessage("pid:2000000000: there is no process 2000000000");
    String own = "pid:" + ProcessHandle.current().pid();
    assertThatThrownBy(() -> provider.attach(own, AttachOptions.DEFAULT))
        .isInstanceOf(UsageException.class)
        .hasMessage(own + ": this is the debugger's own process");
  }

  @Test
  void refusesToStopWhatAnotherTraces() {
    try (var subject = start();
        var first = attach(subject);
        var second = attach(subject)) {
      first.find(RunControl.class).orElseThrow().stop();
      var run = second.find(RunControl.class).orElseThrow();
      assertThatThrownBy(run::stop)
          .isInstanceOf(TargetException.class)
          .hasMessageContaining(
              "is traced by process " + ProcessHandle.current().pid() + " already");
    }
  }
}
