// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Commands that need the superuser's rights. */
final class Root {
  private Root() {}

  /** The command as this user can run it without being asked for a password; empty if he cannot. */
  static Optional<List<String>> command(String... words) {
    List<String> command = new ArrayList<>(List.of(words));
    if (Shell.run(Path.of("/"), List.of("id", "-u")).output().strip().equals("0")) {
      return Optional.of(command);
    }
    if (Shell.run(Path.of("/"), List.of("sudo", "-n", "true")).worked()) {
      command.addAll(0, List.of("sudo", "-n"));
      return Optional.of(command);
    }
    return Optional.empty();
  }
}
