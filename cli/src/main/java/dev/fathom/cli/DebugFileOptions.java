// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.kernel.Progress;
import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.DebugFiles;
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

  /** The files, of which {@code progress} tells when they are fetched. */
  DebugFiles files(Progress progress) {
    return new DebugFiles(
        DebugFileSettings.fromEnvironment(System.getenv(), files, folders),
        (url, done, total) -> {
          progress.step("fetching " + url, done, total.orElse(0));
          return true;
        });
  }
}
