// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.LogEntry;
import java.util.stream.Stream;

/** {@code log}. */
final class LogCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("log", "the kernel's message buffer")
        .alias("dmesg")
        .flag('t', "without the time in front of each message")
        .flag('m', "with the level in front of each message")
        .help(
            """
            Shows the kernel's log as `dmesg` does, oldest message first.

                > log
                [    0.000000] Linux version 6.1.0-50-cloud-amd64 ...
                > log | grep -i error
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 0);
    return call.kernel()
        .log(call)
        .map(entry -> Item.show(new Datum.Text(line(entry, args.has('t'), args.has('m')))));
  }

  /** As {@code dmesg}: the time only in front of the first line of a message. */
  private static String line(LogEntry entry, boolean bare, boolean level) {
    var text = new StringBuilder();
    if (level) {
      text.append('<').append(entry.level()).append('>');
    }
    if (!bare) {
      long micros = entry.nanos() / 1000;
      var seconds = Long.toString(micros / 1_000_000);
      text.append('[').append(" ".repeat(Math.max(0, 5 - seconds.length()))).append(seconds);
      text.append('.').append(Long.toString(1_000_000 + micros % 1_000_000), 1, 7).append("] ");
    }
    return text.append(entry.text()).toString();
  }
}
