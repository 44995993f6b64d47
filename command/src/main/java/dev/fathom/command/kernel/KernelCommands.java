// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.command.Command;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/** The names of this package's commands. */
public final class KernelCommands implements CommandGroup {
  private static final List<String> NAMES =
      List.of(
          "cpuinfo",
          "findstack",
          "modinfo",
          "msgbuf",
          "panicinfo",
          "pgrep",
          "pid2task",
          "ps",
          "ptree",
          "stacks",
          "thread");

  @Override
  public String name() {
    return "kernel";
  }

  @Override
  public List<String> names(Grammar grammar) {
    return grammar == Grammar.MDB ? NAMES : List.of();
  }

  @Override
  public Optional<Command> command(Grammar grammar, String name) {
    if (grammar != Grammar.MDB) {
      return Optional.empty();
    }
    return Optional.ofNullable(
        switch (name) {
          case "cpuinfo" -> new CpuinfoCommand();
          case "findstack" -> new FindstackCommand();
          case "modinfo" -> new ModinfoCommand();
          case "msgbuf" -> new MsgbufCommand();
          case "panicinfo" -> new PanicinfoCommand();
          case "pgrep" -> new PgrepCommand();
          case "pid2task", "pid2proc" -> new PidToTaskCommand();
          case "ps" -> new PsCommand();
          case "ptree" -> new PtreeCommand();
          case "stacks" -> new StacksCommand();
          case "thread" -> new ThreadCommand();
          default -> null;
        });
  }
}
