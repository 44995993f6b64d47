// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.command.Command;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/** The names of this package's commands. Those of crash that are not built answer, too. */
public final class CrashCommands implements CommandGroup {
  private static final List<String> NAMES =
      List.of(
          "bt", "dis", "list", "log", "mod", "ps", "rd", "set", "struct", "sym", "sys", "task",
          "tree", "union", "vtop", "whatis");

  @Override
  public String name() {
    return "crash";
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
          case "bt" -> new BtCommand();
          case "dis" -> new DisCommand();
          case "list" -> new ListCommand();
          case "log", "dmesg" -> new LogCommand();
          case "mod" -> new ModCommand();
          case "ps" -> new PsCommand();
          case "rd" -> new RdCommand();
          case "set" -> new SetCommand();
          case "struct", "union" -> new StructCommand(name);
          case "sym" -> new SymCommand();
          case "sys" -> new SysCommand();
          case "task" -> new TaskCommand();
          case "tree" -> new TreeCommand();
          case "vtop" -> new VtopCommand();
          case "whatis" -> new WhatisCommand();
          default -> NotBuiltCommand.NEAREST.containsKey(name) ? new NotBuiltCommand(name) : null;
        });
  }
}
