// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::events} and {@code $b}. */
final class EventsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("events", "list breakpoints and watchpoints")
        .alias("$b")
        .flag('a', "accepted, as mdb has it: all are always shown")
        .flag('v', "accepted likewise")
        .help(
            """
            Lists breakpoints and watchpoints: how often each was hit, where it is, what it waits
            for.

                > ::events
                 ID STATE     KIND         HITS ADDRESS          PLACE
                  1 enabled   code            3 ffffffff812f0d20 vfs_read  if comm == "dd"
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    return EventTable.of(call, call.session().control().breakpoints()).stream();
  }
}
