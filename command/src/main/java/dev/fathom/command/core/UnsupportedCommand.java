// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.UnsupportedException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** A command of mdb's that needs a live target. */
final class UnsupportedCommand implements Command {
  private final String name;

  UnsupportedCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb(name, "needs a live target")
        .addressOptional()
        .arguments("...")
        .help(
            """
            mdb's commands that run, stop or change a live target say here that a dump cannot.

                > :c
                operation not supported by target
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    throw new UnsupportedException("operation not supported by target");
  }
}
