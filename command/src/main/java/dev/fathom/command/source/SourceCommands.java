// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.command.Command;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/** The names of this package's commands. */
public final class SourceCommands implements CommandGroup {
  private static final List<String> NAMES =
      List.of("directory", "disassemble", "down", "frame", "l", "up");

  @Override
  public String name() {
    return "source";
  }

  @Override
  public List<String> names(Grammar grammar) {
    return grammar == Grammar.CRASH ? NAMES : List.of();
  }

  @Override
  public Optional<Command> command(Grammar grammar, String name) {
    if (grammar != Grammar.CRASH) {
      return Optional.empty();
    }
    return Optional.ofNullable(
        switch (name) {
          case "frame", "f" -> new FrameCommand("frame");
          case "up" -> new FrameCommand("up");
          case "down" -> new FrameCommand("down");
          case "l" -> new ListingCommand();
          case "disassemble", "disas" -> new DisassembleCommand();
          case "directory" -> new DirectoryCommand();
          default -> null;
        });
  }
}
