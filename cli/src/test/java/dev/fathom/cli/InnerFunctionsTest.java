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
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Functions within functions: their lines, arguments and locals, as gdb has them. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class InnerFunctionsTest {
  private static final String CXX =
      """
      #include <stdio.h>
      #include <unistd.h>
      namespace geo {
      volatile int sink;
      int run(int n) {
        struct Local {
          int k;
          int twice(int x) {
            int y = x * 2;
            return y + k;
          }
        };
        auto lambda = [n](int a) {
          int b = a + n;
          sink = b;
          return b;
        };
        Local l{n};
        return lambda(4) + l.twice(5);
      }
      }
      int main() {
        puts("ready");
        fflush(stdout);
        for (;;) {
          geo::run(3);
          usleep(1000);
        }
      }
      """;

  private static final String C =
      """
      #include <stdio.h>
      #include <unistd.h>
      volatile int sink;
      int outer(int n) {
        int total = n;
        int add(int k) {
          int here = k + 1;
          sink = here;
          return total += here;
        }
        return add(41);
      }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          outer(3);
          usleep(1000);
        }
      }
      """;

  @TempDir private Path directory;

  private static String run(CProgram program, String... lines) {
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    var attach =
        new AttachOptions(true, Optional.empty(), Optional.empty(), Duration.ofSeconds(10));
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = Session.attach("pid:" + subject.pid(), attach, options)) {
        var service = StandardCommands.over(session);
        var out = new StringBuilder();
        for (var line : lines) {
          out.append(run(service, line));
        }
        return out.toString();
      }
    }
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"g++", "clang++"})
  void lambdasAndMethodsOfLocalClasses(String compiler) {
    var program =
        CProgram.compileWith(compiler, directory, "inner", CXX, "-xc++", "-g", "-O0", "-std=c++17");
    assertThat(run(program, "tb inner.c:15", "c", "bt", "info locals", "p a"))
        .containsPattern("#0  0x\\w+ in operator\\(\\) \\(\\w+=0x\\w+, a=4\\) at \\S+inner.c:15\n")
        .containsPattern("#1  0x\\w+ in geo::run \\(n=3\\) at \\S+inner.c:19\n")
        .contains("b = 7\n")
        .endsWith("$1 = 4\n");
    assertThat(
            run(program, "tb inner.c:10", "c", "bt", "info locals", "p k", "info scope inner.c:10"))
        .containsPattern("#0  0x\\w+ in Local::twice \\(this=0x\\w+, x=5\\) at \\S+inner.c:10\n")
        .contains("y = 10\n", "$1 = 3\n", " y of Local::twice ");
  }

  @Test
  void nestedFunctionsOfGnuC() {
    var program = CProgram.compile(directory, "nested", C, "-g", "-O0");
    assertThat(run(program, "tb nested.c:8", "c", "bt", "info locals"))
        .containsPattern("#0  0x\\w+ in add \\(k=41\\) at \\S+nested.c:8\n")
        .containsPattern("#1  0x\\w+ in outer \\(n=3\\) at \\S+nested.c:11\n")
        .contains("here = 42\n");
  }
}
