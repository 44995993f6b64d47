// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.ddb;

import dev.fathom.command.Command;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/** The names of this package's commands. */
public final class DdbCommands implements CommandGroup {
  private static final List<String> NAMES =
      List.of("alltrace", "dhwatch", "hwatch", "match", "show", "trace");

  @Override
  public String name() {
    return "ddb";
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
          case "alltrace" -> new TraceCommand(true);
          case "trace" -> new TraceCommand(false);
          case "hwatch" -> new HwatchCommand();
          case "dhwatch", "dwatch" -> new DhwatchCommand();
          case "match" -> new MatchCommand();
          case "show" -> new ShowCommand();
          default -> null;
        });
  }
}
