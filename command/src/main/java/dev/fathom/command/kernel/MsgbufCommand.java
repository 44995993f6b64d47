// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.LogEntry;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::msgbuf}. */
final class MsgbufCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("msgbuf", "print most recent console messages")
        .flag('v', "also show each message's time in seconds since boot, its level and facility")
        .help(
            """
            Shows the kernel's log, oldest message first, straight from its ring buffer.

                > ::msgbuf
                MESSAGE
                Linux version 6.1.0-50-cloud-amd64 ...

                > ::msgbuf -v
                TIMESTAMP      LEVEL FACILITY MESSAGE
                0.000000       5     0        Linux version 6.1.0-50-cloud-amd64 ...
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    boolean verbose = call.args().has('v');
    var message = new Column("message", "MESSAGE", 0, Align.LEFT);
    var header =
        new Datum.Header(
            "log",
            verbose
                ? List.of(
                    new Column("seconds", "TIMESTAMP", 14, Align.LEFT),
                    new Column("level", "LEVEL", 5, Align.LEFT),
                    new Column("facility", "FACILITY", 8, Align.LEFT),
                    message)
                : List.of(message));
    return Stream.concat(
        Stream.of(Item.show(header)),
        call.kernel().log(call).map(entry -> Item.show(new Datum.Row(cells(entry, verbose)))));
  }

  private static List<Cell> cells(LogEntry entry, boolean verbose) {
    var message = Cell.text(entry.text());
    return verbose
        ? List.of(
            Cell.text(seconds(entry.nanos())),
            Cell.decimal(entry.level()),
            Cell.decimal(entry.facility()),
            message)
        : List.of(message);
  }

  /** Seconds with six digits behind the point, as the kernel itself prints them. */
  private static String seconds(long nanos) {
    long micros = nanos / 1000;
    var fraction = Long.toString(1_000_000 + micros % 1_000_000).substring(1);
    return micros / 1_000_000 + "." + fraction;
  }
}
