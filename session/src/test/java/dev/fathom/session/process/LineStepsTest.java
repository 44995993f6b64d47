// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.LineSteps;
import dev.fathom.session.control.LineSteps.How;
import dev.fathom.session.control.Steps;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Breakpoints and steps by lines of the source in a process, beside those of gdb. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class LineStepsTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      extern volatile int sink;
      static inline __attribute__((always_inline)) int twice(int v) {
        int w = v * 2;
        sink = w; /* inlined */
        return w;
      }
      int add(int a, int b) {

        int sum = a + b; /* body */
        return sum;
      }
      int recursive(int n) {
        if (n > 0)
          n = recursive(n - 1) + 1; /* recursion */
        return n;
      }
      int tail(int a) {
        return add(a, 7);
      }
      volatile int sink;
      int work(int round) {
        int total = round; /* begin */
        for (int i = 0; i < 2; i++) {
          total = add(total, i) + 1;
          total += twice(i); /* call */
          add(total, 1);
        } /* loop */
        total = tail(total); /* behind */
        total += recursive(2); total += add(1, 2);
        total += twice(total);
        return total;
      }
      int main(int argc, char **argv) {
        puts("ready");
        fflush(stdout);
        for (int round = 0;; round++) {
          work(round);
          usleep(100);
        }
      }
      """;

  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  private static final Pattern GDB_LINE = Pattern.compile("(?m)^(\\d+)\\t");

  @TempDir static Path directory;
  private static CProgram plain;
  private static CProgram optimised;

  @BeforeAll
  static void compile() {
    plain = CProgram.compile(directory, "plain", SOURCE, "-O0", "-g");
    optimised = CProgram.compile(directory, "optimised", SOURCE, "-O2", "-g", "-fno-inline");
  }

  private static int line(String marked) {
    return (int) SOURCE.substring(0, SOURCE.indexOf(marked)).lines().count();
  }

  /** Something to do with a process that stands at the beginning of {@code work}. */
  private interface Body {
    void run(Session session, int cpu);
  }

  private static void at(CProgram program, String name, Body body) {
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = Session.attach("pid:" + subject.pid(), AttachOptions.DEFAULT, OPTIONS)) {
        session.begin();
        session.control().stop();
        var breakpoint = add(session, name + ".c", line("/* begin */"));
        var event = session.control().proceed();
        assertThat(event.cause()).isEqualTo(new StopEvent.AtBreakpoint(List.of(breakpoint)));
        session.control().delete(breakpoint);
        body.run(session, event.cpu().orElseThrow());
        session.end();
      }
    }
  }

  private static Breakpoint add(Session session, String file, int line) {
    return session
        .control()
        .add(
            new Breakpoint.Line(file, line, file + ":" + line),
            Breakpoints.Kind.SOFTWARE,
            1,
            Optional.empty());
  }

  private static int lineAt(Session session, StopEvent event) {
    return session.sources().line(event.pc().orElseThrow()).orElseThrow().line();
  }

  private static List<Integer> steps(How how, int count) {
    var lines = new ArrayList<Integer>();
    at(
        plain,
        "plain",
        (session, cpu) -> {
          for (int i = 0; i < count; i++) {
            var event = new LineSteps(session).step(cpu, how).orElseThrow();
            assertThat(event.cause()).isEqualTo(new StopEvent.Stepped());
            lines.add(lineAt(session, event));
          }
        });
    return lines;
  }

  private static List<Integer> gdb(String command, int count) {
    var words =
        new ArrayList<>(
            List.of("gdb", "-batch", "-nx", "-iex", "set debuginfod enabled off", "-ex"));
    words.add("break plain.c:" + line("/* begin */"));
    words.addAll(List.of("-ex", "run"));
    for (int i = 0; i < count; i++) {
      words.addAll(List.of("-ex", command));
    }
    words.add(plain.file().toString());
    var lines = new ArrayList<Integer>();
    var matcher = GDB_LINE.matcher(CProgram.run(directory, words));
    while (matcher.find()) {
      lines.add(Integer.parseInt(matcher.group(1)));
    }
    return lines.subList(1, lines.size()); // where it began
  }

  /** gdb stops once more at the call of an inlined function, where nothing is done yet. */
  @Test
  void stepsGoWhereThoseOfGdbGo() {
    int count = 42; // till the return of the first recursive call, where gdb's end in its line
    var theirs = new ArrayList<Integer>();
    int call = line("/* call */");
    int inlined = line("/* inlined */") - 1;
    int before = 0;
    for (int at : gdb("step", count)) {
      if (at == inlined && before == call) {
        theirs.removeLast();
      }
      theirs.add(at);
      before = at;
    }
    assertThat(theirs).hasSizeGreaterThan(35);
    assertThat(steps(How.INTO, theirs.size())).isEqualTo(theirs);
  }

  @Test
  void stepsOverCallsGoWhereThoseOfGdbGo() {
    int count = 14;
    assertThat(steps(How.OVER, count)).isEqualTo(gdb("next", count));
  }

  @Test
  void stepsForwardLeaveALoopAsThoseOfGdbDo() {
    int count = 11;
    assertThat(steps(How.FORWARD, count)).isEqualTo(gdb("until", count));
  }

  @Test
  void aLineIsStoppedAtWhereverItWasInlined() {
    at(
        optimised,
        "optimised",
        (session, _) -> {
          var inlined = add(session, "optimised.c", line("/* inlined */"));
          assertThat(inlined.addresses()).hasSizeGreaterThan(1);
          var places = new ArrayList<Long>();
          for (int i = 0; i < 4; i++) {
            var event = session.control().proceed();
            assertThat(event.cause()).isEqualTo(new StopEvent.AtBreakpoint(List.of(inlined)));
            places.add(event.pc().orElseThrow());
          }
          assertThat(inlined.addresses()).containsAll(places);
          assertThat(places.stream().distinct().count()).isGreaterThan(1);
        });
  }

  /** In optimised code, too, a step over calls does not end in what was inlined. */
  @Test
  void aStepOverCallsPassesOverWhatWasInlined() {
    at(
        optimised,
        "optimised",
        (session, cpu) -> {
          for (int i = 0; i < 10; i++) {
            var event = new LineSteps(session).step(cpu, How.OVER).orElseThrow();
            assertThat(event.cause()).isEqualTo(new StopEvent.Stepped());
            assertThat(session.sources().activations(event.pc().orElseThrow())).hasSize(1);
          }
        });
  }

  @Test
  void aLineWithoutCodeStandsForTheNextOne() {
    at(
        plain,
        "plain",
        (session, _) -> {
          var empty = add(session, "plain.c", line("/* body */") - 1);
          assertThat(lineAt(session, session.control().proceed())).isEqualTo(line("/* body */"));
          session.control().delete(empty);
        });
  }

  @Test
  void runsUntilAnOuterFunctionReturns() {
    at(
        plain,
        "plain",
        (session, cpu) -> {
          var body = add(session, "plain.c", line("/* body */"));
          assertThat(session.control().proceed().cause())
              .isEqualTo(new StopEvent.AtBreakpoint(List.of(body)));
          session.control().delete(body);
          var event = new Steps(session).out(cpu, 1);
          assertThat(event.cause()).isEqualTo(new StopEvent.Stepped());
          assertThat(session.sources().activations(event.pc().orElseThrow()).getFirst().function())
              .isEqualTo("main");
        });
  }

  @Test
  void toAPlaceOnlyAsLongAsTheFunctionIsThere() {
    at(
        plain,
        "plain",
        (session, cpu) -> {
          var behind = session.control().addresses(place(line("/* behind */")));
          var there = new Steps(session).untilOrOut(cpu, behind, 0);
          assertThat(lineAt(session, there)).isEqualTo(line("/* behind */"));
          // The loop is behind it: the function returns first.
          var begin = session.control().addresses(place(line("/* begin */")));
          var back = new Steps(session).untilOrOut(cpu, begin, 0);
          assertThat(session.sources().activations(back.pc().orElseThrow()).getFirst().function())
              .isEqualTo("main");
        });
  }

  private static Breakpoint.Line place(int line) {
    return new Breakpoint.Line("plain.c", line, "plain.c:" + line);
  }
}
