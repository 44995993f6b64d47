// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::pid2task}. */
final class PidToTaskCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("pid2task", "convert a process or thread id to its task")
        .alias("pid2proc")
        .addressRequired()
        .yields("struct task_struct")
        .help(
            """
            Gives the structure of the task whose id stands in front of it. Ids are numbers of the
            expression language, so a decimal one needs `0t`.

                > 0t1::pid2task
                ffff888003858000
                > 0t1::pid2task | ::findstack -v
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    long id = call.address();
    var task = call.kernel().taskOfId(id);
    return Stream.of(
        Item.value(
            task.orElseThrow(() -> new LookupException("process or thread id", Long.toString(id)))
                .object()));
  }
}
