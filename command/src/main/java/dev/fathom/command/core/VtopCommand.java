// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.model.AddressSpace;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::vtop}. */
final class VtopCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("vtop", "print physical mapping of virtual address")
        .addressRequired()
        .option('a', "task", "in the user address space of this task (address or pid)")
        .help(
            """
            Says which physical address a virtual one is mapped to. In front of a pipe it gives the
            physical address.

                > ffff888003858000::vtop
                virtual ffff888003858000 mapped to physical 3858000
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    long virtual = call.address();
    var space = space(call);
    var physical = space.physical(virtual);
    if (physical.isEmpty()) {
      throw new EvalException(
          "failed to get physical mapping for 0x"
              + Long.toHexString(virtual)
              + ": "
              + space.at(virtual).text());
    }
    if (call.toPipe()) {
      return Stream.of(Item.value(Values.address(call, physical.getAsLong())));
    }
    return Stream.of(
        Item.show(
            new Datum.Fact(
                "virtual "
                    + Long.toHexString(virtual)
                    + " mapped to physical "
                    + Long.toHexString(physical.getAsLong()),
                List.of(
                    new Datum.Field("virtual", "", Cell.address(virtual)),
                    new Datum.Field("physical", "", Cell.address(physical.getAsLong()))))));
  }

  private static AddressSpace space(Invocation call) {
    var given = call.args().option('a');
    if (given.isEmpty()) {
      return call.program().memory();
    }
    var task = Tasks.of(call, call.number(given.get()));
    return call.kernel()
        .userSpace(task)
        .orElseThrow(() -> new EvalException(task.name() + " has no user address space"));
  }
}
