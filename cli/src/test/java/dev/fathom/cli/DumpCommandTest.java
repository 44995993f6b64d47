// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.JsonRenderer;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DumpCommandTest {
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  @TempDir private Path folder;

  private final TinyLinux tiny = new TinyLinux();
  private final StringWriter errors = new StringWriter();
  private Path source;

  @BeforeEach
  void writeSource() throws IOException {
    source = Files.write(folder.resolve("vmcore"), tiny.vmcore());
  }

  private int run(String... options) {
    var arguments = new ArrayList<>(List.of("dump", source.toString(), "-q", "--no-index"));
    arguments.addAll(List.of(options));
    return FathomCommand.parser()
        .setErr(new PrintWriter(errors, true))
        .setExecutionExceptionHandler(
            (error, commandLine, parsed) -> Problems.report(error, commandLine))
        .setParameterExceptionHandler(Problems::usage)
        .execute(arguments.toArray(String[]::new));
  }

  private String format(Path dump) {
    try (var session = Session.open(List.of(dump), OPTIONS)) {
      assertThat(session.kernel().tasks(_ -> {})).hasSameSizeAs(tiny.tasks());
      return session.target().info().format();
    }
  }

  @Test
  void convertsAndKeepsWhatIsThere() {
    Path file = folder.resolve("dump");
    assertThat(run("-o", file.toString())).isZero();
    assertThat(format(file)).isEqualTo("kdump-compressed v6, zstd");
    assertThat(run("-o", file.toString(), "--format", "elf")).isEqualTo(Problems.FAILED);
    assertThat(errors.toString()).contains("-f replaces it");
    assertThat(run("-o", file.toString(), "--format", "elf", "-f")).isZero();
    assertThat(format(file)).isEqualTo("ELF vmcore");
    Path flat = folder.resolve("flat");
    assertThat(run("-o", flat.toString(), "--flattened", "--compress", "snappy")).isZero();
    assertThat(format(flat)).isEqualTo("flattened kdump-compressed v6, snappy");
  }

  @Test
  void onlyWhatIsThereCanBeGoneOnWith() throws IOException {
    String file = folder.resolve("dump").toString();
    assertThat(DumpCommand.rest(file, false)).isEmpty();
    Files.createFile(Path.of(file + ".part"));
    assertThat(DumpCommand.rest(file, false))
        .isEqualTo("; --resume goes on with " + file + ".part");
    assertThat(DumpCommand.rest(file, true)).isEmpty();
  }

  @Test
  void wrongArgumentsAreSaid() {
    String file = folder.resolve("dump").toString();
    assertThat(run("-o", file, "--compress", "rar")).isEqualTo(Problems.WRONG_ARGUMENTS);
    assertThat(errors.toString()).contains("expected one of none, zlib, lzo, snappy, zstd");
    assertThat(run("-o", file, "--format", "elf", "--compress", "zlib"))
        .isEqualTo(Problems.WRONG_ARGUMENTS);
    assertThat(run("-o", file, "--exclude", "users")).isEqualTo(Problems.WRONG_ARGUMENTS);
    assertThat(run("-o", file, "-d", "32")).isEqualTo(Problems.WRONG_ARGUMENTS);
    assertThat(run("-o", file, "--resume", "--flattened")).isEqualTo(Problems.WRONG_ARGUMENTS);
    assertThat(run("-o", source.toString(), "-f")).isEqualTo(Problems.WRONG_ARGUMENTS);
    assertThat(run("-o", file, "--resume")).isEqualTo(Problems.FAILED);
    assertThat(folder).isDirectoryNotContaining(f -> !f.equals(source));
  }

  @Test
  void aSnapshotIsADumpToo() {
    Path file = folder.resolve("snapshot");
    var out = new StringWriter();
    try (var session = Session.open(List.of(source), OPTIONS)) {
      var service = StandardCommands.over(session);
      var sink = new JsonRenderer(out);
      assertThat(service.run("::snapshot " + file, sink).ok()).isTrue();
      assertThat(service.run("::snapshot " + file, sink).ok()).isFalse();
      assertThat(service.run("::snapshot -cf " + file, sink).ok()).isTrue();
      service.environment().settings().shellAllowed(false);
      assertThat(service.run("::snapshot -f " + file, sink).ok()).isFalse();
    }
    assertThat(format(file)).isEqualTo("kdump-compressed v6, zstd");
    assertThat(out.toString()).contains("pages in " + file);
  }
}
