// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
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

/** Breakpoints at functions of C++, by the names that they have there. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class ScopedBreakpointTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      namespace geo { struct Circle { int twice(int r) { return 2 * r; } }; }
      template <class T> T larger(T a, T b) { return a > b ? a : b; }
      int over(int a) { return a; }
      int over(double a) { return (int) a + 1; }
      int main() {
        puts("ready");
        fflush(stdout);
        geo::Circle circle;
        for (;;) {
          usleep(100 + circle.twice(7) + larger(3, 4) + over(1) + over(2.5));
        }
      }
      """;

  @TempDir private Path directory;

  @Test
  void qualifiedNamesTemplatesAndOverloads() {
    var program = CProgram.compile(directory, "scoped", SOURCE, "-x", "c++", "-O0", "-g");
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = Session.attach("pid:" + subject.pid(), AttachOptions.DEFAULT, options)) {
        run(session, "::stop");
        stopsAt(session, "b geo::Circle::twice", "geo::Circle::twice (this=");
        stopsAt(session, "b 'geo::Circle::twice'", "r=7)");
        stopsAt(session, "b larger<int>", "larger<int> (a=3, b=4)");
        stopsAt(session, "tb over(double)", "over (a=2.5)");
        // mdb's stops at the entry.
        stopsAt(session, "::bp larger<int>", "in larger<int> (");
        assertThat(run(session, "b geo::Circle::thrice"))
            .contains("unknown function 'geo::Circle::thrice'");
      }
    }
  }

  private static void stopsAt(Session session, String line, String place) {
    assertThat(run(session, line)).contains("breakpoint ").doesNotContain("warning");
    assertThat(run(session, "c")).contains(place);
    run(session, "delete");
  }

  private static String run(Session session, String line) {
    var out = new StringWriter();
    StandardCommands.over(session)
        .run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }
}
