// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.ddb;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** ddb's {@code trace} and {@code alltrace}. */
final class TraceCommand implements Command {
  private final boolean all;

  TraceCommand(boolean all) {
    this.all = all;
  }

  @Override
  public CommandSpec spec() {
    var spec =
        all
            ? CommandSpec.crash("alltrace", "show the stack of every thread")
            : CommandSpec.crash("trace", "show the stack of a thread").arguments("[pid | task]");
    return spec.help(
        """
        Shows stacks as ddb's commands of these names do: `trace` of the selected thread or the one
        with that number (`bt`), `alltrace` of all (`::walk thread | ::findstack -v`).

            > trace 1
            > alltrace
        """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, all ? 0 : 1);
    if (all) {
      return call.execute("::walk thread | ::findstack -v");
    }
    return call.execute(args.isEmpty() ? "bt" : "bt " + args.word(0));
  }
}
