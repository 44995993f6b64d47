// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.TargetException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.stream.Stream;

/** {@code $<} and {@code $<<}. */
final class SourceCommand implements Command {
  private static final long LIMIT = 1 << 20;
  private final String name;

  SourceCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb(name, "source macro file")
        .addressOptional()
        .arguments("file")
        .help(
            """
            Runs the commands in a file as if they had been typed, at the current dot. `$<<` does
            the same.

                > ffff888003858000$<show-task
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var file = call.args().expect(1, 1).word(0);
    try {
      var path = Path.of(file);
      if (Files.size(path) > LIMIT) {
        throw new TargetException("macro file " + file + " is larger than " + LIMIT + " bytes");
      }
      return call.execute(Files.readString(path));
    } catch (IOException | InvalidPathException e) {
      throw new TargetException("failed to open macro file " + file + ": " + e.getMessage(), e);
    }
  }
}
