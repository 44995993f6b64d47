// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.arch.Disassemblers;
import dev.fathom.model.arch.Syntax;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::disasms} and {@code $V}. */
final class DisasmsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("disasms", "list available disassemblers")
        .alias("$V")
        .help(
            """
            Lists the disassemblers for this CPU, the preferred one first, and why one cannot be
            used here.

                > ::disasms
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var offers = Disassemblers.installed().offers(call.program().architecture().name(), Syntax.ATT);
    var header =
        new Datum.Header(
            "disassemblers",
            List.of(
                new Datum.Column("name", "", 24, Datum.Align.LEFT),
                new Datum.Column("dash", "", 1, Datum.Align.LEFT),
                new Datum.Column("description", "", 0, Datum.Align.LEFT)));
    return Stream.concat(
        Stream.of(Item.show(header)),
        offers.stream()
            .map(
                offer ->
                    Item.show(
                        new Datum.Row(
                            List.of(
                                Cell.text(offer.provider().name()),
                                Cell.text("-"),
                                Cell.text(
                                    offer
                                        .problem()
                                        .map(why -> "not usable here: " + why)
                                        .orElseGet(() -> offer.provider().description())))))));
  }
}
