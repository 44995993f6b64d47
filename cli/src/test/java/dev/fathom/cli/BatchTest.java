// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Command lines that come without a terminal. */
@Timeout(60)
class BatchTest {
  @TempDir private Path folder;

  private final StringWriter shown = new StringWriter();

  private static Session open(Path dump) {
    return Session.open(List.of(dump), new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  private TextRenderer text() {
    return new TextRenderer(shown, shown, TextRenderer.Options.PLAIN);
  }

  @Test
  void quitLeavesWhileTheInputStaysOpen() throws Exception {
    var dump = Files.write(folder.resolve("vmcore"), new TinyLinux().vmcore());
    try (var session = open(dump);
        var writer = new PipedOutputStream();
        var input = new PipedInputStream(writer)) {
      var batch =
          new Batch(
              StandardCommands.over(session),
              text(),
              Console.standard(),
              new Warnings(session, _ -> {}));
      writer.write("1=D\n\n::quit\n".getBytes(StandardCharsets.US_ASCII));
      writer.flush();
      assertThat(batch.run(input)).isTrue();
    }
    assertThat(shown.toString().strip()).isEqualTo("1");
  }

  @Test
  void whatIsWrongWithATargetIsToldOnce() throws Exception {
    var whole = new TinyLinux().vmcore();
    var cut = Files.write(folder.resolve("cut"), Arrays.copyOf(whole, whole.length - 4096));
    var told = new ArrayList<String>();
    try (var session = open(cut)) {
      var service = StandardCommands.over(session);
      var warnings = new Warnings(session, told::add);
      warnings.show();
      assertThat(told).isNotEmpty().first().asString().contains("cut");
      var batch = new Batch(service, warnings.withoutTold(text()), Console.standard(), warnings);
      assertThat(batch.run(List.of("::status", "::echo done"))).isTrue();
    }
    assertThat(told).doesNotHaveDuplicates();
    assertThat(shown.toString()).contains("found by", "done\n").doesNotContain("warning");
  }
}
