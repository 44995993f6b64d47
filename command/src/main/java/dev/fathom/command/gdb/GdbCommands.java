// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.command.Command;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/** The names of this package's commands. */
public final class GdbCommands implements CommandGroup {
  private static final List<String> NAMES =
      List.of(
          "display",
          "echo",
          "output",
          "p",
          "pd",
          "print",
          "printf",
          "ptype",
          "px",
          "undisplay",
          "unset",
          "x");

  @Override
  public String name() {
    return "gdb";
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
          case "print", "inspect" -> new PrintCommand("print");
          case "p", "px", "pd", "output" -> new PrintCommand(name);
          case "x" -> new ExamineCommand();
          case "ptype" -> new PtypeCommand();
          case "printf" -> new PrintfCommand();
          case "echo" -> new EchoCommand();
          case "display", "undisplay" -> new DisplayCommand(name);
          case "unset" -> new UnsetCommand();
          default -> null;
        });
  }
}
