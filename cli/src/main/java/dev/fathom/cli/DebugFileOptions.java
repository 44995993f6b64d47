// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.MappedFile;
import dev.fathom.base.UsageException;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.kernel.Progress;
import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.DebugFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Where files with debug information are, beside the places where they are looked for anyway. */
final class DebugFileOptions {
  @Option(
      names = "--debug-file",
      paramLabel = "FILE",
      description = "A file with debug information; used for what has the same build-id.")
  private List<Path> files = new ArrayList<>();

  @Option(
      names = "--debug-dir",
      paramLabel = "FOLDER",
      description =
          "A folder with debug files, by name or in a .build-id tree; so are those that"
              + " FATHOM_DEBUG_PATH names.")
  private List<Path> folders = new ArrayList<>();

  /**
   * The files, of which {@code progress} tells when they are fetched.
   *
   * @throws UsageException for what the user gave that cannot be such a file or folder
   */
  DebugFiles files(Progress progress) {
    files.forEach(file -> requireElf("--debug-file " + file, file));
    for (var folder : folders) {
      if (!Files.isDirectory(folder)) {
        throw new UsageException("--debug-dir " + folder + ": no such folder");
      }
    }
    return new DebugFiles(
        DebugFileSettings.fromEnvironment(System.getenv(), files, folders),
        (url, done, total) -> {
          progress.step("fetching " + url, done, total.orElse(0));
          return true;
        });
  }

  /**
   * @param given as the user wrote it
   * @throws UsageException when it is no ELF file
   */
  static void requireElf(String given, Path file) {
    if (!Files.isRegularFile(file)) {
      throw new UsageException(given + ": no such file");
    }
    try (var mapped = MappedFile.open(file)) {
      if (!ElfFile.matches(mapped)) {
        throw new UsageException(given + ": is no ELF file");
      }
    }
  }
}
