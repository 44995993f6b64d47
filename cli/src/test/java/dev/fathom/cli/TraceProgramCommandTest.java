// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole program over D texts that need no target. */
@Timeout(60)
class TraceProgramCommandTest {
  @TempDir private Path folder;

  private String output(int status, String... arguments) throws IOException {
    var file = folder.resolve("out");
    Files.deleteIfExists(file);
    var words = new java.util.ArrayList<String>(java.util.List.of("dtrace", "-o", file.toString()));
    words.addAll(java.util.List.of(arguments));
    assertThat(Main.run(words.toArray(String[]::new))).isEqualTo(status);
    return Files.exists(file) ? Files.readString(file) : "";
  }

  private static int run(String... words) {
    return Main.run(words);
  }

  @Test
  void beginAndEndRunWithoutATarget() throws IOException {
    assertThat(
            output(
                3,
                "-qn",
                "BEGIN { printf(\"a%d\\n\", $1 + N); @[\"k\"] = sum(5); exit(3); }",
                "-n",
                "END { printf(\"z%d\\n\", $1); }",
                "-D",
                "N=2",
                "40"))
        .isEqualTo("a42\nz40\n\n  k" + " ".repeat(49) + String.format(" %16d%n", 5));
  }

  @Test
  void optionsComeFromTheEnvironment() {
    assertThat(
            TraceProgramCommand.environmentOptions(
                Map.of(
                    "DTRACE_OPT_STRSIZE",
                    "4",
                    "DTRACE_OPT_QUIET",
                    "",
                    "DTRACE_OPT_",
                    "x",
                    "A",
                    "b")))
        .containsExactly(Map.entry("quiet", ""), Map.entry("strsize", "4"));
  }

  @Test
  void theWordOfAScriptsFirstLineIsTakenApart() throws IOException {
    var script = Files.writeString(folder.resolve("s.d"), "BEGIN { trace(7); exit(4); }\n");
    assertThat(Main.run(new String[] {"dtrace -q -s", script.toString()})).isEqualTo(4);
  }

  @Test
  void messagesNameTheProgramAndWhatIsWrong() {
    var err = new StringWriter();
    for (var name : List.of("dtrace", "trace")) {
      FathomCommand.parserOf(name)
          .orElseThrow()
          .setErr(new PrintWriter(err, true))
          .setParameterExceptionHandler(Problems::usage)
          .execute("-s", "nosuch.d");
    }
    assertThat(err.toString())
        .startsWith("dtrace: nosuch.d: there is no such file\n")
        .contains("\nfathom: nosuch.d: there is no such file\n");
    var out = new StringWriter();
    FathomCommand.parserOf("dtrace").orElseThrow().setOut(new PrintWriter(out, true)).execute("-V");
    assertThat(out.toString()).startsWith("fathom ");
  }

  /** The tag and place are told of what only a provider knows to be wrong, too. */
  @Test
  void probesThatCannotBeAreRefusedAtTheirPlace() {
    var err = new StringWriter();
    for (var probe : List.of("tick-0", "tick-5q", "tick-999999999d")) {
      FathomCommand.parserOf("dtrace")
          .orElseThrow()
          .setErr(new PrintWriter(err, true))
          .setExecutionExceptionHandler((error, command, _) -> Problems.report(error, command))
          .execute("-n", "BEGIN,\n" + probe + " { exit(0); }");
    }
    assertThat(err.toString().lines().filter(line -> line.contains("line 2: tick-")))
        .hasSize(3)
        .allMatch(line -> line.endsWith("[D_PDESC_INVAL, column 1]"));
  }

  @Test
  void scriptsTakeTheirOptionsFromPragmas() throws IOException {
    var script = folder.resolve("s.d");
    Files.writeString(
        script,
        "#!/usr/sbin/dtrace -s\n#pragma D option quiet\ntick-10ms { trace(1); exit(0); }\n");
    assertThat(output(0, "-s", script.toString())).isEqualTo("1\n");
  }

  /** What dtrace calls so is the rate at which values are collected. */
  @Test
  void aggregationsAreShownAgainAndAgainWhereThatIsAskedFor() throws IOException {
    var program = "tick-20ms { @[\"k\"] = count(); n++; } tick-20ms /n == 40/ { exit(0); }";
    var file = folder.resolve("live");
    assertThat(run("trace", "-o", file.toString(), "-qx", "aggrate=50ms", "-n", program)).isZero();
    var values = Files.readString(file).lines().filter(line -> line.startsWith("  k")).toList();
    assertThat(values).hasSizeGreaterThan(2).last().asString().endsWith(" 40");
    assertThat(values.getFirst()).isNotEqualTo(values.getLast());
    assertThat(output(0, "-qx", "aggrate=50ms", "-n", program).lines())
        .filteredOn(line -> line.startsWith("  k"))
        .hasSize(1);
  }

  @Test
  void barsStandBesideNumbersAndDistributionsOnALine() throws IOException {
    assertThat(
            output(
                0,
                "-qx",
                "agghist",
                "-n",
                "BEGIN { @[\"a\"] = sum(30); @[\"b\"] = sum(10); exit(0); }"))
        .isEqualTo(
            "\n\n"
                + " ".repeat(49)
                + "key  ------------- Distribution ------------- count    \n"
                + ("  b" + " ".repeat(49) + " |" + "@".repeat(10) + " ".repeat(30) + " 10       \n")
                + ("  a"
                    + " ".repeat(49)
                    + " |"
                    + "@".repeat(30)
                    + " ".repeat(10)
                    + " 30       \n"));
    assertThat(
            output(
                0,
                "-qx",
                "aggpack",
                "-x",
                "encoding=ascii",
                "-n",
                "BEGIN { @[1] = quantize(2); @[2] = quantize(8); exit(0); }"))
        .isEqualTo(
            "\n\n      key  min .-----. max  | count\n"
                + "        1    1 : X   : 16   | 1\n"
                + "        2    1 :   X : 16   | 1\n");
  }

  @Test
  void whatIsWrongEndsWithAStatus() throws IOException {
    output(1, "-n", "BEGIN { nonsense; }");
    output(2, "-C", "-n", "BEGIN");
    output(2);
    output(1, "-n", "fbt::vfs_read:entry");
    assertThat(output(0, "-e", "-n", "BEGIN { exit(1); }")).isEmpty();
  }
}
