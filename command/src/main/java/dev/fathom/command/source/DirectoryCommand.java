// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.Datum;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** gdb's {@code directory}. */
final class DirectoryCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("directory", "name folders in which source files are looked for")
        .arguments("[folder ...]")
        .help(
            """
            Source files are looked for where the compiler found them, then in these folders: by
            their whole path below the folder, else by ever shorter ends of it. Without an argument
            the list becomes empty. `set substitute-path` replaces the beginning of their paths first.

                > directory /usr/src/linux-source-6.1
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var settings = call.environment().settings();
    if (call.args().isEmpty()) {
      settings.forgetSourceFolders();
    }
    for (var word : call.args().operands()) {
      settings.addSourceFolder(folder(word.text()));
    }
    var text =
        settings.sourceFolders().isEmpty()
            ? "no folders"
            : String.join(":", settings.sourceFolders().stream().map(Path::toString).toList());
    return Stream.of(Item.show(new Datum.Fact("source folders: " + text, List.of())));
  }

  private static Path folder(String text) {
    try {
      var folder = Path.of(text);
      if (Files.isDirectory(folder)) {
        return folder;
      }
    } catch (InvalidPathException e) {
      throw new UsageException("'" + text + "' is not a path: " + e.getReason());
    }
    throw new UsageException(text + " is not a folder");
  }
}
