// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::eval}. */
final class EvalCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("eval", "evaluate the specified command")
        .addressOptional()
        .arguments("command")
        .help(
            """
            Runs its argument as if it had been typed; dot is the input. Quote the command when it
            has blanks, pipes or semicolons.

                > ::walk thread t | ::eval '<t=K; .::print struct task_struct comm'
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(1, Integer.MAX_VALUE);
    return call.execute(call.args().joined());
  }
}
