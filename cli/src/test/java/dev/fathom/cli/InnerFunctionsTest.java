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
        service.environment().settings().writable(true);
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

  private static final String METHODS =
      """
      #include <stdio.h>
      #include <string>
      #include <unistd.h>
      #define OWN __attribute__((noinline, used))
      int value = 1, hidden = 2;
      OWN int over(int a) { return a; }
      OWN int counted(int n) { static int total = 5; static int list[2] = {1, 2}; return total += n + list[1]; }
      OWN std::string text(int n) { return std::string(n, 'x'); }
      std::string word = "old";
      OWN int length(const std::string &s) { return s.size(); }
      namespace geo {
      struct Base {
        int value = 11;
        static int shared;
        enum Size { SMALL = 4 };
        OWN int twice(int a) { return a * 2; }
      };
      int Base::shared = 12;
      struct Form : Base {
        enum class Ink { RED = 3, BLUE };
        int value = 14, x = 13;
        static constexpr int limit = 6;
        Ink ink = Ink::BLUE;
        Size size = SMALL;
        OWN int sum() { static int calls = 3; return calls + x; }
        OWN int over(int a) { return a + 100; }
        OWN int over(double a) { return (int) a + 200; }
        OWN static int of(int a) { return a + 300; }
        OWN static int fixed(int hidden) { return hidden + of(1) + limit; }
        OWN int run(int hidden) {
          int inner = hidden + sum() + over(1) + over(2.5) + of(1) + fixed(2) + twice(1);
          return inner + Base::value + (int) size;
        }
      };
      }
      geo::Form form;
      int main() {
        puts("ready");
        fflush(stdout);
        for (;;) {
          form.run(3 + over(0) + 0 * counted(0) + length(text(2)));
          usleep(1000);
        }
      }
      """;

  @ParameterizedTest
  @ValueSource(strings = {"g++", "clang++"})
  void namesInMethods(String compiler) {
    var program =
        CProgram.compileWith(
            compiler,
            directory,
            "methods",
            METHODS,
            "-xc++",
            "-g",
            "-O0",
            "-std=c++17",
            compiler.equals("g++") ? "-g" : "-fstandalone-debug");
    assertThat(
            run(
                program,
                "tb geo::Form::run",
                "c",
                "p sum()",
                "p over(1) + over(2.5)",
                "p (::over(1))",
                "p of(1)",
                "p twice(4) + Form::twice(5)",
                "p Base::value + Form::x",
                "p value",
                "p geo::Base::value",
                "p shared",
                "p SMALL",
                "p Ink::RED",
                "p Form::Ink::BLUE",
                "p hidden",
                "p limit"))
        .contains("$1 = 16\n$2 = 303\n$3 = 1\n$4 = 301\n$5 = 18\n$6 = 24\n$7 = 14\n$8 = 11\n")
        .contains("$9 = 12\n$10 = geo::Base::SMALL\n$11 = geo::Form::Ink::RED\n")
        .contains("$12 = geo::Form::Ink::BLUE\n$13 = 5\n$14 = 6\n");
    assertThat(
            run(program, "tb geo::Form::fixed", "c", "p of(2)", "p SMALL", "p limit", "p hidden"))
        .contains("$1 = 302\n$2 = geo::Base::SMALL\n$3 = 6\n$4 = 2\n");
    assertThat(
            run(
                program,
                "tb usleep",
                "c",
                "p counted::list[1]",
                "p counted(int)::total > 5",
                "p geo::Form::sum()::calls",
                "p text(5)",
                "p length(word)",
                "p length(\"abc\")",
                "p word = \"new\"",
                "p word",
                "p hidden"))
        .contains("$1 = 2\n$2 = 1\n$3 = 3\n$4 = \"xxxxx\"\n$5 = 3\n")
        .contains(
            "a 'const std::string &' cannot refer to a 'char [4]': constructors and operators")
        .contains("'char [4]' cannot be assigned to 'std::string': constructors and operators")
        .contains("$6 = \"old\"\n$7 = 2\n");
  }

  private static final String INHERITED =
      """
      #include <stdio.h>
      #include <stdlib.h>
      #include <unistd.h>
      #define OWN __attribute__((noinline, used))
      OWN int plain(int a) { return a + 1; }
      OWN int kept(int a) { return a + 2; }
      OWN int other(int a) { return a + 3; }
      OWN int back(int a) { return a + 4; }
      struct Root { OWN static int kept(int a) { return a + 500; } };
      struct Base : Root {
        int (*back)(int) = ::back;
        OWN long labs(long a) { return a + 100; }
        OWN int plain(int a) { return a + 200; }
        OWN int local(int a) { return a + 300; }
        OWN int held(int a) { return a + 400; }
        OWN int fixed(int a) { return a + 600; }
      };
      struct Derived : Base {
        int (*held)(int) = other;
        static int (*shared)(int);
        OWN int back(int a) { return a + 700; }
        OWN static int of(int a) { return a + kept(1); }
        OWN int shown(int (*local)(int)) { return local(1) + (int) ::labs(-3) + back(1); }
        OWN int run(int n) {
          auto lambda = [this, n](int a) { return a + plain(n); };
          return shown(other) + of(n) + lambda(2) + held(1) + fixed(1) + Base::back(1);
        }
      };
      int (*Derived::shared)(int) = other;
      struct ADerived { OWN int plain(int a) { return a + 800; } };
      Derived object;
      ADerived alike;
      int main() {
        puts("ready");
        fflush(stdout);
        for (;;) {
          object.run(3 + plain(1) + kept(1) + 0 * alike.plain(1));
          usleep(1000);
        }
      }
      """;

  @ParameterizedTest
  @ValueSource(strings = {"g++", "clang++"})
  void methodsHideWhatIsOutsideOfTheClass(String compiler) {
    var program =
        CProgram.compileWith(
            compiler, directory, "inherited", INHERITED, "-xc++", "-g", "-O0", "-std=c++17");
    assertThat(
            run(
                program,
                "tb Derived::shown",
                "c",
                "p labs(5) * 10 + this->labs(5)",
                "p plain(1)",
                "p (::plain(1) + (int)::labs(-5))",
                "p local(1)",
                "p held(1)",
                "p back(1)",
                "p kept(1)",
                "p shared(1)"))
        .contains("$1 = 1155\n$2 = 201\n$3 = 7\n$4 = 4\n$5 = 4\n$6 = 701\n$7 = 501\n$8 = 4\n");
    assertThat(run(program, "tb Derived::of", "c", "p kept(1)", "p (::kept(1))", "p shared(1)"))
        .contains("$1 = 501\n$2 = 3\n$3 = 4\n");
    assertThat(
            run(
                program,
                "tb Base::plain",
                "c",
                "up",
                "p n",
                "p (::plain(n))",
                "p a",
                "p plain(1)",
                "p Base::plain(n)"))
        .contains("$1 = 8\n$2 = 9\n$3 = 2\n$4 = 201\n$5 = 208\n");
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
