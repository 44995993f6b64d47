// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.OutputFile;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::log} and {@code $>}. */
final class LogCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("log", "log session to a file")
        .alias("$>")
        .flag('d', "stop logging")
        .option('e', "file", "add to this file")
        .arguments("[file]")
        .help(
            """
            Adds the command lines that follow and what they show to a file. Without arguments it
            says whether the session is logged.

                > ::log session.txt
                logging to "session.txt"
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    var log = call.environment().log();
    if (args.has('d')) {
      args.expect(0, 0);
      log.stop();
      return Stream.empty();
    }
    var given =
        args.option('e')
            .map(word -> word.text())
            .or(() -> args.operands().stream().findFirst().map(word -> word.text()));
    if (given.isPresent()) {
      log.start(OutputFile.named(given.get(), call.session(), call.environment().settings()));
      return Stream.of(fact("logging to \"" + given.get() + "\""));
    }
    return Stream.of(
        fact(
            log.file().isEmpty()
                ? "logging is disabled"
                : "logging to \""
                    + log.file().get()
                    + "\" is currently "
                    + (log.enabled() ? "enabled" : "disabled")));
  }

  private static Item fact(String text) {
    return Item.show(new Datum.Fact(text, List.of()));
  }
}
