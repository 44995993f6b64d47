// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

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

/** What callers passed, and the registers of outer frames, beside gdb. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class EntryValuesTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      #define OWN __attribute__((noinline, noclone))
      volatile int sink;
      OWN void stop(void) { asm volatile("" ::: "memory"); }
      OWN int changed(int a, int b) {
        sink = b;
        asm volatile("" : "+r"(a));
        a++;
        stop();
        sink = a;
        return a;
      }
      OWN int lost(int gone, int kept) {
        sink = gone;
        stop();
        return kept;
      }
      struct one { long a; };
      __attribute__((noipa)) int whole(struct one w, struct one k) {
        w.a += 2;
        stop();
        sink = w.a;
        sink = k.a;
        return 5;
      }
      OWN int outer(int x) {
        int r = changed(x, x * 2) + lost(x + 1, 7);
        r += whole((struct one){ x }, (struct one){ 8 });
        sink = r;
        return r + x;
      }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          sink = outer(5);
          usleep(1000);
        }
      }
      """;

  private static final List<String> MODES =
      List.of("default", "no", "only", "preferred", "if-needed", "both", "compact");

  @TempDir Path folder;

  private static List<String> functions(String backtrace) {
    var found = new ArrayList<String>();
    for (var line : backtrace.split("\n")) {
      if (line.matches("#[0-3] .*")) {
        found.add(line.replaceAll("0x[0-9a-f]+ in ", "").replaceAll(" at .*", ""));
      }
    }
    return found;
  }

  @Test
  void areShownAsGdbDoes() throws IOException {
    var program = CProgram.compile(folder, "entry", SOURCE, "-g", "-O2");
    var commands = new ArrayList<>(List.of("gdb", "-batch", "-nx", "-ex", "set width 0"));
    commands.addAll(List.of("-ex", "break stop", "-ex", "run"));
    for (int stop = 0; stop < 3; stop++) {
      for (var mode : MODES) {
        commands.addAll(List.of("-ex", "echo @@\\n", "-ex", "set print entry-values " + mode));
        commands.addAll(List.of("-ex", "bt"));
      }
      commands.addAll(List.of("-ex", "echo @@\\n", "-ex", "continue"));
    }
    commands.add(program.file().toString());
    var theirs = CProgram.run(folder, commands).split("@@\n");
    Debugged.with(
        program,
        (service, _) -> {
          Debugged.run(service, "b stop");
          Debugged.run(service, "c");
          for (int i = 0; i < 2 && !Debugged.run(service, "bt").contains("changed"); i++) {
            Debugged.run(service, "c");
          }
          int at = 1;
          for (int stop = 0; stop < 3; stop++, at++) {
            for (var mode : MODES) {
              Debugged.run(service, "set print entry-values " + mode);
              assertThat(functions(Debugged.run(service, "bt")).subList(0, 4))
                  .as(mode)
                  .isEqualTo(functions(theirs[at++]));
            }
            Debugged.run(service, "c");
          }
        });
  }

  @Test
  void conditionsSeeThem() {
    var program = CProgram.compile(folder, "entry", SOURCE, "-g", "-O2");
    Debugged.with(
        program,
        (service, _) -> {
          Debugged.run(service, "b changed if a@entry == 77");
          Debugged.run(service, "b lost if gone@entry == 6 && kept@entry == 7");
          assertThat(Debugged.run(service, "c")).contains("breakpoint 2:").contains("lost (");
          assertThat(Debugged.run(service, "info breakpoints")).doesNotContain("error");
        });
  }

  @Test
  void outerFramesHaveWhatNoFunctionKeeps() {
    var program = CProgram.compile(folder, "entry", SOURCE, "-g", "-O2");
    Debugged.with(
        program,
        (service, _) -> {
          Debugged.run(service, "tb lost");
          Debugged.run(service, "c");
          var flags = Debugged.run(service, "output $eflags");
          var vector = Debugged.run(service, "output $xmm1");
          assertThat(Debugged.run(service, "output gone@entry + kept@entry")).isEqualTo("13");
          assertThat(Debugged.run(service, "output sink@entry")).contains("only for function par");
          assertThat(Debugged.run(service, "up")).contains("outer (");
          assertThat(Debugged.run(service, "output $eflags")).isEqualTo(flags).startsWith("[ ");
          assertThat(Debugged.run(service, "output $xmm1")).isEqualTo(vector).contains("uint128");
          assertThat(Debugged.run(service, "output x@entry")).isEqualTo("5");
          assertThat(Debugged.run(service, "set print entry-values none")).contains("if-needed");
        });
  }
}
