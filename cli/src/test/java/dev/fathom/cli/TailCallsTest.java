// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Files;
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

  /** Calls whose function no name tells. */
  private static final String INDIRECT =
      """
      #include <stdio.h>
      #include <unistd.h>
      #define OWN __attribute__((noipa))
      volatile int sink;
      OWN int last(int x) { asm volatile("nop"); sink = x; return x + 1; }
      OWN int behind(int a) { return last(a + 1); }
      OWN int other(int a) { sink = a; return last(a + 1); }
      int (*volatile fp)(int) = behind;
      int (*volatile fq)(int) = other;
      OWN int indirect(int a) { int r = fp(a); sink = r; return r; }
      OWN int kept(int a, int (*f)(int)) { int r = f(a); r += f(a + r); sink = r; return r; }
      OWN int direct(int a, int (*f)(int)) { int r = f(a); r += f(a + r); sink = r; return r; }
      OWN int may(int a) { if (a > 100) return fq(a); return last(a + 1); }
      OWN int half(int a) { int r = may(a); sink = r; return r; }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          indirect(5);
          kept(6, behind);
          direct(7, last);
          half(3);
          usleep(1000);
        }
      }
      """;

  /** Functions that are called the same in part, and others of another unit. */
  private static final String ALIKE =
      """
      #include <stdio.h>
      #include <unistd.h>
      #define OWN __attribute__((noipa))
      volatile int sink;
      OWN int last(int x) { asm volatile("nop"); sink = x; return x + 1; }
      namespace far { int away(int x); }
      int away(long x) { return x; }
      struct B { int n; OWN int close(int x) { int r = last(x); sink = r; return r + n; } };
      struct A { B b; OWN int close(int x) { return b.close(x + 1); } };
      A a;
      OWN int methods(int x) { int r = a.close(x); sink = r; return r; }
      int leave(int x);
      OWN static int step(int x) { sink = x; return leave(x + 1); }
      OWN int statics(int x) { int r = step(x); sink = r; return r; }
      OWN static int gone(int x) { sink = x; return far::away(x + 1); }
      OWN int spaces(int x) { int r = gone(x); sink = r; return r; }
      OWN int ping(int x);
      OWN int pong(int x) { sink = x; return ping(x + 1); }
      OWN int ping(int x) {
        sink = x;
        if (x > 7) { int r = last(x); sink = r; return r; }
        return pong(x + 1);
      }
      OWN int again(int x) { int r = ping(x + 10); sink = r; return r; }
      int main() {
        puts("ready");
        fflush(stdout);
        for (;;) {
          methods(5);
          statics(6);
          spaces(7);
          again(8);
          usleep(1000);
        }
      }
      """;

  private static final String ELSEWHERE =
      """
      #define OWN __attribute__((noipa))
      extern volatile int sink;
      int last(int x);
      OWN static int step(int x) { int r = last(x); sink = r; return r; }
      OWN int leave(int x) { sink = x; return step(x + 1); }
      OWN static int ends(int x) { int r = last(x); sink = r; return r; }
      namespace far {
      OWN int away(int x) { sink = x; return ends(x + 1); }
      OWN int away(char *x) { sink = *x; return ends(*x); }
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
    compare(program, CALLERS);
    Debugged.with(
        program,
        (service, _) -> {
          Debugged.run(service, "tb third");
          Debugged.run(service, "c");
          Debugged.run(service, "tb last");
          assertThat(Debugged.run(service, "c")).contains("last (x=x@entry=17)");
          assertThat(Debugged.run(service, "up")).contains("#1 ", "third (x=x@entry=16)");
          assertThat(Debugged.run(service, "output x")).isEqualTo("16");
          assertThat(Debugged.run(service, "finish")).contains("#0 ", " in first (x=x@entry=5)");
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"-gdwarf-5", "-gdwarf-4"})
  void whatIsCalledThroughPointersIsSureOrNotShown(String format) throws IOException {
    var program = CProgram.compile(folder, "indirect", INDIRECT, "-g", format, "-O2", "-no-pie");
    compare(program, List.of("indirect", "kept", "direct", "half"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-gdwarf-5", "-gdwarf-4"})
  void functionsThatAreCalledAlikeAreNotTheSame(String format) throws IOException {
    var other = folder.resolve("elsewhere.cc");
    Files.writeString(other, ELSEWHERE);
    var program =
        CProgram.compileWith(
            "g++", folder, "alike", ALIKE, "-g", format, "-O2", "-no-pie", other.toString());
    compare(program, List.of("methods", "statics", "spaces", "again"));
  }

  /** What stands above {@code last} in each of some functions, here and in gdb. */
  private void compare(CProgram program, List<String> callers) {
    var commands = new ArrayList<>(List.of("gdb", "-batch", "-nx"));
    commands.addAll(List.of("-ex", "set width 0", "-ex", "break main", "-ex", "run"));
    for (var caller : callers) {
      commands.addAll(List.of("-ex", "tbreak " + caller, "-ex", "continue"));
      commands.addAll(List.of("-ex", "tbreak last", "-ex", "continue"));
      commands.addAll(List.of("-ex", "echo @@\\n", "-ex", "bt"));
    }
    commands.add(program.file().toString());
    var theirs = CProgram.run(folder, commands).split("@@\n");
    Debugged.with(
        program,
        (service, _) -> {
          for (int i = 0; i < callers.size(); i++) {
            Debugged.run(service, "tb " + callers.get(i));
            Debugged.run(service, "c");
            Debugged.run(service, "tb last");
            Debugged.run(service, "c");
            assertThat(frames(Debugged.run(service, "bt")))
                .as(callers.get(i))
                .isEqualTo(frames(theirs[i + 1]));
          }
        });
  }
}
