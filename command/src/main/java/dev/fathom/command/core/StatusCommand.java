// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.ArrayList;
import java.util.stream.Stream;

/** {@code ::status} and {@code $?}. */
final class StatusCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("status", "print summary of current target")
        .alias("$?")
        .help(
            """
            Says what is being looked at: the dump and its format, the kernel in it, why it
            panicked, and what could not be found or had to be guessed.

                > ::status
                debugging crash dump: vmcore (ELF vmcore, x86_64)
                operating system: Linux 6.1.0-18-cloud-amd64
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var info = call.session().target().info();
    var fields = new ArrayList<Datum.Field>();
    fields.add(
        new Datum.Field(
            "target",
            "debugging " + info.kind(),
            Cell.text(info.name() + " (" + info.format() + ", " + info.architecture() + ")")));
    fields.addAll(info.facts());
    fields.addAll(call.kernel().facts());
    call.session().target().warnings().forEach(call::warn);
    call.kernel().warnings().forEach(call::warn);
    return Stream.of(Item.show(new Datum.Fields("status", fields, 0)));
  }
}
