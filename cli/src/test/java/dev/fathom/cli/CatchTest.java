// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Stops where C++ throws and catches. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class CatchTest {
  private static final String SOURCE =
      """
      #include <cstdio>
      #include <unistd.h>
      int thrown(int n) { if (n == 0) throw 7; return thrown(n - 1); }
      int again(int n) {
        try {
          return thrown(n);
        } catch (int) {
          throw;
        }
      }
      int main() {
        puts("ready");
        fflush(stdout);
        for (;;) {
          try {
            again(2);
          } catch (int) {
            usleep(1000);
          }
        }
      }
      """;

  @TempDir Path folder;

  @Test
  void stopsWhereExceptionsAreThrownCaughtAndThrownAgain() {
    var program = CProgram.compileWith("g++", folder, "catch", SOURCE, "-xc++", "-g", "-O0");
    Debugged.with(
        program,
        (service, _) -> {
          assertThat(Debugged.run(service, "catch throw"))
              .isEqualTo("breakpoint 1 at __cxa_throw (catch throw)");
          assertThat(Debugged.run(service, "c")).contains("breakpoint 1 (catch throw)");
          assertThat(Debugged.run(service, "up")).contains("thrown (n=0)");
          assertThat(Debugged.run(service, "info breakpoints")).contains("catch throw");
          Debugged.run(service, "delete 1");
          assertThat(Debugged.run(service, "tcatch rethrow")).startsWith("temporary breakpoint 2");
          assertThat(Debugged.run(service, "c")).contains("breakpoint 2 (catch rethrow)");
          assertThat(Debugged.run(service, "up")).contains("again (n=2)");
          assertThat(Debugged.run(service, "info breakpoints")).contains("no breakpoints");
          Debugged.run(service, "catch catch if 1 == 2");
          Debugged.run(service, "catch catch if 1 == 1");
          assertThat(Debugged.run(service, "c")).contains("breakpoint 4 (catch catch)");
          assertThat(Debugged.run(service, "catch fire")).contains("throw, catch or rethrow");
          assertThat(Debugged.run(service, "catch throw 5")).contains("unexpected argument 5");
        });
  }
}
