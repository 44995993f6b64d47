// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.List;
import java.util.stream.Stream;

/** {@code $w}. */
final class WidthCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("$w", "get/set output page width")
        .addressOptional()
        .help(
            """
            Shows the columns of a page, or sets them to the address in front.

                > 0t132$w
                output page width is 132 columns
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var settings = call.environment().settings();
    if (call.hasAddress()) {
      settings.width(Math.clamp(call.address(), 0, Integer.MAX_VALUE));
    }
    return Stream.of(
        Item.show(
            new Datum.Fact(
                "output page width is " + settings.width() + " columns",
                List.of(new Datum.Field("width", "width", Cell.decimal(settings.width()))))));
  }
}
