// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Breakpoints typed at a process. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class ProcessStopsTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      volatile long turns;
      __attribute__((noinline)) void turn(long n) { turns = n; }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (long n = 0;; n++) {
          turn(n);
          usleep(1000);
        }
      }
      """;

  @Test
  void countedHitsConditionsAndStepsOut(@TempDir Path folder) {
    var program = CProgram.compile(folder, "turner", SOURCE, "-O0", "-g");
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session =
          Session.attach(
              "pid:" + subject.pid(),
              AttachOptions.DEFAULT,
              new KernelOptions(Optional.empty(), true, Progress.NONE))) {
        var service = StandardCommands.over(session);
        service.environment().settings().writable(true);
        run(service, "::stop");
        assertThat(run(service, "::bp -n 5 turn")).isEqualTo("breakpoint 1 at turn\n");
        // A process has threads, and no CPUs.
        assertThat(run(service, ":c"))
            .startsWith("breakpoint 1: turner/" + subject.pid() + "\n#0 ")
            .contains("turner.c:4");
        assertThat(session.control().breakpoint(1).hits()).isEqualTo(5);
        assertThat(run(service, "::step out")).contains("in main ()");
        run(service, ":z");
        // What a condition names is looked for when it is set.
        assertThat(run(service, "b turn if m == 1")).contains("unknown symbol 'm'");
        assertThat(run(service, "::bp -i 'n == nowhere' turn"))
            .contains("unknown symbol 'nowhere'");
        assertThat(session.control().breakpoints()).isEmpty();
        assertThat(run(service, "b turn if n == turns + 1 && pid != 1 && comm != \"x\""))
            .contains("turn");
        int id = session.control().breakpoints().getFirst().id();
        assertThat(run(service, "condition " + id + " n == turner"))
            .contains("unknown symbol 'turner'");
        assertThat(run(service, "c")).contains("breakpoint " + id + ": turner/");
        run(service, ":z");
        run(service, "b turn if $rdi % 100 == 42");
        assertThat(run(service, "c")).containsPattern("breakpoint [0-9]+: turner/");
        assertThat(run(service, "p $rdi % 100")).isEqualTo("$1 = 42\n");
        run(service, ":z");
      }
      assertThat(subject.status("TracerPid")).isEqualTo("0");
      assertThat(subject.status("State")).doesNotStartWith("t").doesNotStartWith("T");
    }
  }

  /** There is nothing else to tell of it, and no other program has come. */
  @Test
  void whatHasEndedKeepsItsNames(@TempDir Path folder) {
    var source =
        """
        struct pair { int x, y; } pair = {3, 4};
        int main(void) { return pair.x + pair.y; }
        """;
    var program = CProgram.compile(folder, "ender", source, "-O0", "-g");
    try (var session =
        Session.attach(
            "run:" + program.file(),
            AttachOptions.DEFAULT,
            new KernelOptions(Optional.empty(), true, Progress.NONE))) {
      var service = StandardCommands.over(session);
      run(service, "set print pretty off");
      run(service, "b main");
      assertThat(run(service, "c")).contains("in main () at ");
      assertThat(run(service, "c")).isEqualTo("the target ended with status 7\n");
      for (int i = 0; i < 2; i++) {
        assertThat(run(service, "info line main")).startsWith("line 2 of ").contains("<main>");
        assertThat(run(service, "ptype struct pair"))
            .isEqualTo("type = struct pair {\n    int x;\n    int y;\n}\n");
        assertThat(run(service, "whatis pair")).contains("struct pair");
        assertThat(run(service, "p pair"))
            .matches("(\\$[0-9]+ = )?fathom: process [0-9]+ has ended\n");
      }
      assertThat(run(service, "info breakpoints")).contains("at ender.c:2");
    }
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }
}
