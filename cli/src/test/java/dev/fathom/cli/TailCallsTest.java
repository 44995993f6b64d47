// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames of functions that left the stack to the one that they called last, beside gdb. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class TailCallsTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      #define OWN __attribute__((noinline, noclone))
      volatile int sink;
      OWN int last(int x) {
        asm volatile("nop");
        sink = x;
        return x + 1;
      }
      OWN int third(int x) { sink = x; return last(x + 1); }
      OWN int second(int x) { sink = x; return third(x * 2); }
      OWN int first(int x) { int r = second(x + 3); sink = r; return r; }
      OWN int one(int x) { sink = 1; return last(x); }
      OWN int two(int x) { sink = 2; return last(x + 1); }
      OWN int either(int x) { if (x & 1) return one(x); return two(x); }
      OWN int unsure(int x) { int r = either(x); sink = r; return r; }
      OWN int begins(int x) { sink = 5; return either(x); }
      OWN int partly(int x) { int r = begins(x); sink = r; return r; }
      OWN int round(int x) { sink = x; if (x > 100) return last(x); return round(x + sink + 60); }
      OWN int cycle(int x) { int r = round(x); sink = r; return r; }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          sink = first(5);
          sink = unsure(1);
          sink = partly(2);
          sink = cycle(3);
          usleep(1000);
        }
      }
      """;

  private static final List<String> CALLERS = List.of("first", "unsure", "partly", "cycle");

  @TempDir Path folder;

  private static String frames(String backtrace) {
    return backtrace
        .lines()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceAll("0x[0-9a-f]+ in ", "").replaceAll(" at .*", ""))
        .takeWhile(line -> !line.contains(" in main") && !line.contains(" main "))
        .collect(Collectors.joining("\n"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-gdwarf-5", "-gdwarf-4"})
  void areThoseOfGdb(String format) throws IOException {
    var program = CProgram.compile(folder, "tail", SOURCE, "-g", format, "-O2", "-fno-ipa-icf");
    var commands = new ArrayList<>(List.of("gdb", "-batch", "-nx"));
    commands.addAll(List.of("-ex", "set width 0", "-ex", "break main", "-ex", "run"));
    for (var caller : CALLERS) {
      commands.addAll(List.of("-ex", "tbreak " + caller, "-ex", "continue"));
      commands.addAll(List.of("-ex", "tbreak last", "-ex", "continue"));
      commands.addAll(List.of("-ex", "echo @@\\n", "-ex", "bt"));
    }
    commands.add(program.file().toString());
    var theirs = CProgram.run(folder, commands).split("@@\n");
    Debugged.with(
        program,
        (service, _) -> {
          for (int i = 0; i < CALLERS.size(); i++) {
            Debugged.run(service, "tb " + CALLERS.get(i));
            Debugged.run(service, "c");
            Debugged.run(service, "tb last");
            Debugged.run(service, "c");
            assertThat(frames(Debugged.run(service, "bt")))
                .as(CALLERS.get(i))
                .isEqualTo(frames(theirs[i + 1]));
          }
          Debugged.run(service, "tb third");
          Debugged.run(service, "c");
          Debugged.run(service, "tb last");
          assertThat(Debugged.run(service, "c")).contains("last (x=x@entry=17)");
          assertThat(Debugged.run(service, "up")).contains("#1 ", "third (x=x@entry=16)");
          assertThat(Debugged.run(service, "output x")).isEqualTo("16");
          assertThat(Debugged.run(service, "finish")).contains("#0 ", " in first (x=x@entry=5)");
        });
  }
}
