// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each thread of a process has for itself, beside gdb: variables and registers. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class ProcessValuesTest {
  private static final String LIBRARY =
      """
      __thread int d_tls = 1;
      __thread char far[5000];
      int *get(void) { far[1] = 1; return &d_tls; }
      """;

  private static final String SOURCE =
      """
      #include <dlfcn.h>
      #include <errno.h>
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <unistd.h>
      struct pair { int a, b; };
      static __thread struct pair pair = {1, 2};
      static __attribute__((aligned(64))) __thread int tls = 5;
      __thread char text[3] = "ab";
      static pthread_barrier_t barrier;
      static int counted(int by) { static __thread int inner = 9; return inner += by; }
      static void use(void *library, int value) {
        int *(*get)(void) = (int *(*)(void)) dlsym(library, "get");
        *get() = value;
      }
      static void *work(void *unused) {
        tls = 15;
        pair.b = 7;
        errno = 11;
        counted(4);
        pthread_barrier_wait(&barrier);
        for (;;) pause();
        return unused;
      }
      int main(int argc, char **argv) {
        pthread_t thread;
        pthread_barrier_init(&barrier, 0, 2);
        void *first = dlopen(argc > 5 ? "" : FOLDER "/first.so", RTLD_NOW);
        use(first, 41);
        pthread_create(&thread, 0, work, 0);
        pthread_barrier_wait(&barrier);
        dlclose(first);
        use(dlopen(FOLDER "/second.so", RTLD_NOW), 42);
        counted(1);
        errno = 3;
        asm volatile("fldpi");
        puts("ready");
        fflush(stdout);
        if (argv[argc - 1][0] == '!') *(volatile int *) 0x10 = 1;
        for (;;) pause();
      }
      """;

  private static final List<String> LOCALS =
      List.of(
          "tls",
          "&tls",
          "pair",
          "&pair.b",
          "text",
          "*text@2",
          "counted::inner",
          "errno",
          "d_tls",
          "&d_tls",
          "far[1]",
          "sizeof(far)");

  @TempDir Path folder;

  private CProgram compile(String compiler, String... more) {
    CProgram.compile(folder, "first.so", LIBRARY, "-g", "-shared", "-fPIC");
    CProgram.compile(folder, "second.so", LIBRARY, "-g", "-shared", "-fPIC");
    var options = new ArrayList<>(List.of("-g", "-pthread"));
    options.addAll(List.of(more));
    options.add("-DFOLDER=\"" + folder + "\"");
    return CProgram.compileWith(
        compiler, folder, "program", SOURCE, options.toArray(String[]::new));
  }

  private static List<String> ours(CommandService service, List<String> expressions) {
    return expressions.stream().map(e -> Debugged.run(service, "output " + e)).toList();
  }

  private static void otherThread(CommandService service) {
    var other = Debugged.run(service, "::walk thread").lines().skip(1).findFirst().orElseThrow();
    assertThat(Debugged.run(service, "thread 0x" + other.strip().substring(2))).contains("thread");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-no-pie", "-gsplit-dwarf"})
  void eachThreadHasItsOwnVariables(String option) throws IOException {
    var program = compile("gcc", option);
    Debugged.with(
        program,
        (service, subject) -> {
          var first = ours(service, LOCALS);
          otherThread(service);
          var second = ours(service, List.of("tls", "pair", "counted::inner", "errno", "text"));
          assertThat(second).containsExactly("15", "{a = 1, b = 7}", "13", "11", "\"ab\"");
          assertThat(Debugged.run(service, "p d_tls"))
              .contains(
                  "thread-local variables of second.so: the thread has used none of them yet");
          Debugged.run(service, "frame 1");
          assertThat(Debugged.run(service, "output tls")).isEqualTo("15");
          assertThat(first.get(0)).isEqualTo("5");
          assertThat(first.get(8)).isEqualTo("42");
        });
  }

  private Path core(CProgram program, String... first) throws IOException {
    var core = folder.resolve("core.file");
    var command = new ArrayList<>(List.of("-ex", "run !"));
    command.addAll(List.of(first));
    command.addAll(List.of("-ex", "generate-core-file " + core, program.file().toString()));
    Debugged.gdb(folder, List.of(), command);
    return core;
  }

  @Test
  void variablesOfThreadsOfACoreAreThoseOfGdb() throws IOException {
    var program = compile("gcc", "-O0");
    var core = core(program);
    var theirs = Debugged.gdb(folder, LOCALS, List.of(program.file().toString(), core.toString()));
    try (var session = Debugged.open(core)) {
      var service = StandardCommands.over(session);
      Debugged.run(service, "set print pretty off");
      assertThat(ours(service, LOCALS)).isEqualTo(theirs);
      otherThread(service);
      assertThat(ours(service, List.of("tls", "errno"))).containsExactly("15", "11");
    }
  }
}
