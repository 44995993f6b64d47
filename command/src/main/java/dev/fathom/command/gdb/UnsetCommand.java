// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** gdb's {@code unset}, for {@code substitute-path}. */
final class UnsetCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("unset", "forget where sources are looked for instead")
        .arguments("substitute-path [from]")
        .help(
            """
            Takes back what `set substitute-path FROM TO` has set: one rule, or all of them.

                > unset substitute-path /build/linux-6.1
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    GdbSettings.unset(call);
    return Stream.empty();
  }
}
