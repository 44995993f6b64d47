// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * When the launcher builds anew: a copy of the script, with a build that only says what it does.
 */
class LauncherScriptTest {
  private static final FileTime LONG_AGO = FileTime.fromMillis(1_000_000_000_000L);
  private static final FileTime LATER = FileTime.fromMillis(1_000_000_100_000L);
  private static final FileTime LATEST = FileTime.fromMillis(1_000_000_200_000L);

  @TempDir private Path home;

  @BeforeEach
  void distribution() throws IOException {
    Path script = home.resolve("fathom");
    Files.copy(Path.of(System.getProperty("fathom.home")).resolve("fathom"), script);
    write(
        "etc/build.sh",
        "say() { :; }\nmake_distribution() { echo builds; exit 0; }\nfind_jdk() { :; }\n"
            + "train() { echo trains; exit 0; }\n",
        LONG_AGO);
    Files.createDirectories(home.resolve("dist/lib"));
    write("dist/stamp", "made for another JDK\n", LATER);
    write("base/Some.java", "class Some {}\n", LATEST);
  }

  private void write(String name, String text, FileTime time) throws IOException {
    Path file = home.resolve(name);
    Files.createDirectories(file.getParent());
    Files.setLastModifiedTime(Files.writeString(file, text), time);
  }

  private String says() throws IOException, InterruptedException {
    var process =
        new ProcessBuilder("bash", home.resolve("fathom").toString(), "--version")
            .redirectErrorStream(true)
            .start();
    var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return text.strip();
  }

  @Test
  void anUpdatedCloneIsBuilt() throws Exception {
    write(".git/logs/HEAD", "commits\n", LATEST);
    assertThat(says()).isEqualTo("builds");
  }

  @Test
  void sourcesThatGitDidNotUpdateAreLeft() throws Exception {
    write(".git/logs/HEAD", "commits\n", LONG_AGO);
    assertThat(says()).isEqualTo("trains");
  }

  @Test
  void anUpdatedWorktreeIsBuilt() throws Exception {
    write("elsewhere/worktrees/one/logs/HEAD", "commits\n", LATEST);
    write(".git", "gitdir: " + home.resolve("elsewhere/worktrees/one") + "\n", LONG_AGO);
    assertThat(says()).isEqualTo("builds");

    write(".git", "gitdir: elsewhere/worktrees/one\n", LONG_AGO);
    assertThat(says()).as("by a relative path").isEqualTo("builds");

    write("elsewhere/worktrees/one/logs/HEAD", "commits\n", LONG_AGO);
    assertThat(says()).as("not updated").isEqualTo("trains");
  }

  @Test
  void mavenPrintsNoCodesForTerminals() throws Exception {
    var home = System.getProperty("fathom.home");
    var builder =
        new ProcessBuilder(
                "bash", "-c", "home=$1; . \"$1/etc/build.sh\"; run_maven --version", "", home)
            .redirectErrorStream(true);
    builder.environment().remove("JAVA_TOOL_OPTIONS"); // The JVM would say so first.
    var process = builder.start();
    var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(text).isZero();
    assertThat(text).startsWith("Apache Maven").doesNotContain("\033");
  }
}
