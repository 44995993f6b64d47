// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What Ctrl-C and SIGTERM leave of tracing. */
@EnabledOnOs(OS.LINUX)
@Timeout(120)
class TraceInterruptedTest {
  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void signalsEndTracingWithWhatItFound(String signal) throws Exception {
    var tracer =
        FathomProcess.of(
                "trace",
                "-qn",
                "BEGIN { printf(\"begun\\n\"); @[\"clauses\"] = count(); }",
                "-c",
                "sleep 100")
            .start();
    try (var out = tracer.inputReader(StandardCharsets.UTF_8)) {
      String line = out.readLine();
      while (line != null && !line.equals("begun")) {
        line = out.readLine();
      }
      assertThat(line).isEqualTo("begun");
      new ProcessBuilder("kill", "-" + signal, Long.toString(tracer.pid())).start().waitFor();
      var rest = out.readAllLines();
      assertThat(rest).as("%s", rest).anyMatch(each -> each.matches(" *clauses +1"));
      assertThat(tracer.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(tracer.exitValue()).isZero();
    } finally {
      tracer.destroyForcibly();
    }
  }
}
