// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.UsageException;
import dev.fathom.kernel.Progress;
import dev.fathom.testkit.ElfWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DebugFileOptionsTest {
  @TempDir private Path folder;

  private static void refused(String option, Path value, String why) {
    var options = CommandLine.populateCommand(new DebugFileOptions(), option, value.toString());
    assertThatThrownBy(() -> options.files(Progress.NONE))
        .isInstanceOf(UsageException.class)
        .hasMessage(option + " " + value + ": " + why);
  }

  @Test
  void whatCannotBeADebugFileIsRefused() throws IOException {
    var letter = Files.writeString(folder.resolve("letter.txt"), "Dear kernel,\n");
    refused("--debug-file", folder.resolve("nowhere"), "no such file");
    refused("--debug-file", letter, "is no ELF file");
    refused("--debug-dir", letter, "no such folder");
    var elf = Files.write(folder.resolve("elf"), new ElfWriter().build());
    var options =
        CommandLine.populateCommand(
            new DebugFileOptions(), "--debug-file", "" + elf, "--debug-dir", "" + folder);
    assertThat(options.files(Progress.NONE).settings().files()).containsExactly(elf);
  }
}
