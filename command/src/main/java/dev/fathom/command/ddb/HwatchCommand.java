// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.ddb;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** ddb's {@code hwatch}. */
final class HwatchCommand implements Command {
  private static final Pattern PLACE = Pattern.compile("([^,\\s]+)(?:,([1248]))?");

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("hwatch", "stop when memory is written")
        .arguments("address[,size]")
        .help(
            """
            Stops the target behind an instruction that writes to memory at an address, of 1, 2, 4
            or 8 bytes (8 when none is said), as `address::wp -L size` does. `dhwatch` deletes it.

                > hwatch jiffies_64,8
                watchpoint 1 at jiffies_64
                > dhwatch jiffies_64
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var place = PLACE.matcher(call.args().expect(1, 1).word(0));
    if (!place.matches()) {
      throw new UsageException("'" + call.args().word(0) + "': expected address[,size]");
    }
    String size = place.group(2) == null ? "8" : place.group(2);
    return call.execute(place.group(1) + "::wp -L " + size);
  }
}
