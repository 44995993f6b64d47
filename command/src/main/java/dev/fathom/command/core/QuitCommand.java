// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::quit}, {@code $q}, {@code :R}, crash's {@code quit} and gdb's {@code detach}. */
final class QuitCommand implements Command {
  private final Grammar grammar;

  QuitCommand(Grammar grammar) {
    this.grammar = grammar;
  }

  @Override
  public CommandSpec spec() {
    var help =
        """
        Ends the program. The rest of the line is not run. What it was attached to is let go and
        runs on, without our breakpoints.

            > ::quit
        """;
    return switch (grammar) {
      case MDB ->
          CommandSpec.mdb("quit", "quit debugger")
              .alias("$q")
              .alias("$Q")
              .alias("$%")
              .alias(":R")
              .help(help);
      case CRASH ->
          CommandSpec.crash("quit", "quit debugger")
              .alias("q")
              .alias("exit")
              .alias("detach")
              .help(help);
    };
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    call.environment().quit();
    return Stream.empty();
  }
}
