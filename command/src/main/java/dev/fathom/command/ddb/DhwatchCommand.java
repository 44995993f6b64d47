// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.ddb;

import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** ddb's {@code dhwatch} and {@code dwatch}. */
final class DhwatchCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("dhwatch", "delete the watchpoints at an address")
        .alias("dwatch")
        .arguments("address")
        .help(
            """
            Deletes the watchpoints at an address; `delete` does it by number.

                > hwatch jiffies_64
                watchpoint 1 at jiffies_64
                > dhwatch jiffies_64
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    String place = call.args().expect(1, 1).word(0);
    long address = call.evaluate(place);
    var control = call.session().control();
    boolean found = false;
    for (var breakpoint : control.breakpoints()) {
      if (breakpoint.watches() && breakpoint.address().orElse(~address) == address) {
        control.delete(breakpoint);
        found = true;
      }
    }
    if (!found) {
      throw new LookupException("watchpoint at", place);
    }
    return Stream.empty();
  }
}
