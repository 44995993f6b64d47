// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.command.Invocation;
import dev.fathom.model.source.SourceLine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The text of source files, where they are found. */
final class SourceText {
  /** Larger than any source file that is read by people. */
  private static final long LARGEST = 32L << 20;

  private SourceText() {}

  /**
   * The lines of the file at {@code path}: itself, or the one in the user's folders whose path ends
   * alike, longest end first.
   */
  static Optional<List<String>> of(Invocation call, String path) {
    try {
      var file = Path.of(substituted(call, path));
      if (file.isAbsolute() && Files.isRegularFile(file)) {
        return read(file);
      }
      for (var folder : call.environment().settings().sourceFolders()) {
        for (int from = 0; from < file.getNameCount(); from++) {
          var candidate = folder.resolve(file.subpath(from, file.getNameCount()));
          if (Files.isRegularFile(candidate)) {
            return read(candidate);
          }
        }
      }
      return Optional.empty();
    } catch (InvalidPathException e) {
      return Optional.empty(); // Debug information may name what is no path here.
    }
  }

  /** A path by the first rule whose folder it is in. */
  private static String substituted(Invocation call, String path) {
    for (var rule : call.environment().settings().substitutions().entrySet()) {
      if (path.startsWith(rule.getKey() + "/")) {
        return rule.getValue() + path.substring(rule.getKey().length());
      }
    }
    return path;
  }

  private static Optional<List<String>> read(Path file) {
    try {
      return Files.size(file) > LARGEST
          ? Optional.empty()
          : Optional.of(
              new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList());
    } catch (IOException e) {
      return Optional.empty(); // As good as not there: only the number of the line is shown.
    }
  }

  /** One line with its number, where the file is found. */
  static Optional<String> line(Invocation call, SourceLine at) {
    return of(call, at.path())
        .filter(lines -> at.line() >= 1 && at.line() <= lines.size())
        .map(lines -> at.line() + "\t" + lines.get(at.line() - 1));
  }
}
