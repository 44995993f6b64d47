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
        static const float numbers[8] = {8, 7.5, -6, 5, 4, 3, 2, 1e-30f};
        if (__builtin_cpu_supports("avx")) asm volatile("vmovups %0, %%ymm3" : : "m"(numbers));
        asm volatile("movups %0, %%xmm9\\n fldpi\\n fld1" : : "m"(numbers));
        write(1, "ready\\n", 6); // It leaves the registers as they are.
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

  private static final List<String> REGISTERS =
      List.of(
          "$eflags",
          "(int) $eflags",
          "$eflags & 2",
          "$mxcsr",
          "$xmm9",
          "$xmm3.v4_float[1]",
          "$ymm3",
          "$ymm9.v8_int32",
          "$st0",
          "$st1",
          "$fctrl",
          "$fstat",
          "$ftag",
          "$st7",
          "$_siginfo",
          "$_siginfo._sifields._sigfault.si_addr",
          "$nothing",
          "$_exitcode",
          "$bpnum");

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

  @Test
  void registersOfACoreAreThoseOfGdb() throws IOException {
    var program = compile("gcc", "-O0");
    var core = core(program);
    var theirs =
        Debugged.gdb(folder, REGISTERS, List.of(program.file().toString(), core.toString()));
    try (var session = Debugged.open(core)) {
      var service = StandardCommands.over(session);
      Debugged.run(service, "set print pretty off");
      assertThat(ours(service, REGISTERS)).isEqualTo(theirs);
      assertThat(Debugged.run(service, "info registers eflags mxcsr").lines().map(String::strip))
          .containsExactly(
              "eflags         "
                  + Debugged.run(service, "output/x $eflags")
                  + "            "
                  + theirs.get(0),
              "mxcsr          0x1f80             " + theirs.get(3));
      assertThat(Debugged.run(service, "info all-registers"))
          .contains("fs_base ", "st1 = 3.14159265358979323851", "xmm9 = {v8_bfloat16 = {", "ftag ");
      assertThat(Debugged.run(service, "p $nothing + 1")).contains("'$nothing'");
      Debugged.run(service, "frame 1");
      assertThat(Debugged.run(service, "output $eflags")).isEqualTo(theirs.get(0));
      assertThat(Debugged.run(service, "output $xmm9")).isEqualTo(theirs.get(4));
    }
  }

  @Test
  void registersOfAProcessAndHowItEnds() {
    Debugged.with(
        compile("gcc", "-O0"),
        (service, subject) -> {
          assertThat(ours(service, List.of("$xmm9.v4_float", "$st1", "$_exitcode", "$bpnum")))
              .containsExactly("{8, 7.5, -6, 5}", "3.14159265358979323851", "void", "void");
          assertThat(Debugged.run(service, "output $_thread"))
              .isEqualTo(Long.toString(subject.pid()));
          Debugged.run(service, "b counted");
          assertThat(Debugged.run(service, "output $bpnum")).isEqualTo("1");
          assertThat(Debugged.run(service, "p $_siginfo")).contains("no signal has stopped thread");
          assertThat(Debugged.run(service, "info proc"))
              .contains("process " + subject.pid(), "cmdline = '", "exe = '", "cwd = '");
          assertThat(Debugged.run(service, "info proc mappings")).contains("[stack]");
          Debugged.run(service, "handle SIGUSR2 nostop");
          assertThat(Debugged.run(service, "info signals SIGUSR2")).endsWith("12 SIGUSR2      no");
          assertThat(Debugged.run(service, "info handle")).contains("11 SIGSEGV      yes");
          subject.signal("USR1");
          Debugged.run(service, "c");
          assertThat(Debugged.run(service, "output $_siginfo.si_signo")).isEqualTo("10");
          Debugged.run(service, "c");
          assertThat(ours(service, List.of("$_exitcode", "$_exitsignal")))
              .containsExactly("void", "10");
        });
  }
}
