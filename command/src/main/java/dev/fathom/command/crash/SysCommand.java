// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.ArrayList;
import java.util.Locale;
import java.util.stream.Stream;

/** {@code sys}. */
final class SysCommand implements Command {
  private static final int LABEL_WIDTH = 14;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("sys", "facts of the system and the dump")
        .help(
            """
            Shows where the dump comes from and what the kernel says of itself: release, uptime,
            CPUs, tasks, the message of its panic.

                > sys
                      DUMPFILE vmcore
                        FORMAT ELF vmcore
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var info = call.session().target().info();
    var fields = new ArrayList<Datum.Field>();
    fields.add(new Datum.Field("dumpfile", "DUMPFILE", Cell.text(info.name())));
    fields.add(new Datum.Field("format", "FORMAT", Cell.text(info.format())));
    fields.addAll(info.facts());
    fields.addAll(call.kernel().facts());
    fields.add(new Datum.Field("cpus", "CPUS", Cell.decimal(call.kernel().cpus().size())));
    fields.add(new Datum.Field("tasks", "TASKS", Cell.decimal(call.kernel().tasks(call).count())));
    fields.replaceAll(f -> new Datum.Field(f.key(), f.label().toUpperCase(Locale.ROOT), f.value()));
    return Stream.of(Item.show(new Datum.Fields("system", fields, LABEL_WIDTH)));
  }
}
