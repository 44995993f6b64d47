// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TargetException;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Tracers that are killed (kill -9), by what they leave behind. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(1800)
class TraceKilledTest {
  private static final int KILLS = Integer.getInteger("fathom.kills", 8);
  private static final int INT3 = 0xcc;

  /** Every thread checks that each call does its work once; one has all signals blocked. */
  private static final String SPIN =
      """
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <unistd.h>

      static volatile int over;
      static volatile long turns;
      static __thread volatile long count;

      __attribute__((noinline)) long work(long x) {
        count++;
        return x + 1;
      }

      __attribute__((noinline)) long more(long x) {
        return work(x) + 1;
      }

      __attribute__((noinline)) long cold(long x) {
        return x * 3;
      }

      static void *run(void *argument) {
        long calls = 0, bad = 0;
        if (argument) {
          sigset_t all;
          sigfillset(&all);
          pthread_sigmask(SIG_SETMASK, &all, NULL);
        }
        while (!over) {
          for (int i = 0; i < 50; i++) {
            bad += more(i) != i + 2;
            calls++;
          }
          turns++;
          usleep(100);
        }
        return (void *)(bad + (calls != count));
      }

      static void end(int signal) { over = 1; }

      int main(int argc, char **argv) {
        pthread_t threads[3];
        signal(SIGUSR1, end);
        for (long i = 0; i < 3; i++)
          pthread_create(&threads[i], NULL, run, (void *)(long)(i == 2));
        while (!over) {
          long before = turns;
          usleep(20000);
          if (turns != before) {
            printf("on\\n");
            fflush(stdout);
          }
        }
        long bad = argc > 5 ? cold(argc) : 0;
        for (int i = 0; i < 3; i++) {
          void *result;
          pthread_join(threads[i], &result);
          bad += (long)result;
        }
        printf("%ld wrong\\n", bad);
        return 0;
      }
      """;

  @TempDir private Path folder;

  /** Whenever it is killed once its breakpoints are in. */
  @Test
  void theProcessOfAKilledTracerRunsOn() throws Exception {
    var program = CProgram.compile(folder, "spin", SPIN, "-O1", "-no-pie", "-pthread");
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    System.out.println("TraceKilledTest: seed " + seed);
    var random = new Random(seed);
    var said = folder.resolve("said");
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("on"); // It is the program, no longer the shell.
      var functions = List.of("work", "more", "cold");
      var addresses = functions.stream().map(it -> program.symbol(it).orElseThrow()).toList();
      var own = addresses.stream().map(it -> byteAt(subject.pid(), it)).toList();
      for (int i = 0; i < KILLS; i++) {
        var tracer =
            FathomProcess.of(
                    "trace",
                    "--no-index",
                    "-x",
                    "stopbudget=100",
                    "-p",
                    Long.toString(subject.pid()),
                    "-qn",
                    "pid$target:a.out:work:entry,pid$target:a.out:work:return,"
                        + "pid$target:a.out:more:entry,pid$target:a.out:cold:entry,"
                        + "syscall::clock_nanosleep:entry { @[probefunc] = count(); }")
                .redirectOutput(said.toFile())
                .start();
        try {
          subject.await("a breakpoint", () -> byteAt(subject.pid(), addresses.getLast()) == INT3);
        } catch (TargetException e) {
          var text = Files.readString(said);
          throw new AssertionError("kill " + i + ", seed " + seed + ": " + text, e);
        }
        // The kernel has taken the guard away where signals are blocked: it is put in again.
        Thread.sleep(random.nextInt(500) + (i == 0 ? 2000 : 0));
        tracer.destroyForcibly();
        assertThat(tracer.waitFor(20, TimeUnit.SECONDS)).isTrue();
        subject.await("no tracer", () -> subject.status("TracerPid").equals("0"));
        for (int line = 0; line < 5; line++) {
          assertThat(subject.line()).as("kill %d, seed %d", i, seed).isEqualTo("on");
        }
        subject.await(
            "its own code",
            () -> addresses.stream().map(it -> byteAt(subject.pid(), it)).toList().equals(own));
        assertThat(subject.status("State")).as("kill %d, seed %d", i, seed).matches("[RS] .*");
      }
      subject.signal("USR1");
      var last = subject.line();
      while (last.equals("on")) {
        last = subject.line();
      }
      assertThat(last).isEqualTo("0 wrong");
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
