// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** D on programs that do work of known size. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class TraceProcessTest {
  @TempDir private static Path programs;

  private static CProgram worker;

  @TempDir private Path folder;

  @BeforeAll
  static void compile() {
    worker =
        CProgram.compile(
            programs,
            "worker",
            """
            #define _GNU_SOURCE
            #include <pthread.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/syscall.h>
            #include <sys/wait.h>
            #include <unistd.h>

            __attribute__((noinline)) long work(long n) {
              for (long i = 0; i < n; i++)
                syscall(SYS_getppid);
              return n + 1;
            }

            __attribute__((noinline)) long empty(long n) {
              __asm__ volatile("");
              return n;
            }

            static void *thread(void *argument) {
              work(100);
              return argument;
            }

            int main(int argc, char **argv) {
              if (!strcmp(argv[1], "busy")) {
                long sum = 0;
                for (long i = 0; i < 200000000; i++)
                  sum += empty(i);
                return sum == 0;
              }
              if (!strcmp(argv[1], "sleep"))
                sleep(1000);
              if (!strcmp(argv[1], "exec"))
                return execl(argv[0], argv[0], "once", NULL);
              if (!strcmp(argv[1], "once"))
                return work(7) - 8;
              if (!strcmp(argv[1], "fork")) {
                if (!fork())
                  _exit(work(50) & 0);
                wait(NULL);
              }
              pthread_t threads[3];
              for (int i = 0; i < 3; i++)
                pthread_create(&threads[i], NULL, thread, NULL);
              for (int i = 0; i < 3; i++)
                pthread_join(threads[i], NULL);
              work(500);
              close(-1);
              return 0;
            }
            """,
            "-O1",
            "-pthread");
  }

  private String trace(int status, String program, String... more) throws IOException {
    var file = folder.resolve("out");
    Files.deleteIfExists(file);
    var words = new ArrayList<>(List.of("dtrace", "-x", "stopbudget=100"));
    words.addAll(List.of("-o", file.toString(), "-qn", program));
    words.addAll(List.of(more));
    assertThat(Main.run(words.toArray(String[]::new))).isEqualTo(status);
    return Files.exists(file) ? Files.readString(file) : "";
  }

  private String run(String program, String how) throws IOException {
    return trace(0, program, "-c", worker.file() + " " + how).strip();
  }

  /** When they are printed the program has ended; stacks are of the program, not of a kernel. */
  @Test
  void stacksAndSymbolsOfAProgramThatHasEndedAreShownByName() throws IOException {
    var out =
        run(
            """
            pid$target:a.out:work:entry {
              @[ustack(2)] = count();
              @f[ufunc(ucaller)] = count();
              @m[umod(arg0 - arg0 + ucaller)] = count();
            }\
            """,
            "once");
    assertThat(out)
        .containsPattern("worker`work\\n +worker`main\\+0x[0-9a-f]+\\n +1\\n")
        .containsPattern("\\n +worker`main +1\\n")
        .containsPattern("\\n +worker +1$")
        .doesNotContain("vmlinux");
  }

  /** Standard input and output are those of the test, whatever they are. */
  @Test
  void directoriesAndOpenFilesAreTold() throws IOException {
    var in = Files.readSymbolicLink(Path.of("/proc/self/fd/0"));
    assertThat(
            run(
                """
                pid$target:a.out:work:entry {
                  printf("%s %s\\n%s\\n%s %s\\n", cwd, root, execargs, curpsinfo->pr_psargs,
                      curpsinfo->pr_fname);
                  printf("%s %s %d", fds[0].fi_pathname, fds[77].fi_pathname, curlwpsinfo->pr_lwpid);
                  exit(0);
                }\
                """,
                "once"))
        .matches(
            Pattern.quote(System.getProperty("user.dir") + " /\n" + worker.file() + " once\n")
                + Pattern.quote(worker.file() + " once worker\n" + in + " <none> ")
                + "\\d+");
  }

  @Test
  void everySystemCallOfEveryThreadIsCounted() throws IOException {
    assertThat(
            run(
                """
                syscall::getppid:entry /pid == $target/ { @in = count(); @t[tid] = count(); }
                syscall::getppid:return /arg0 == ppid && errno == 0/ { @out = count(); }
                syscall::close:entry /(int)arg0 == -1/ { printf("close\\n"); }
                syscall::close:return /errno == EBADF/ { printf("EBADF\\n"); }
                END { clear(@t); printa("%@d in\\n", @in); printa("%@d out\\n", @out);
                      printa("%@d\\n", @t); }
                """,
                "threads"))
        .isEqualTo("close\nEBADF\n800 in\n800 out\n" + "0\n0\n0\n0");
  }

  /** Children are let go: what they do is not this process's. */
  @Test
  void childrenAreNotTraced() throws IOException {
    assertThat(
            run(
                "syscall::getppid:entry,pid$target:a.out:work:entry { @[probeprov] = count(); }"
                    + "END { printa(\"%@d\\n\", @); }",
                "fork"))
        .isEqualTo("4\n800");
  }

  @Test
  void functionsAreTracedFromTheStart() throws IOException {
    assertThat(
            run(
                "pid$target:a.out:main:entry { printf(\"main\\n\"); }"
                    + "pid$target:a.out:work:entry { @n = sum(arg0); }"
                    + "pid$target:a.out:work:return { @r = sum(arg1); }"
                    + "END { printa(\"%@d\\n\", @n); printa(\"%@d\\n\", @r); }",
                "threads"))
        .isEqualTo("main\n800\n804");
  }

  /** The process is another program then, with other places; its system calls go on. */
  @Test
  void executionOfAnotherProgramLeavesSystemCalls() throws IOException {
    assertThat(
            run(
                "syscall::execve:return { printf(\"%d\\n\", (int)arg0); }"
                    + "pid$target:a.out:work:entry { printf(\"work\\n\"); }"
                    + "syscall::getppid:entry { @n = count(); }"
                    + "END { printa(\"%@d\\n\", @n); }",
                "exec"))
        .isEqualTo("0\n7");
  }

  /** With a stop at each call it would take an hour. */
  @Test
  void aProbeThatHoldsItsProcessTooLongIsTakenOut() throws IOException {
    var count =
        trace(
                0,
                "pid$target:a.out:empty:entry { @ = count(); } END { printa(\"%@d\", @); }",
                "-x",
                "stopbudget=1",
                "-c",
                worker.file() + " busy")
            .strip();
    assertThat(Long.parseLong(count)).isBetween(1L, 100_000_000L);
  }

  @Test
  void aCommandIsKilledWhenTracingEnds() throws IOException {
    String pid =
        trace(3, "BEGIN { printf(\"%d\\n\", $target); exit(3); }", "-c", worker.file() + " sleep");
    assertThat(ProcessHandle.of(Long.parseLong(pid.strip()))).isEmpty();
  }

  @Test
  void whatCannotBeRunIsAnError() throws IOException {
    trace(1, "BEGIN", "-c", "/there/is/no/such/program");
    trace(1, "BEGIN", "-c", " ");
    trace(2, "BEGIN", "-c", "true", "-p", "1");
  }

  /** Notes as {@code sys/sdt.h} makes them, one with a semaphore. */
  @Test
  void probesThatAProgramWasCompiledWith() throws IOException {
    var marked =
        CProgram.compile(
            programs,
            "marked",
            """
            #include <unistd.h>

            #define NOTE(name, semaphore, arguments) \\
              "990: nop\\n" \\
              ".pushsection .note.stapsdt,\\"\\",\\"note\\"\\n" \\
              ".balign 4\\n" \\
              ".4byte 992f-991f, 994f-993f, 3\\n" \\
              "991: .asciz \\"stapsdt\\"\\n" \\
              "992: .balign 4\\n" \\
              "993: .8byte 990b, _.stapsdt.base, " semaphore "\\n" \\
              ".asciz \\"marked\\", \\"" name "\\", \\"" arguments "\\"\\n" \\
              "994: .balign 4\\n" \\
              ".popsection\\n"

            __asm__(".pushsection .stapsdt.base,\\"a\\",\\"progbits\\"\\n"
                    ".hidden _.stapsdt.base\\n"
                    ".globl _.stapsdt.base\\n"
                    "_.stapsdt.base: .space 1\\n"
                    ".popsection\\n");

            volatile unsigned short wanted __attribute__((section(".probes")));

            int main(void) {
              volatile long in_memory[4] = {0, 100, 200, 300};
              for (int i = -2; i < 3; i++) {
                long wide = 0x7000000000000000 + i;
                __asm__ volatile(NOTE("step", "0", "-4@%k0 8@%1 8@%2 -1@$-7 1@%b0 4@%%xmm0")
                                 ::"r"(i), "r"(wide), "m"(in_memory[1]));
                if (wanted)
                  __asm__ volatile(NOTE("guarded", "wanted", "2@%w0")::"r"(i));
              }
              return wanted;
            }
            """,
            "-O1");
    assertThat(
            quietly(
                "marked$target:::step { printf(\"%d %x %d %d %d %s\\n\", args[0], args[1], args[2],"
                    + " args[3], args[4], probefunc); }",
                marked))
        .isEqualTo(
            "-2 6ffffffffffffffe 100 -7 254 main\n"
                + "-1 6fffffffffffffff 100 -7 255 main\n"
                + "0 7000000000000000 100 -7 0 main\n"
                + "1 7000000000000001 100 -7 1 main\n"
                + "2 7000000000000002 100 -7 2 main");
    assertThat(
            quietly(
                "marked$target:marked:main:guarded { printf(\"%d \", args[0]); }"
                    + "syscall::exit_group:entry { printf(\"wanted %d\\n\", arg0); }",
                marked))
        .isEqualTo("65534 65535 0 1 2 wanted 1");
    assertThat(quietly("syscall::exit_group:entry { printf(\"wanted %d\\n\", arg0); }", marked))
        .isEqualTo("wanted 0");
  }

  /** The library is opened and closed again and again, at whatever addresses; it calls back. */
  private static CProgram opener() throws IOException {
    CProgram.compile(
        programs,
        "liblate.so",
        """
        int late(int n) {
          return n * 2;
        }

        __attribute__((constructor)) static void begin(void) {
          late(100);
        }
        """,
        "-O1",
        "-fno-inline",
        "-shared",
        "-fPIC");
    return CProgram.compile(
        programs,
        "opener",
        """
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <sys/mman.h>

        int main(int argc, char **argv) {
          int times = argc > 2 ? atoi(argv[2]) : 5;
          for (int i = 1; i <= times; i++) {
            void *library = dlopen(argv[1], RTLD_NOW);
            if (!library)
              return 1;
            int (*late)(int) = dlsym(library, "late");
            if (late(i) != 2 * i)
              return 2;
            dlclose(library);
            if (i == 3 || times > 5)
              mmap(NULL, 1 << 16, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          }
          return 0;
        }
        """,
        "-O1",
        "-ldl");
  }

  private static String command(CProgram of) {
    return of.file() + " " + of.file().resolveSibling("liblate.so");
  }

  @Test
  void librariesThatComeLaterHaveTheirProbes() throws IOException {
    var opener = opener();
    assertThat(
            trace(
                    0,
                    "pid$target:liblate:late:entry { @in[arg0] = count(); }"
                        + "pid$target:liblate:late:return { @out = sum(arg1); }"
                        + "pid$target:liblate:begin:entry { @begun = count(); }"
                        + "END { printa(\"%d %@d\\n\", @in); printa(\"%@d\\n\", @out);"
                        + " printa(\"%@d\\n\", @begun); }",
                    "-Z",
                    "-c",
                    command(opener))
                .strip())
        .isEqualTo("1 1\n2 1\n3 1\n4 1\n5 1\n100 5\n1030\n5");
  }

  /** What matches something now is enabled in what comes later, too. */
  @Test
  void descriptionsGoOnToMatch() throws IOException {
    var opener = opener();
    assertThat(
            trace(
                    0,
                    "pid$target:::entry /probefunc == \"late\" || probefunc == \"main\"/"
                        + " { printf(\"%s \", probefunc); }",
                    "-x",
                    "stopbudget=100",
                    "-c",
                    command(opener))
                .strip()
                .split(" "))
        .hasSize(11)
        .startsWith("main", "late");
  }

  /** Each time elsewhere, they have the probes that they had before. */
  @Test
  void librariesThatComeAgainAndAgainBringNoMoreProbes() throws IOException {
    assertThat(
            trace(
                    0,
                    "pid$target:liblate:late:entry { @[epid] = count(); }",
                    "-Z",
                    "-x",
                    "stopbudget=100",
                    "-c",
                    command(opener()) + " 40")
                .strip()
                .split("\n"))
        .hasSize(1)
        .allMatch(line -> line.endsWith(" 80"));
  }

  /** The worker ends with what work() gives, less 8; it cannot be chilled for a second. */
  @Test
  void functionsReturnWithoutRunning() throws IOException {
    assertThat(
            trace(
                0,
                "pid$target:a.out:work:entry { return(40); }"
                    + "pid$target:a.out:work:entry { before = timestamp; chill(50000000); }"
                    + "pid$target:a.out:work:entry { chill(1000000000); }"
                    + "pid$target:a.out:work:return { printf(\"returned \"); }"
                    + "syscall::getppid:entry { printf(\"ran \"); }"
                    + "ERROR { printf(\"%d \", arg4); }"
                    + "syscall::exit_group:entry {"
                    + " printf(\"%d %d\", (int)arg0, timestamp - before >= 50000000); }",
                "-w",
                "-c",
                worker.file() + " once"))
        .isEqualTo("3 32 1\n");
  }

  /** A signal that a clause sends comes after the instruction, which is stepped, and not again. */
  @Test
  void instructionsThatAreSteppedCountOnceWithASignal() throws IOException {
    var program =
        CProgram.compile(
            programs,
            "signalled",
            """
            #include <pthread.h>
            #include <signal.h>

            int counter, got;

            static void handler(int signal) {
              __atomic_add_fetch(&got, 1, __ATOMIC_RELAXED);
            }

            __attribute__((naked, noinline)) void locked(void) {
              __asm__ volatile("lock incl counter(%rip); ret");
            }

            __attribute__((naked, noinline)) void flags(void) {
              __asm__ volatile("pushf; popf; ret");
            }

            static void *thread(void *argument) {
              for (int i = 0; i < 50; i++)
                locked();
              return argument;
            }

            int main(void) {
              signal(SIGUSR1, handler);
              pthread_t threads[3];
              for (int i = 0; i < 3; i++)
                pthread_create(&threads[i], 0, thread, 0);
              for (int i = 0; i < 3; i++)
                pthread_join(threads[i], 0);
              for (int i = 0; i < 5; i++)
                flags();
              return counter == 150 && got == 155 ? 7 : 8;
            }
            """,
            "-O1",
            "-pthread");
    assertThat(
            trace(
                0,
                "pid$target:a.out:locked:entry { @in = count(); raise(SIGUSR1); }"
                    + "pid$target:a.out:handler:entry { @handled = count(); }"
                    + "pid$target:a.out:flags:0 { @flags = count(); raise(SIGUSR1); }"
                    + "syscall::exit_group:entry { printf(\"%d \", (int)arg0); }"
                    + "END { printa(\"%@d %@d %@d\", @in, @handled, @flags); }",
                "-w",
                "-x",
                "stopbudget=100",
                "-c",
                program.file().toString()))
        .isEqualTo("7 150 155 5\n");
  }

  @Test
  void withoutZADescriptionOfALibraryThatIsNotThereIsRefused() throws IOException {
    trace(1, "pid$target:liblate:late:entry { }", "-c", command(opener()));
  }

  private static CProgram changed() {
    return CProgram.compile(
        programs,
        "changed",
        """
        #include <signal.h>
        #include <string.h>

        static volatile int got;

        static void handler(int signal) {
          got += signal;
        }

        __attribute__((noinline)) int fill(char *buffer) {
          __asm__ volatile("" ::"r"(buffer) : "memory");
          return buffer[0];
        }

        int main(void) {
          char buffer[16] = "nothing";
          signal(SIGUSR1, handler);
          fill(buffer);
          fill(buffer);
          if (got)
            return got;
          return !strcmp(buffer, "changed") ? 3 : 4;
        }
        """,
        "-O1");
  }

  /** How the program ends tells whether it was changed. */
  @Test
  void destructiveActionsChangeAProcess() throws IOException {
    var program = changed().file().toString();
    var ends = "syscall::exit_group:entry { printf(\"%d\", (int)arg0); }";
    assertThat(
            trace(
                0,
                "pid$target:a.out:fill:entry { copyoutstr(\"changed\", arg0, 8); }" + ends,
                "-w",
                "-c",
                program))
        .isEqualTo("3\n");
    assertThat(
            trace(
                0,
                "pid$target:a.out:fill:entry { n++; }"
                    + "pid$target:a.out:fill:entry /n == 1/ { raise(SIGUSR1); }"
                    + ends,
                "-w",
                "-c",
                program))
        .isEqualTo("10\n");
    assertThat(trace(0, ends, "-c", program)).isEqualTo("4\n");
  }

  @Test
  void destructiveActionsNeedToBeAllowed() throws IOException {
    var program = changed().file().toString();
    for (var action : List.of("raise(10)", "stop()", "copyoutstr(\"a\", arg0, 2)")) {
      trace(1, "pid$target:a.out:fill:entry { " + action + "; }", "-c", program);
    }
  }

  /** It stands still until somebody lets it go on. */
  @Test
  void aProcessIsStopped() throws IOException {
    var text =
        trace(
            0,
            "pid$target:a.out:main:entry { stop(); }"
                + "tick-100ms { system(\"grep State /proc/%d/status\", $target); exit(0); }",
            "-w",
            "-c",
            changed().file().toString());
    assertThat(text).contains("State:").containsPattern("State:\\s+[tT] ");
  }

  private String quietly(String program, CProgram of) throws IOException {
    return trace(0, program, "-c", of.file().toString()).strip();
  }

  /** {@code --debug-file} and {@code --debug-dir} as for {@code attach}. */
  @Test
  void argumentsHaveTheTypesOfASeparateDebugFile() throws IOException {
    var program =
        CProgram.compile(
            folder,
            "typed",
            """
            struct point { int x; long y; };

            __attribute__((noinline)) long add(struct point *p) {
              return p->x + p->y;
            }

            int main(void) {
              long sum = 0;
              for (int i = 0; i < 10; i++) {
                struct point p = {i, 100 * i};
                sum += add(&p);
              }
              return sum != 45 * 101;
            }
            """,
            "-g",
            "-O1",
            "-Wl,--build-id=0x0011223344556677");
    var debug = folder.resolve("debug/.build-id/00/11223344556677.debug");
    Files.createDirectories(debug.getParent());
    var file = program.file().toString();
    CProgram.run(folder, List.of("objcopy", "--only-keep-debug", file, debug.toString()));
    CProgram.run(folder, List.of("strip", "--strip-debug", file));
    var clause = "pid$target:a.out:add:entry { @ = sum(args[0]->y); } END { printa(\"%@d\", @); }";
    var root = folder.resolve("debug").toString();
    assertThat(trace(0, clause, "-c", file, "--debug-dir", root)).isEqualTo("4500\n");
    assertThat(trace(0, clause, "-c", file, "--debug-file", debug.toString())).isEqualTo("4500\n");
    assertThat(trace(1, clause, "-c", file)).isEmpty();
  }
}
