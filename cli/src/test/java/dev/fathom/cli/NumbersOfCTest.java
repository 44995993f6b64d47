// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Enumerations of flags and complex numbers, beside gdb. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class NumbersOfCTest {
  private static final String SOURCE =
      """
      #include <complex.h>
      #include <stdio.h>
      #include <unistd.h>
      enum flag { F_A = 1, F_B = 2, F_C = 4 };
      enum zero { Z_NONE = 0, Z_A = 1, Z_B = 8 };
      enum mask { M_A = 1, M_MASK = 0x30, M_X = 0x40 };
      enum negative { N_A = -1, N_B = 1 };
      enum plain { P_0, P_1, P_2, P_3 };
      enum same { S_A = 1, S_B = 2, S_OTHER_B = 2 };
      enum high { H_A = 0x80000000u, H_B = 1 };
      typedef enum { T_A = 0x10, T_B = 0x20 } word;
      enum flag f0 = 0, f2 = 2, f3 = 3, f16 = 16, f17 = 17, list[3] = {1, 3, 9};
      enum zero z0 = 0, z9 = 9, z2 = 2, z11 = 11;
      enum mask m30 = 0x30, m31 = 0x31, m10 = 0x10, m0 = 0;
      enum negative n2 = 2, n1 = -1, n5 = -5;
      enum plain p3 = 3, p7 = 7;
      enum same s3 = 3, s2 = 2, s4 = 4;
      enum high h = 0x80000001u;
      word t0 = 0, t3 = 0x30, t7 = 0x71;
      struct { enum flag bits : 3; enum flag x; } both = {7, 10};
      double complex cd = 1 + 2 * I, pair[2] = {1, 2 * I};
      float complex cf = 1.5f - 2.25f * I;
      long double complex cl = 3.0L - 1 * I;
      struct { double complex q; int w; } in = {1.0 - 1 * I, 4};
      double complex turned(double complex z) { return z * I; }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) pause();
      }
      """;

  /** Asked in this order: some change what others read. */
  private static final List<String> ASKED =
      List.of(
          "f0",
          "f2",
          "f3",
          "f16",
          "f17",
          "list",
          "z0",
          "z9",
          "z2",
          "z11",
          "m30",
          "m31",
          "m10",
          "m0",
          "n2",
          "n1",
          "n5",
          "p3",
          "p7",
          "s3",
          "s2",
          "s4",
          "h",
          "t0",
          "t3",
          "t7",
          "both",
          "(enum flag) 32",
          "(F_A | F_B)",
          "f3 == 3",
          "/x f3",
          "cd",
          "cf",
          "cl",
          "pair",
          "in",
          "$_creal(cd)",
          "$_cimag(cf) + 1",
          "cd + 1",
          "cd - cf",
          "cd * cd",
          "cd / 3",
          "-cd * 2i / (1.5 + 2.25i)",
          "-cd",
          "~cd",
          "cd == cd",
          "cd != cd",
          "!cd",
          "!(cd - cd)",
          "1i",
          "2.5i",
          "3.0 + 0i",
          "1i * 1i",
          "1 / (1 + 1i)",
          "sizeof(1i)",
          "sizeof(1.0i)",
          "*&cd",
          "pair[1]",
          "cf = 3",
          "cf",
          "cf = 1 + 2i",
          "cf += 1",
          "cf",
          "in.q * 2");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"gcc", "clang"})
  void areThoseOfGdb(String compiler) throws IOException {
    var program = CProgram.compileWith(compiler, folder, "numbers", SOURCE, "-g", "-O0");
    var theirs =
        Debugged.gdb(
            folder, ASKED, List.of(program.file().toString(), "-ex", "break main", "-ex", "run"));
    assertThat(theirs).hasSameSizeAs(ASKED);
    Debugged.with(
        program,
        (service, _) -> {
          for (int i = 0; i < ASKED.size(); i++) {
            assertThat(Debugged.run(service, "output " + ASKED.get(i)))
                .as(ASKED.get(i))
                .isEqualTo(theirs.get(i));
          }
          assertThat(Debugged.run(service, "ptype cd")).startsWith("type = complex");
          assertThat(Debugged.run(service, "output (int) cd")).isEqualTo("1");
          assertThat(Debugged.run(service, "output turned(2 + 1i)")).isEqualTo("-1 + 2i");
          assertThat(Debugged.run(service, "output turned(3)")).isEqualTo("0 + 3i");
          assertThat(Debugged.run(service, "output cd > 1")).contains("not for complex numbers");
          assertThat(Debugged.run(service, "output cd + main")).contains("is not a number");
          assertThat(Debugged.run(service, "output $_creal(3)"))
              .contains("expected a complex number");
        });
  }
}
