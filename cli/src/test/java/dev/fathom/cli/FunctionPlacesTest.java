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
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * All places that the name of a function means: of other files, of overloads, of inlined copies.
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class FunctionPlacesTest {
  private static final String OTHER =
      """
      static int state = 1;
      static __attribute__((noinline)) int helper(int a) {
        return a + state;
      }
      static inline __attribute__((always_inline)) int tiny(int a) {
        int t = a * 3;
        state += t;
        return t ^ state;
      }
      __attribute__((noinline)) int one(int q) {
        return helper(q) + tiny(q);
      }
      __attribute__((noinline)) int two(int q) {
        return tiny(q + 2) - state;
      }
      """;

  private static final String MAIN =
      """
      #include <stdio.h>
      #include <unistd.h>
      static int state = 2;
      extern int one(int), two(int);
      static __attribute__((noinline)) int helper(long a) {
        return a * state;
      }
      static __attribute__((noinline)) int scaled(int a, int k) {
        state += a * k;
        return state % k;
      }
      __attribute__((noinline)) int many(int n, long b, const char *c, double d) {
        int all[n];
        all[0] = n + b;
        all[n - 1] = all[0] + c[0];
        return all[n - 1] + d;
      }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          int r = helper(2) + one(3) + two(4);
          state = many(5, 6, "seven", 8.5) + scaled(r, 3);
          state ^= scaled(state, 3);
          usleep(1000);
        }
      }
      """;

  private static final String METHODS =
      """
      #include <cstdio>
      #include <unistd.h>
      #define OWN __attribute__((noinline, used))
      namespace geo {
        struct Circle {
          int r;
          OWN int grown(int by, double at) { return r + by + (int) at; }
        };
        template <class T> OWN T twice(T v) { return v + v; }
      }
      OWN int over(int a) { return a + 1; }
      OWN int over(double a) { return (int) a + 2; }
      OWN int over(const char *a) { return a[0]; }
      int main() {
        puts("ready");
        fflush(stdout);
        geo::Circle c{3};
        for (;;) {
          int r = c.grown(4, 5.5) + over(1) + over(2.5) + over("x");
          usleep(1000 + r + geo::twice(1) + (int) geo::twice(2.5));
        }
      }
      """;

  @TempDir private Path directory;

  private CProgram program(String compiler, String level) {
    var other = directory.resolve("other.c");
    try {
      Files.writeString(other, OTHER);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return CProgram.compileWith(
        compiler, directory, "main" + level, MAIN, "-g", level, other.toString());
  }

  private CProgram methods(String compiler, String level) {
    return CProgram.compileWith(
        compiler,
        directory,
        "methods" + level,
        METHODS,
        "-x",
        "c++",
        "-g",
        level,
        "-Wl,--no-as-needed",
        "-lstdc++");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O2"})
  void oneNumberForAllFunctionsOfAName(String level) {
    in(
        program("gcc", level),
        (service, _) -> {
          assertThat(run(service, "b helper")).contains("breakpoint 1 at helper (2 places)");
          assertThat(run(service, "info breakpoints"))
              .containsPattern("1\\.1 .* helper at \\w+[-\\w]*\\.c:\\d")
              .containsPattern("1\\.2 .* helper at \\w+[-\\w]*\\.c:\\d")
              .contains("other.c:")
              .contains("main" + level + ".c:");
          var seen = run(service, "c") + run(service, "c");
          assertThat(seen)
              .containsPattern("helper \\(a=(a@entry=)?2\\)")
              .containsPattern("helper \\(a=(a@entry=)?3\\)");
          run(service, "disable 1");
          run(service, "tb many");
          assertThat(run(service, "c")).containsPattern("many \\(n=(n@entry=)?5");
          run(service, "delete");
          assertThat(run(service, "info breakpoints")).contains("no breakpoints");
          if (level.equals("-O0")) {
            // In an expression it is that of the file where the thread stands.
            assertThat(run(service, "ptype helper")).contains("int (long int a)");
            run(service, "tb one");
            run(service, "c");
            assertThat(run(service, "ptype helper")).contains("int (int a)");
          }
          // A condition counts at each of the places.
          run(service, "b helper if a == 3");
          assertThat(run(service, "c")).containsPattern("helper \\(a=(a@entry=)?3\\)");
          assertThat(run(service, "c")).containsPattern("helper \\(a=(a@entry=)?3\\)");
          run(service, "delete");
          assertThat(run(service, "b other.c:helper")).doesNotContain("places");
          assertThat(run(service, "c")).containsPattern("helper \\(a=(a@entry=)?3\\)");
          assertThat(run(service, "b other.c:many")).contains("unknown function 'other.c:many'");
          assertThat(run(service, "info line helper").lines().filter(l -> l.startsWith("line ")))
              .hasSize(2);
          assertThat(run(service, "info scope helper")).contains("symbol a of helper");
          assertThat(run(service, "l helper"))
              .contains("other.c:2:")
              .contains("main" + level + ".c:5:")
              .contains("return a * state;")
              .contains("return a + state;");
          assertThat(run(service, "l other.c:helper")).doesNotContain("return a * state;");
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O2"})
  void inlinedCopiesArePlaces(String level) {
    in(
        program("gcc", level),
        (service, _) -> {
          run(service, "tb one");
          run(service, "c");
          assertThat(run(service, "b tiny")).contains("breakpoint 2 at tiny (2 places)");
          assertThat(run(service, "info breakpoints"))
              .containsPattern("tiny at other\\.c:[67] in one")
              .containsPattern("tiny at other\\.c:[67] in two");
          assertThat(run(service, "c")).contains("breakpoint 2:").contains("tiny (a=3)");
          assertThat(run(service, "bt"))
              .containsPattern("#0 .*tiny \\(a=3\\).*\\n#1 .*one \\(q=(q@entry=)?3\\)");
          assertThat(run(service, "c")).contains("breakpoint 2:").contains("tiny (a=6)");
          assertThat(run(service, "bt"))
              .containsPattern("#0 .*tiny \\(a=6\\).*\\n#1 .*two \\(q=(q@entry=)?4\\)");
          assertThat(run(service, "info scope tiny")).contains("symbol a of tiny");
          // It has no symbol of its own.
          assertThat(run(service, "list tiny")).contains("int t = a * 3;");
          assertThat(run(service, "list other.c:tiny")).contains("int t = a * 3;");
          assertThat(run(service, "info line tiny").lines()).doesNotHaveDuplicates();
        });
  }

  private static final String ON_A_LINE =
      """
      #include <cstdio>
      #include <unistd.h>
      #define OWN __attribute__((noinline))
      struct A { virtual int f(int) = 0; int a = 1; };
      struct B : virtual A { int b = 2; int f(int x) override; };
      OWN int stop(int d) { asm volatile("" : : "r"(d) : "memory"); usleep(1000); return d; }
      int B::f(int x) { return stop(x + b) + b; }
      OWN int over(int a) { return a + 1; } OWN int over(double a) { return (int) a + 2; }
      int main() {
        B b;
        A *volatile p = &b;
        puts("ready");
        fflush(stdout);
        for (;;) p->f(over(1) + over(2.5));
      }
      """;

  @ParameterizedTest
  @ValueSource(strings = {"gcc", "clang"})
  void functionsOfOneLineHaveTheirOwnPartsAndThunksTheirNames(String compiler) {
    var options = new String[] {"-g", "-O2", "-Wl,--no-as-needed", "-lstdc++", "-x", "c++"};
    in(
        CProgram.compileWith(compiler, directory, "line", ON_A_LINE, options),
        (service, _) -> {
          assertThat(run(service, "info line over"))
              .containsPattern("<over\\(int\\)> and ends at \\S+ <over\\(int\\)\\+[0-9a-fx]+>")
              .containsPattern("<over\\(double\\)> and ends at \\S+ <over\\(double\\)\\+");
          run(service, "b stop");
          run(service, "c");
          assertThat(run(service, "bt")).doesNotContain("??");
          if (compiler.equals("clang")) {
            assertThat(run(service, "bt")).contains(" virtual thunk to B::f(int) (");
          }
        });
  }

  @Test
  void whatTheCompilerMadeOfAFunctionIsFoundByItsName() {
    in(
        program("gcc", "-O2"),
        (service, session) -> {
          var symbols = session.kernel().program().symbols();
          assertThat(symbols.named("scaled")).isEmpty();
          assertThat(symbols.completions("scaled.", 5)).isNotEmpty();
          assertThat(run(service, "info line scaled")).containsPattern("line [89] of");
          assertThat(run(service, "info scope scaled")).contains("symbol k of scaled");
          assertThat(run(service, "b scaled")).contains("breakpoint 1 at scaled");
          assertThat(run(service, "c")).contains("breakpoint 1:").contains("scaled (a=");
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O2"})
  void overloadsAndTemplatesAreOneBreakpoint(String level) {
    in(
        methods("gcc", level),
        (service, _) -> {
          assertThat(run(service, "b over")).contains("breakpoint 1 at over (3 places)");
          assertThat(run(service, "b geo::twice")).contains("(2 places)");
          assertThat(run(service, "b twice<double>")).doesNotContain("places");
          assertThat(run(service, "b over(const char *)")).doesNotContain("places");
          assertThat(run(service, "info breakpoints"))
              .contains("over(int) at")
              .contains("over(double) at")
              .contains("over(char const*) at")
              .contains("geo::twice<double>(double)");
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O2"})
  void argumentsAreInPlace(String level) {
    arguments("gcc", level);
  }

  @Tag("lab")
  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O2"})
  void argumentsAreInPlaceOfClangToo(String level) {
    arguments("clang", level);
  }

  private void arguments(String compiler, String level) {
    in(
        program(compiler, level),
        (service, _) -> {
          run(service, "b many");
          run(service, "c");
          assertThat(run(service, "info args"))
              .contains("n = 5")
              .contains("b = 6")
              .contains("\"seven\"")
              .contains("d = 8.5");
        });
    in(
        methods(compiler, level),
        (service, _) -> {
          run(service, "b geo::Circle::grown");
          run(service, "c");
          assertThat(run(service, "info args")).contains("by = 4").contains("at = 5.5");
          assertThat(run(service, "p r")).contains("= 3");
        });
  }

  private static final String NESTED =
      """
      #include <stdio.h>
      #include <unistd.h>
      volatile int turns;
      static inline int inner(int z) {
        int w = z ^ turns;
        turns += w;
        return w * 3;
      }
      static inline int middle(int y) {
        int v = inner(y + 1);
        return v + y;
      }
      __attribute__((noinline)) int outer(int a, int b) {
        int r = middle(a);
        return r + b;
      }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          turns = outer(3, 4);
          usleep(1000);
        }
      }
      """;

  /** Where all three begin at one place, the one is shown that the breakpoint names. */
  @Test
  void theFrameIsThatOfTheFunctionThatIsNamed() {
    var program = CProgram.compile(directory, "nested", NESTED, "-g", "-O2");
    in(
        program,
        (service, _) -> {
          assertThat(run(service, "b outer")).contains("breakpoint 1");
          assertThat(run(service, "c")).contains("outer (a=a@entry=3, b=b@entry=4)");
          assertThat(run(service, "info args")).contains("a = 3").contains("b = 4");
          assertThat(run(service, "p a + b")).contains("= 7");
          run(service, "delete");
          // The condition is about its variables, too.
          run(service, "b outer if a == 3 && b == 4");
          assertThat(run(service, "c")).contains("outer (a=a@entry=3, b=b@entry=4)");
          assertThat(run(service, "bt")).contains("inner (z=4)").contains("middle (y=y@entry=3)");
          run(service, "delete");
          run(service, "b middle");
          assertThat(run(service, "c")).contains("middle (y=y@entry=3)");
          assertThat(run(service, "info args")).contains("y = 3");
          run(service, "delete");
          run(service, "b inner");
          assertThat(run(service, "c")).contains("inner (z=4)");
          assertThat(run(service, "info args")).contains("z = 4");
        });
  }

  private static void in(CProgram program, BiConsumer<CommandService, Session> test) {
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = Session.attach("pid:" + subject.pid(), AttachOptions.DEFAULT, options)) {
        var service = StandardCommands.over(session);
        run(service, "::stop");
        test.accept(service, session);
      }
    }
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }
}
