// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::echo}. */
final class EchoCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("echo", "echo arguments")
        .arguments("[argument ...]")
        .help(
            """
            Shows its arguments with a blank between two. In front of a pipe the text is read as
            expressions, each of which becomes an input of the next command.

                > ::echo 1 $[2+3]
                1 0x5
                > ::echo '1; 2; 3' | ::map .+1
                0x2
                0x3
                0x4
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    return Stream.of(Item.show(new Datum.Text(call.args().joined())));
  }
}
