// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** What is said of addresses that are wrong. */
class AddressWordsTest {
  private static String run(int status, String... words) {
    var text = new StringWriter();
    var writer = new PrintWriter(text, true);
    assertThat(
            FathomCommand.parser()
                .setOut(writer)
                .setErr(writer)
                .setExecutionExceptionHandler(
                    (error, commandLine, parsed) -> Problems.report(error, commandLine))
                .setParameterExceptionHandler(Problems::usage)
                .execute(words))
        .isEqualTo(status);
    return text.toString();
  }

  @Test
  void helpAndTheErrorNameTheSameForms() {
    var help = run(0, "attach", "--help");
    var error = run(1, "attach", "nowhere", "-e", "::status");
    var list = error.substring(error.indexOf("target: ") + "target: ".length()).strip();
    assertThat(list).contains("run:COMMAND", "PATH");
    for (var form : list.split(", ")) {
      assertThat(help).contains(form);
    }
  }

  @Test
  void aWrongPortIsNamed() {
    assertThat(run(1, "attach", "localhost:99999", "-e", "1=K"))
        .contains("localhost:99999: '99999' is not a port");
    assertThat(run(1, "attach", "localhost:abc", "-e", "1=K")).contains("'abc' is not a port");
    assertThat(run(1, "attach", "[::1]:0", "-e", "1=K")).contains("'0' is not a port");
    assertThat(run(1, "attach", "pid:abc", "-e", "1=K")).contains("not the number of a process");
  }

  @Test
  void noTimeIsNoTimeout() {
    assertThat(run(1, "attach", "localhost:1", "--timeout", "0", "-e", "1=K"))
        .contains("--timeout must be at least 1 second");
  }

  @Test
  void openSaysWhereLiveTargetsAreLookedAt() {
    assertThat(run(1, "open", "qemu:4711", "-e", "1=K"))
        .contains("qemu:4711: no such file", "fathom attach qemu:4711");
    assertThat(run(1, "open", "nowhere.vmcore", "-e", "1=K")).doesNotContain("attach");
  }
}
