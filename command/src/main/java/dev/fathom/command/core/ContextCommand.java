// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code ::context} and {@code $p}. */
final class ContextCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("context", "change debugger target context")
        .alias("$p")
        .addressRequired()
        .help(
            """
            Selects the thread whose registers and stack `$r`, `<rip` and `$c` show: by address or
            id; 0 goes back to the one that panicked.

                > 0t1::context
                debugger context set to thread ffff888003858000 (init/1)
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    if (call.address() == 0) {
      call.environment().selectTask(OptionalLong.empty());
      return Stream.of(Item.show(new Datum.Fact("debugger context set to kernel", List.of())));
    }
    var task = Tasks.current(call);
    long address = task.object().address();
    call.environment().selectTask(OptionalLong.of(address));
    return Stream.of(
        Item.show(
            new Datum.Fact(
                "debugger context set to thread "
                    + Long.toHexString(address)
                    + " ("
                    + task.name()
                    + "/"
                    + task.idText()
                    + ")",
                List.of(
                    new Datum.Field("id", "", Cell.decimal(task.id(), "not readable")),
                    new Datum.Field("thread", "", Cell.address(address))))));
  }
}
