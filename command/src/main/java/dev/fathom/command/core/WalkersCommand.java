// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.Walker;
import java.util.Comparator;
import java.util.stream.Stream;

/** {@code ::walkers}. */
final class WalkersCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("walkers", "list available walkers")
        .flag('n', "match the name only, not the description")
        .arguments("[pattern]")
        .help(
            """
            Lists the walks that `::walk` knows. A pattern (a regular expression) picks those whose
            name or description it is found in.

                > ::walkers thread
                thread                   - every thread of every process
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var filter = NameList.filter(call);
    return Stream.concat(
        NameList.header("walkers"),
        call.kernel().walkers().stream()
            .filter(walker -> filter.test(walker.name(), walker.description()))
            .sorted(Comparator.comparing(Walker::name))
            .map(walker -> NameList.row(walker.name(), walker.description())));
  }
}
