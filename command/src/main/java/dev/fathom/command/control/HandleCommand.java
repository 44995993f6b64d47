// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.target.SignalControl;
import dev.fathom.target.SignalNames;
import java.util.List;
import java.util.stream.Stream;

/** gdb's {@code handle}: which signals stop a process. */
final class HandleCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("handle", "which signals stop a process")
        .arguments("SIGNAL stop | nostop")
        .help(
            """
            Says whether a signal that arrives for the process stops it before it is delivered. It
            is delivered in either case. Signals are given by name or number.

                > handle SIGUSR1 nostop
                10 (SIGUSR1): nostop
                > handle 11 stop
                11 (SIGSEGV): stop
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(2, 2);
    int signal = SignalNames.number(args.word(0));
    if (signal == 0) {
      throw new UsageException("'" + args.word(0) + "' is no signal");
    }
    boolean passes =
        switch (args.word(1)) {
          case "stop" -> false;
          case "nostop" -> true;
          default -> throw new UsageException("'" + args.word(1) + "': stop or nostop is needed");
        };
    call.session()
        .target()
        .find(SignalControl.class)
        .orElseThrow(() -> new UnsupportedException("signals are a process's, not this target's"))
        .pass(signal, passes);
    String what = passes ? "nostop" : "stop";
    return Stream.of(
        Item.show(
            new Datum.Fact(
                SignalNames.text(signal) + ": " + what,
                List.of(
                    new Datum.Field("signal", "", Cell.decimal(signal)),
                    new Datum.Field("what", "", Cell.text(what))))));
  }
}
