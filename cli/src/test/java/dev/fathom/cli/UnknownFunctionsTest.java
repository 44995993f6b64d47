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

/** Calls of functions that others choose, and of those that no debug information describes. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class UnknownFunctionsTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      #include <wchar.h>
      volatile int calls;
      static int one(int x) { return x + 1; }
      static int two(int x) { calls++; return x + 2; }
      static int (*choose(void))(int) { return sizeof(long) == 8 ? two : one; }
      int plus(int x) __attribute__((ifunc("choose")));
      int sum(int a, long b) { calls++; return a + b; }
      int count(void) { return calls; }
      double half(double x) { return x / 2; }
      wchar_t wide[] = L"w\\u00f6rd";
      typedef __CHAR16_TYPE__ char16_t;
      const char16_t *narrow = u"n";
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
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
        service.environment().settings().writable(true);
        var out = new StringBuilder();
        for (var line : lines) {
          out.append(run(service, line));
        }
        return out.toString().replace(Long.toString(subject.pid()), "PID");
      }
    }
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  private CProgram compile(boolean stripped) {
    var program = CProgram.compile(directory, "calls", SOURCE, "-g", "-O0");
    if (stripped) {
      CProgram.run(directory, List.of("strip", "--strip-debug", program.file().toString()));
    }
    return program;
  }

  @Test
  void aFunctionThatAnotherChooses() {
    assertThat(run(compile(false), "p plus(40)", "p choose", "p sizeof plus(1)", "p calls"))
        .startsWith("$1 = 42\n$2 = {")
        .endsWith("$3 = 4\n$4 = 1\n");
    assertThat(run(compile(true), "p (int)plus(40)", "p (short)plus(40)"))
        .isEqualTo("$1 = 42\n$2 = 42\n");
    assertThat(run(compile(true), "p plus(40)"))
        .startsWith(
            "fathom: what 'plus' returns is not known: cast the call, as in (int)plus(...)"
                + " (column 1)\n");
  }

  @Test
  void aFunctionOfWhichNothingIsKnown() {
    var program = compile(true);
    assertThat(run(program, "p sum(1, 2)", "p sizeof sum(1, 2)"))
        .contains(
            "what 'sum' returns is not known: cast the call, as in (int)sum(...) (column 1)\n",
            "what 'sum' returns is not known: cast the call, as in (int)sum(...) (column 8)\n");
    assertThat(
            run(
                program,
                "p (int)sum(1, 2)",
                "p (double)half(3.0f)",
                "p ((int (*)(int, long))sum)(-3, 1)",
                "p sizeof((int)sum(1, 2))",
                "p (int)count()"))
        .isEqualTo("$1 = 3\n$2 = 1.5\n$3 = -2\n$4 = 4\n$5 = 2\n");
  }

  /** The C library's own code of assembler tells where a function is, but not what it returns. */
  @Test
  void aFunctionOfTheLibrary() {
    assertThat(run(compile(false), "p (int)getpid()", "p getpid()"))
        .startsWith("$1 = PID\n")
        .contains("what 'getpid' returns is not known: cast the call, as in (int)getpid(...)");
  }

  @Test
  void textOfWideCharacters() {
    assertThat(
            run(
                compile(false),
                "p wide",
                "p *&wide[1]@2",
                "p L\"wide\"",
                "p u\"x\"",
                "p U\"x\"",
                "p u8\"x\"",
                "p narrow",
                "p/x (unsigned char[])wide[0]"))
        .matches(
            """
            \\$1 = L"w\u00f6rd"
            \\$2 = L"\u00f6r"
            \\$3 = L"wide"
            \\$4 = u"x"
            \\$5 = U"x"
            \\$6 = "x"
            \\$7 = 0x\\w+ u"n"
            \\$8 = \\{0x77, 0x0, 0x0, 0x0}
            """);
  }
}
