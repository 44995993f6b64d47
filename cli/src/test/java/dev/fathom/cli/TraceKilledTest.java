// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Tracers as processes of their own, by what they leave behind and what they say. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(600)
class TraceKilledTest {
  private static final int KILLS = Integer.getInteger("fathom.kills", 20);
  private static final int INT3 = 0xcc;

  @TempDir private Path folder;

  private static ProcessBuilder fathom(String... options) {
    var words = new ArrayList<String>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    var modules = System.getProperty("jdk.module.path");
    if (modules != null) {
      words.addAll(List.of("--enable-native-access=dev.fathom.host", "-p", modules));
      words.addAll(List.of("-m", "dev.fathom.cli/dev.fathom.cli.Main"));
    } else {
      words.add("--enable-native-access=ALL-UNNAMED");
      words.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    }
    words.addAll(List.of(options));
    return new ProcessBuilder(words).redirectErrorStream(true);
  }

  private static String said(String... options) throws Exception {
    var process = fathom(options).start();
    process.getOutputStream().close();
    var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return text;
  }

  @Test
  void howACommandEndedIsSaidAsDtraceSaysIt() throws Exception {
    var ends =
        CProgram.compile(
            folder,
            "ends",
            """
            #include <signal.h>
            #include <stdlib.h>

            int main(int argc, char **argv) {
              int how = atoi(argv[1]);
              if (how < 0)
                raise(-how);
              return how;
            }
            """);
    assertThat(said("dtrace", "-n", "END", "-c", ends.file() + " 0"))
        .containsPattern("dtrace: pid \\d+ has exited\n");
    assertThat(said("dtrace", "-n", "END", "-c", ends.file() + " 7"))
        .containsPattern("dtrace: pid \\d+ exited with status 7\n");
    assertThat(said("dtrace", "-n", "END", "-c", ends.file() + " -15"))
        .containsPattern("dtrace: pid \\d+ terminated by SIGTERM\n");
    assertThat(said("dtrace", "-qn", "END", "-c", ends.file() + " 7")).doesNotContain("pid");
  }

  /** Whenever it is killed (kill -9) once its breakpoints are in. */
  @Test
  void theProcessOfAKilledTracerRunsOn() throws Exception {
    var program =
        CProgram.compile(
            folder,
            "spin",
            """
            #include <pthread.h>
            #include <signal.h>
            #include <stdio.h>
            #include <unistd.h>

            volatile long count;

            __attribute__((noinline)) long work(long x) {
              count++;
              return x + 1;
            }

            __attribute__((noinline)) long more(long x) {
              return work(x) + 1;
            }

            static void *run(void *argument) {
              for (;;) {
                for (int i = 0; i < 50; i++)
                  more(i);
                usleep(100);
              }
              return argument;
            }

            int main(void) {
              pthread_t thread;
              pthread_create(&thread, NULL, run, NULL);
              pthread_create(&thread, NULL, run, NULL);
              for (;;) {
                long before = count;
                usleep(20000);
                if (count != before) {
                  printf("on\\n");
                  fflush(stdout);
                }
              }
            }
            """,
            "-O1",
            "-no-pie",
            "-pthread");
    long seed = System.nanoTime();
    var random = new Random(seed);
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      for (int i = 0; i < KILLS; i++) {
        var tracer =
            fathom(
                    "trace",
                    "--no-index",
                    "-p",
                    Long.toString(subject.pid()),
                    "-qn",
                    "pid$target:a.out:work:entry,pid$target:a.out:work:return,"
                        + "pid$target:a.out:more:entry,syscall::clock_nanosleep:entry"
                        + " { @[probefunc] = count(); }")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        long work = program.symbol("work").orElseThrow();
        subject.await("a breakpoint", () -> byteAt(subject.pid(), work) == INT3);
        Thread.sleep(random.nextInt(500));
        tracer.destroyForcibly();
        assertThat(tracer.waitFor(20, TimeUnit.SECONDS)).isTrue();
        // What was printed before is of no interest.
        subject.await("no tracer", () -> subject.status("TracerPid").equals("0"));
        assertThat(subject.line()).as("kill %d, seed %d", i, seed).isEqualTo("on");
        Thread.sleep(50);
        assertThat(subject.status("State")).as("kill %d, seed %d", i, seed).matches("[RS] .*");
      }
      for (var function : List.of("work", "more")) {
        assertThat(byteAt(subject.pid(), program.symbol(function).orElseThrow()))
            .isNotEqualTo(INT3);
      }
    }
  }

  private static int byteAt(long pid, long address) {
    try (var memory = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
      memory.seek(address);
      return memory.read();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
