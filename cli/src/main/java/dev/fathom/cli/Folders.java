// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.nio.file.Path;
import java.util.Optional;

/** Where the program keeps files of its own, by the XDG base directory specification. */
final class Folders {
  private Folders() {}

  /** The index on disk: safe to delete. Empty when the user has no home. */
  static Optional<Path> index() {
    return folder("XDG_CACHE_HOME", ".cache").map(folder -> folder.resolve("index"));
  }

  /** What was typed in earlier sessions. */
  static Optional<Path> history() {
    return folder("XDG_STATE_HOME", ".local/state").map(folder -> folder.resolve("history"));
  }

  private static Optional<Path> folder(String variable, String underHome) {
    var stated = System.getenv(variable);
    if (stated != null && stated.startsWith("/")) {
      return Optional.of(Path.of(stated, "fathom"));
    }
    var home = System.getenv("HOME");
    return home == null || home.isEmpty()
        ? Optional.empty()
        : Optional.of(Path.of(home, underHome, "fathom"));
  }
}
