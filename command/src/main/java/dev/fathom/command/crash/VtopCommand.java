// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.model.AddressSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code vtop}. */
final class VtopCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("vtop", "virtual to physical address")
        .flag('u', "user addresses of the selected task")
        .option('c', "pid|task", "user addresses of this task")
        .arguments("address|symbol ...")
        .help(
            """
            Shows the physical address behind each virtual one, and whether the dump has the page.

                > vtop init_task
                VIRTUAL          PHYSICAL         PAGE
                ffffffff8221a940 000000000221a940 readable
                > vtop -c 1 7ffc8f8d2000
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    if (args.isEmpty()) {
      throw new UsageException("expected an address");
    }
    var space = space(call);
    var items = new ArrayList<Item>();
    items.add(
        Item.show(
            new Datum.Header(
                "translations",
                List.of(
                    new Column("virtual", "VIRTUAL", 16, Align.LEFT),
                    new Column("physical", "PHYSICAL", 16, Align.LEFT),
                    new Column("page", "PAGE", 0, Align.LEFT)))));
    for (var word : args.operands()) {
      long address = Crash.address(call, word.text());
      var physical = space.physical(address);
      var state = space.at(address).text();
      items.add(
          Item.show(
              new Datum.Row(
                  List.of(
                      Cell.address(address),
                      physical.isPresent()
                          ? Cell.address(physical.getAsLong())
                          : new Cell.Absent(state),
                      Cell.text(state)))));
    }
    return items.stream();
  }

  private static AddressSpace space(Invocation call) {
    var args = call.args();
    if (!args.has('u') && !args.has('c')) {
      return call.program().memory();
    }
    var task =
        args.option('c')
            .map(a -> Crash.tasks(call, a.text()).getFirst())
            .orElseGet(() -> Tasks.selected(call));
    return Crash.userSpace(call, task);
  }
}
