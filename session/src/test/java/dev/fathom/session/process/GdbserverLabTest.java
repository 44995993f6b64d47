// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.FloatType;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.Calls;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.FloatingRegisters;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process behind Debian's gdbserver, found through the files that it serves. */
@Tag("lab")
@Timeout(120)
class GdbserverLabTest {
  private static final String SOURCE =
      """
      #include <pthread.h>
      #include <signal.h>
      #include <unistd.h>
      volatile long counter;
      __thread long mine = 7;
      static void *nap(void *unused) { for (;;) pause(); return unused; }
      __attribute__((noinline)) long leaf(long n) { counter = n; return n + 1; }
      __attribute__((noinline, used)) long mixed(long n, const char *text, long more) {
        return (long) ((double) n / 2) + text[1] + more;
      }
      __attribute__((noinline, used)) double half(double x) { return x / 2; }
      __attribute__((noinline, used)) int hang(void) { for (;;) pause(); }
      static void caught(int number) { write(1, number == SIGUSR1 ? "user\\n" : "othe\\n", 5); }
      __attribute__((noinline)) long work(long n) { return leaf(n) * 3; }
      int main(void) {
        pthread_t thread;
        signal(SIGUSR1, caught);
        pthread_create(&thread, 0, nap, 0);
        mine = 8;
        for (long i = 0; ; i++) { work(i); usleep(1000); }
      }
      """;

  @TempDir Path directory;

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void symbolsThreadsAndStacksOfAProcessBehindAStub() throws IOException {
    var program = CProgram.compile(directory, "served", SOURCE, "-O1", "-pthread");
    String address = "127.0.0.1:" + freePort();
    String server = Lab.open().gdbserver().toString();
    long served = 0;
    try (var subject =
        Subject.start(List.of(server, "--once", address, program.file().toString()))) {
      String line = subject.line();
      while (!line.startsWith("Listening")) {
        if (line.contains("pid = ")) {
          served = Long.parseLong(line.substring(line.indexOf("pid = ") + 6).strip());
        }
        line = subject.line();
      }
      var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
      try (var session = Session.attach(address, AttachOptions.DEFAULT, options)) {
        session.begin();
        assertThat(session.kernel().os()).isEqualTo("Linux process");
        var control = session.control();
        var breakpoint =
            control.add(
                new Breakpoint.Named("leaf", 0, "leaf"),
                Breakpoints.Kind.SOFTWARE,
                1,
                Optional.empty());
        var event = control.proceed();
        assertThat(event.cause()).isEqualTo(new StopEvent.AtBreakpoint(List.of(breakpoint)));
        session.refresh();
        var kernel = session.kernel();
        var names =
            kernel.stack(event.thread().orElseThrow()).frames().stream()
                .map(frame -> kernel.program().symbols().text(frame.lookup()))
                .map(text -> text.replaceAll("\\+.*", ""))
                .toList();
        assertThat(names).startsWith("leaf", "work", "main").endsWith("_start");
        assertThat(kernel.tasks(_ -> {}).map(Task::name)).containsExactly("served", "served");
        assertThat(kernel.images().getFirst().name()).isEqualTo("served");
        int thread = event.cpu().orElseThrow();
        var before = session.target().cpu(thread).orElseThrow().registers();
        long mixed = kernel.program().symbols().first("mixed").orElseThrow().address();
        long loaded = kernel.images().getFirst().ranges().getFirst().start();
        long own = kernel.program().threadLocal(loaded, 0, before);
        assertThat(kernel.program().memory().u64(own)).isEqualTo(8);
        List<Calls.Argument> arguments =
            List.of(
                new Calls.Word(10), new Calls.Text(new byte[] {'a', 'B', 0}), new Calls.Word(100));
        assertThat(new Calls(session).call(thread, mixed, arguments, Duration.ofSeconds(10)))
            .isEqualTo(5 + 'B' + 100);
        var after = session.target().cpu(thread).orElseThrow().registers();
        for (var register : X86_64.INSTANCE.registers().registers()) {
          assertThat(after.get(register)).as(register.name()).isEqualTo(before.get(register));
        }
        // The breakpoint at which it stands has counted, and comes again with the next number.
        assertThat(control.proceed().cause())
            .isEqualTo(new StopEvent.AtBreakpoint(List.of(breakpoint)));
        long number = before.get(X86_64.RDI).orElseThrow();
        assertThat(session.target().cpu(thread).orElseThrow().registers().get(X86_64.RDI))
            .hasValue(number + 1);
        floatsAreBehindTheStub(session, thread);
        aSignalThatComesDuringACallComesAfterwards(session, thread, served, subject);
        session.end();
      }
    } finally {
      // It was let go, and outlives its server.
      ProcessHandle.of(served).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  private static long function(Session session, String name) {
    return session.kernel().program().symbols().first(name).orElseThrow().address();
  }

  private static void floatsAreBehindTheStub(Session session, int thread) {
    var fraction = new FloatType("double", 8);
    byte[] three = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(3).array();
    var floating = session.target().find(FloatingRegisters.class).orElseThrow();
    byte[] before = floating.vector(thread, 0);
    byte[] result =
        new Calls(session)
            .call(
                thread,
                function(session, "half"),
                fraction,
                List.of(new Calls.Held(fraction, three)),
                Duration.ofSeconds(10));
    assertThat(ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN).getDouble()).isEqualTo(1.5);
    assertThat(floating.vector(thread, 0)).isEqualTo(before);
  }

  private static void aSignalThatComesDuringACallComesAfterwards(
      Session session, int thread, long process, Subject subject) {
    var before = session.target().cpu(thread).orElseThrow().registers();
    try (var sender = Executors.newSingleThreadScheduledExecutor()) {
      var _ =
          sender.schedule(
              () -> CProgram.run(Path.of("/"), List.of("kill", "-USR1", "" + process)),
              500,
              TimeUnit.MILLISECONDS);
      assertThatThrownBy(
              () ->
                  new Calls(session)
                      .call(thread, function(session, "hang"), List.of(), Duration.ofSeconds(20)))
          .hasMessageContaining("did not return (signal 10 (SIGUSR1)");
    }
    var after = session.target().cpu(thread).orElseThrow().registers();
    assertThat(after.get(X86_64.RIP)).isEqualTo(before.get(X86_64.RIP));
    assertThat(session.control().proceed().cause()).isInstanceOf(StopEvent.AtBreakpoint.class);
    var line = subject.line();
    while (line.startsWith("Remote debugging")) {
      line = subject.line();
    }
    assertThat(line).isEqualTo("user");
  }
}
