// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.tiny.TinyLinux;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The distribution as users start it: the script, the module path, the AOT cache. Tagged with the
 * guests, because the distribution has to be there ({@code ./dev build}).
 */
@Tag("lab")
class LauncherTest {
  private static final Path HOME = Path.of(System.getProperty("fathom.home"));
  private static final Path LAUNCHER = HOME.resolve("fathom");

  @TempDir private Path folder;

  private record Result(int status, String out, String err) {}

  private Result run(Path launcher, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    builder.environment().put("XDG_STATE_HOME", folder.resolve("state").toString());
    builder.environment().putAll(environment);
    builder.directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile());
    Process process = builder.start();
    process.getOutputStream().close();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends within a minute").isTrue();
    return new Result(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @Test
  void startsWithTheCacheInUse() throws Exception {
    // With AOTMode=on the JVM refuses to start when it cannot use the cache.
    Result result = run(LAUNCHER, Map.of("FATHOM_JVM_OPTIONS", "-XX:AOTMode=on"), "--version");

    assertThat(result.err()).isEmpty();
    assertThat(result.status()).isZero();
    assertThat(result.out()).containsPattern("\\d+\\.\\d+");
  }

  @Test
  void tracingHasBothCompilers() throws Exception {
    var flags = Map.of("FATHOM_JVM_OPTIONS", "-XX:+PrintFlagsFinal");
    var tiers = "TieredStopAtLevel += %d ";

    assertThat(run(LAUNCHER, flags, "trace", "--help").out())
        .containsPattern(String.format(Locale.ROOT, tiers, 4));
    assertThat(run(LAUNCHER, flags, "--version").out())
        .containsPattern(String.format(Locale.ROOT, tiers, 1));
  }

  @Test
  void startsThroughALinkFromElsewhere() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("link"), LAUNCHER);

    assertThat(run(link, Map.of(), "--version"))
        .isEqualTo(run(LAUNCHER, Map.of(), "--version"))
        .extracting(Result::status)
        .isEqualTo(0);
  }

  @Test
  void onATerminalTheEndOfTheInputLeaves() throws Exception {
    Path dump = Files.write(folder.resolve("vmcore"), new TinyLinux().vmcore());
    String command = "'" + LAUNCHER + "' open '" + dump + "'";

    // script tells its terminal the end at once, long before the program asks for a line.
    Result result = run(Path.of("/usr/bin/script"), Map.of(), "-qec", command, "/dev/null");

    assertThat(result.out()).contains(TinyLinux.RELEASE, "Ctrl-D to leave");
    assertThat(result.status()).isZero();
  }

  @Test
  void aFileThatIsNotThereIsOneLine() throws Exception {
    Result result = run(LAUNCHER, Map.of(), "open", "nowhere.vmcore", "-e", "::ps");

    assertThat(result.status()).isNotZero();
    assertThat(result.err().lines()).singleElement().asString().contains("nowhere.vmcore");
    assertThat(result.out()).isEmpty();
  }

  @Test
  void aFileThatIsNoDumpIsOneLine() throws Exception {
    Files.writeString(folder.resolve("letter.txt"), "Dear kernel,\n".repeat(1000));

    Result result = run(LAUNCHER, Map.of(), "open", "letter.txt", "-e", "::ps");

    assertThat(result.status()).isNotZero();
    assertThat(result.err().lines()).singleElement().asString().contains("letter.txt");
    assertThat(result.out()).isEmpty();
  }
}
