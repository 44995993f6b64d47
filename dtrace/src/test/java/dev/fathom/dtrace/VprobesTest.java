// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FathomException;
import dev.fathom.base.ProgramException;
import dev.fathom.dtrace.compile.Compiler;
import dev.fathom.dtrace.compile.Environment;
import dev.fathom.dtrace.compile.Input;
import dev.fathom.dtrace.stop.ClockEngine;
import dev.fathom.dtrace.syntax.Macros;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** VProbes scripts in both syntaxes: what they become, what they do, what is refused. */
class VprobesTest {
  private static final Macros NONE = new Macros(List.of("test"), Map.of(), false);

  private static Compiler.Compiled compile(String file, String text) {
    try (var engine = new ClockEngine()) {
      return Compiler.compile(
          Environment.of(engine, Optional.empty(), NONE, Map.of()),
          List.of(),
          List.of(Input.script(file, text)));
    }
  }

  private static String run(String file, String text) {
    return Scenario.run(compile(file, text).plan());
  }

  @Test
  void theStackOfEachCpuIsPrinted() {
    var compiled = compile("s.vp", "(vprobe VMM10Hz (gueststack stack) (printf \"%s\\n\" stack))");
    assertThat(compiled.dump("expand")).contains("profile-10hz");
    assertThat(compiled.dump("lower"))
        .isEqualTo(
            """
            var vp_stack : string
            clause 0 profile:::profile-10hz line 1
              (v0 = gueststack())
              emit printf "%s\\n" [v0]
            """);
  }

  @Test
  void bothSyntaxesBecomeTheSame() {
    var lisp =
        """
        (version 1.0)
        (definteger n 0)
        (defstring s)
        (defbag b 16)
        (defaggr a 1 1)
        (vprobe VMM1Hz
          (setint n (+ n 1))
          (setstr s "x")
          (baginsert b VCPUID n)
          (cond ((&& (> n 3) (== 0 (strcmp s "x")))
                 (aggr a ((bagremove b VCPUID)) (s) n))
                (1 (printf "%d %s\\n" n PROBENAME)))
          (logaggr a))
        """;
    var emmett =
        """
        int n = 0;
        string s;
        bag b[16];
        aggr a[1][1];
        VMM1Hz {
          n++;
          s = "x";
          b[VCPUID] <- n;
          if (n > 3 && 0 == strcmp(s, "x")) {
            a[b[VCPUID], s] <- n;
          } else
            printf("%d %s\\n", n, PROBENAME);
          logaggr(a); /* with /* nested */ comments */
        }
        """;
    assertThat(shown(compile("a.emt", emmett))).isEqualTo(shown(compile("a.vp", lisp)));
  }

  private static String shown(Compiler.Compiled compiled) {
    return compiled.dump("lower").replaceAll(" line \\d+", "");
  }

  @Test
  void aLoadedScriptComputesAndPrints() {
    assertThat(
            run(
                "hello.emt",
                """
                string s = "world";
                VMMLoad {
                  int x = 6;
                  x *= 7;
                  printf("hello %s %d %x\\n", s, x > 40 ? x : 0, (char) 0x1ff);
                }
                """))
        .contains("world")
        .contains("42")
        .contains("-1");
  }

  @Test
  void readingABagTakesTheEntryOut() {
    assertThat(
            run(
                "bag.vp",
                "(defbag b 4) (vprobe VMMLoad (baginsert b 1 5)"
                    + " (logint (bagremove b 1)) (logint (bagremove b 1)))"))
        .containsSubsequence("5", "0");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.vp|(vprobe HV_Exit (logint 1))|HV_Exit|1",
        "a.vp|(vprobe GUEST:READ:0x10 (logint 1))|GUEST:READ:0x10|1",
        "a.vp|(vprobe VMM1Hz (logint (vmwstack)))|vmwstack()|1",
        "a.vp|(vprobe VMM1Hz (logint RBX))|RBX|1",
        "a.vp|(vprobe VMM1Hz (logint 1)|is not closed|1",
        "a.vp|(defun f (x) x)|defun|1",
        "a.vp|(vprobe VMM1Hz (logaggr a))|is no aggregate|1",
        "a.emt|VMM1Hz { sprintf(s, 1); }|sprintf()|1",
        "a.emt|VMM1Hz { while (1) { } }|while|1",
        "a.emt|struct s { int a; };|struct|1",
        "a.emt|memmodel guest32;|guest32|1",
        "a.emt|VMM1Hz { x->y; }|members of structures|1",
      })
  void whatCannotBeServedIsRefusedByName(String file, String text, String name, int line) {
    assertThatThrownBy(() -> compile(file, text))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining(name)
        .hasMessageContaining(file)
        .hasMessageContaining("line " + line);
  }

  @Test
  void nonsenseEndsInAnError() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var pieces =
        List.of(
            "(",
            ")",
            "vprobe",
            "VMM1Hz",
            "VMMLoad",
            "{",
            "}",
            "[",
            "]",
            "setint",
            "x",
            "1",
            "0x",
            "\"s\"",
            "\"",
            "printf",
            "aggr",
            "bag",
            "b",
            "<-",
            "++",
            "=",
            "+=",
            ";",
            ",",
            "cond",
            "if",
            "else",
            "int",
            "string",
            "*",
            "&",
            "(char)",
            "?",
            ":",
            "/*",
            "-",
            "gueststack",
            "999999999999999999999",
            "RIP",
            "defaggr",
            "defbag");
    for (int i = 0; i < 4000; i++) {
      var text = new StringBuilder(random.nextBoolean() ? "(" : "");
      for (int n = random.nextInt(20); n >= 0; n--) {
        text.append(pieces.get(random.nextInt(pieces.size()))).append(' ');
      }
      try {
        compile(random.nextBoolean() ? "f.vp" : "f.emt", text.toString());
      } catch (FathomException e) {
        assertThat(e.getMessage()).as("seed %d: %s", seed, text).isNotBlank();
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("seed " + seed + ": " + text, e);
      }
    }
  }
}
