// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::stop}, and gdb's {@code interrupt}. */
final class StopCommand implements Command {
  private final Grammar grammar;
  private final Stops stops;

  StopCommand(Grammar grammar, Stops stops) {
    this.grammar = grammar;
    this.stops = stops;
  }

  @Override
  public CommandSpec spec() {
    return (switch (grammar) {
          case MDB -> CommandSpec.mdb("stop", "stop the target");
          case CRASH -> CommandSpec.crash("interrupt", "stop the target");
        })
        .help(
            """
            Stops all CPUs and selects the thread on the first that does not idle. The target goes
            on with `:c`, and when Fathom ends.

                > ::stop
                stopped by user: dd/117 on CPU 0
                > :c
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var control = call.session().control();
    return stops.of(call, control::stop);
  }
}
