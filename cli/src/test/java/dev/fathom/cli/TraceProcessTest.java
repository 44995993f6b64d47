// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    var words = new ArrayList<>(List.of("dtrace", "-o", file.toString(), "-qn", program));
    words.addAll(List.of(more));
    assertThat(Main.run(words.toArray(String[]::new))).isEqualTo(status);
    return Files.exists(file) ? Files.readString(file) : "";
  }

  private String run(String program, String how) throws IOException {
    return trace(0, program, "-c", worker.file() + " " + how).strip();
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
}
