// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Functions of processes, called from the prompt: they leave no trace in the thread. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class ProcessCallsTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <fcntl.h>
      #include <pthread.h>
      #include <setjmp.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <unistd.h>
      enum colour { RED = 3, GREEN };
      struct pair { int a, b; };
      volatile long turns, clobbered, fault;
      static sigjmp_buf again;
      __attribute__((noinline)) long add(long a, int b, unsigned char c) { return a + b + c; }
      __attribute__((noinline)) unsigned long length(const char *text) { return strlen(text); }
      __attribute__((noinline)) int same(const char *a, const char *b) { return !strcmp(a, b); }
      enum colour paint(int n) { return n ? GREEN : RED; }
      const char *name(void) { return "called"; }
      double half(double x) { return x / 2; }
      int total(struct pair p) { return p.a + p.b; }
      int crash(void) { *(volatile int *) 0x18 = 1; return 0; }
      int leave(int status) { exit(status); }
      int end(void) { pthread_exit(0); }
      int hang(void) { for (;;) pause(); }
      int become(void) { return execl("/bin/sleep", "sleep", "100", (char *) 0); }
      // Looks at the stack pointer, and at the direction in which strings are copied.
      int aligned(void);
      asm("aligned: lea 8(%rsp), %rax; and $15, %eax; pushf; pop %rdx; and $0x400, %edx;"
          "or %edx, %eax; ret");
      // Writes to all that a function may write to.
      long clobber(void);
      asm("clobber: lea -2048(%rsp), %rdi; mov $256, %ecx; mov $-1, %rax; cld; rep stosq;"
          "mov $-1, %rax; movq %rax, %xmm7; movq %rax, %xmm15; mov %rax, %rdx; mov %rax, %rsi;"
          "mov %rax, %r8; mov %rax, %r9; mov %rax, %r10; mov %rax, %r11; fldz; mov $7, %eax; ret");
      __attribute__((noinline)) long zone(long n) {
        long found;
        asm volatile(
            "movq %1, -8(%%rsp); movq %1, -128(%%rsp); movq %1, %%xmm7; movq %1, %%xmm15;"
            "fld1; std; .globl inside; inside: nop; movq -8(%%rsp), %0; xor %1, %0;"
            "movq -128(%%rsp), %%rdx; xor %1, %%rdx; or %%rdx, %0;"
            "movq %%xmm7, %%rdx; xor %1, %%rdx; or %%rdx, %0;"
            "movq %%xmm15, %%rdx; xor %1, %%rdx; or %%rdx, %0;"
            "fistpq -64(%%rsp); movq -64(%%rsp), %%rcx; xor $1, %%rcx; or %%rcx, %0;"
            "pushf; pop %%rax; cld; and $0x400, %%eax; xor $0x400, %%eax; or %%rax, %0"
            : "=&r"(found) : "r"(n) : "rax", "rcx", "rdx", "xmm7", "xmm15", "memory");
        return found; // 0 when all is as it was
      }
      static void *nap(void *unused) { for (;;) pause(); return unused; }
      static void caught(int number, siginfo_t *info, void *context) {
        printf("signal %d code %d at %p\\n", number, info->si_code, info->si_addr);
        fflush(stdout);
        if (number == SIGSEGV) siglongjmp(again, 1);
      }
      int main(int argc, char **argv) {
        struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
        pthread_t thread;
        sigfillset(&action.sa_mask); // What one handler prints is not mixed with the other's.
        sigaction(SIGSEGV, &action, 0);
        sigaction(SIGUSR1, &action, 0);
        pthread_create(&thread, 0, nap, 0);
        puts("ready");
        fflush(stdout);
        if (argc > 1) {
          int fifo = open(argv[1], O_RDWR);
          char text[16];
          puts("reads");
          fflush(stdout);
          long got = read(fifo, text, sizeof text);
          printf("got %ld error %d\\n", got, got < 0 ? errno : 0);
          fflush(stdout);
        }
        for (long n = 0;; n++) {
          turns = n;
          if (zone(n)) clobbered++;
          if (fault && !sigsetjmp(again, 1)) { fault = 0; *(volatile int *) 0x1230 = 1; }
          usleep(1000);
        }
      }
      """;

  /** Assembler text has no types. */
  private static final String ALIGNED = "((int (*)(void))aligned)()";

  private static final String CLOBBER = "((long (*)(void))clobber)()";

  @TempDir static Path folder;
  private static CProgram program;

  @BeforeAll
  static void compile() {
    program = CProgram.compile(folder, "callee", SOURCE, "-O1", "-g", "-pthread", "-mno-red-zone");
  }

  /** What is done with a process that was attached to. */
  private interface Steps {
    void run(Subject subject, CommandService service, Session session);
  }

  private static void with(List<String> arguments, Steps test) {
    var command = new ArrayList<>(List.of(program.file().toString()));
    command.addAll(arguments);
    try (var subject = Subject.start(command)) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session =
          Session.attach(
              "pid:" + subject.pid(),
              AttachOptions.DEFAULT,
              new KernelOptions(Optional.empty(), true, Progress.NONE))) {
        var service = StandardCommands.over(session);
        service.environment().settings().writable(true);
        test.run(subject, service, session);
      }
    }
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  private static String value(CommandService service, String expression) {
    return run(service, "p " + expression).replaceFirst("^\\$\\d+ = ", "").strip();
  }

  @Test
  void functionsAreCalledByTheirTypes() {
    with(
        List.of(),
        (_, service, _) -> {
          assertThat(run(service, "p add(1, 2, 3)")).contains("the target runs: stop it first");
          run(service, "::stop");
          assertThat(value(service, "add(40, -1, 0x103)")).isEqualTo("42");
          assertThat(value(service, "add(1, 2, 3) * 2 + 1")).isEqualTo("13");
          assertThat(value(service, "paint(1)")).isEqualTo("GREEN");
          assertThat(value(service, "name()")).endsWith("\"called\"");
          assertThat(value(service, "length(\"five!\")")).isEqualTo("5");
          assertThat(value(service, "same(\"one\", \"one\") + same(\"a\", \"b\")")).isEqualTo("1");
          assertThat(value(service, "length(name())")).isEqualTo("6");
          assertThat(value(service, ALIGNED)).isEqualTo("0");
          assertThat(run(service, "::call add 0x10 2 1")).contains("13");
          assertThat(run(service, "call add(16, 2, 1)")).contains(" = 19");
          assertThat(value(service, "half(3)")).isEqualTo("1.5");
          assertThat(run(service, "p total(1)")).contains("fathom:");
          assertThat(run(service, "p add(1)")).contains("takes 3 arguments, not 1");
          service.environment().settings().writable(false);
          assertThat(run(service, "p add(1, 2, 3)")).contains("not open for writing");
        });
  }

  @Test
  void theThreadGoesOnAsIfNothingHadBeenCalled() {
    with(
        List.of(),
        (subject, service, _) -> {
          run(service, "::stop");
          run(service, "b inside");
          assertThat(run(service, "c")).contains("breakpoint 1");
          run(service, "b usleep");
          var registers = run(service, "::regs");
          var before = Long.parseLong(value(service, "turns"));
          assertThat(value(service, CLOBBER)).isEqualTo("7");
          assertThat(value(service, CLOBBER)).isEqualTo("7");
          assertThat(run(service, "::regs")).isEqualTo(registers);
          // The breakpoint at which it stands has counted: the next place comes next.
          assertThat(run(service, "c")).contains("breakpoint 2");
          assertThat(value(service, "turns")).isEqualTo(Long.toString(before));
          assertThat(run(service, "c")).contains("breakpoint 1");
          assertThat(value(service, "clobbered")).isEqualTo("0");
          assertThat(value(service, ALIGNED)).isEqualTo("0");
          run(service, ":z");
          run(service, ":c");
          subject.await("more turns", () -> Long.parseLong(value(service, "turns")) > before + 5);
          assertThat(value(service, "clobbered")).isEqualTo("0");
        });
  }

  @Test
  void aSystemCallThatWasInterruptedGoesOn() throws IOException {
    var fifo = folder.resolve("fifo");
    CProgram.run(folder, List.of("mkfifo", fifo.toString()));
    with(
        List.of(fifo.toString()),
        (subject, service, _) -> {
          assertThat(subject.line()).isEqualTo("reads");
          subject.await("its read", () -> subject.states().startsWith("S"));
          run(service, "::stop");
          assertThat(value(service, "add(1, 2, 3)")).isEqualTo("6");
          assertThat(value(service, CLOBBER)).isEqualTo("7");
          run(service, ":z");
          run(service, ":c");
          try {
            Files.writeString(fifo, "hello", StandardOpenOption.WRITE);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
          assertThat(subject.line()).isEqualTo("got 5 error 0");
        });
  }

  @Test
  void theSignalThatStoppedTheThreadComesAfterwardsWithWhatItIsAbout() {
    with(
        List.of(),
        (subject, service, _) -> {
          run(service, "::stop");
          run(service, "p fault = 1");
          run(service, "b leave"); // else nobody would wait for a stop
          assertThat(run(service, "c")).contains("SIGSEGV");
          assertThat(value(service, "add(1, 2, 3)")).isEqualTo("6");
          run(service, ":z");
          run(service, ":c");
          // SEGV_MAPERR
          assertThat(subject.line()).isEqualTo("signal 11 code 1 at 0x1230");
        });
  }

  @Test
  void whatDoesNotReturnIsToldAndPutBack() {
    with(
        List.of(),
        (subject, service, session) -> {
          run(service, "::stop");
          run(service, "b inside");
          run(service, "b length");
          run(service, "c");
          var registers = run(service, "::regs");
          assertThat(run(service, "p crash()"))
              .contains("did not return (signal 11 (SIGSEGV) at 0x")
              .contains("put back");
          assertThat(run(service, "::regs")).isEqualTo(registers);
          assertThat(run(service, "p length(\"a\")"))
              .contains("did not return (breakpoint 2 stopped the target)");
          assertThat(run(service, "::regs")).isEqualTo(registers);
          assertThat(run(service, "::call -s 1 hang"))
              .contains("did not return (it took too long)");
          assertThat(run(service, "::regs")).isEqualTo(registers);
          try (var user = Executors.newSingleThreadScheduledExecutor()) {
            var _ =
                user.scheduleWithFixedDelay(session::interrupt, 200, 200, TimeUnit.MILLISECONDS);
            assertThat(run(service, "p hang()")).contains("did not return (stopped by user)");
            user.shutdownNow();
          }
          assertThat(run(service, "::regs")).isEqualTo(registers);
          assertThat(value(service, "add(1, 2, 3)")).isEqualTo("6");
          run(service, ":z");
          run(service, ":c");
          // Neither the crash nor what was interrupted is left over.
          subject.await("more turns", () -> Long.parseLong(value(service, "turns")) > 10);
          assertThat(value(service, "clobbered")).isEqualTo("0");
        });
  }

  private static void hangUntilSignalled(Subject subject, CommandService service) {
    var sender =
        CompletableFuture.runAsync(
            () -> {
              subject.await("the call", () -> !subject.states().contains("t"));
              subject.signal("USR1");
            });
    assertThat(run(service, "::call -s 20 hang")).contains("signal 10 (SIGUSR1)");
    sender.join();
  }

  @Test
  void aSignalThatComesDuringACallComesAfterwards() {
    with(
        List.of(),
        (subject, service, _) -> {
          run(service, "::stop");
          run(service, "b inside");
          run(service, "c");
          var registers = run(service, "::regs");
          hangUntilSignalled(subject, service);
          assertThat(run(service, "::regs")).isEqualTo(registers);
          assertThat(value(service, "add(1, 2, 3)")).isEqualTo("6");
          run(service, ":z");
          run(service, ":c");
          assertThat(subject.line()).startsWith("signal 10 code 0 ");
        });
  }

  @Test
  void aSecondSignalThatComesDuringACallComesAfterwardsToo() {
    with(
        List.of(),
        (subject, service, _) -> {
          run(service, "::stop");
          run(service, "p fault = 1");
          run(service, "b leave"); // else nobody would wait for a stop
          assertThat(run(service, "c")).contains("SIGSEGV");
          hangUntilSignalled(subject, service);
          assertThat(run(service, "c")).contains("SIGUSR1");
          run(service, ":z");
          run(service, ":c");
          assertThat(List.of(subject.line(), subject.line()))
              .map(line -> line.substring(0, 9))
              .containsExactlyInAnyOrder("signal 10", "signal 11");
        });
  }

  @Test
  void theProcessMayEndInTheFunction() {
    with(
        List.of(),
        (subject, service, _) -> {
          run(service, "::stop");
          assertThat(run(service, "p leave(3)"))
              .contains("the process ended in the function, with status 3");
          subject.await("its end", () -> subject.status("State").isEmpty());
        });
    with(
        List.of(),
        (_, service, _) -> {
          run(service, "::stop");
          assertThat(run(service, "p become()")).contains("became another program");
        });
  }
}
