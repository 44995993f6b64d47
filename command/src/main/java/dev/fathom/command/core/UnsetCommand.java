// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::unset}. */
final class UnsetCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("unset", "unset variables")
        .arguments("variable ...")
        .help(
            """
            Removes variables. Those that the debugger keeps stay.

                > 10>mine; ::unset mine
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(1, Integer.MAX_VALUE);
    call.args().operands().forEach(o -> call.environment().variables().unset(o.text()));
    return Stream.empty();
  }
}
