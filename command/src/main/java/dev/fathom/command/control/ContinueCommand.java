// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code :c} and {@code ::cont}; in gdb's spelling {@code continue}. */
final class ContinueCommand implements Command {
  private final Grammar grammar;
  private final Stops stops;

  ContinueCommand(Grammar grammar, Stops stops) {
    this.grammar = grammar;
    this.stops = stops;
  }

  @Override
  public CommandSpec spec() {
    return (switch (grammar) {
          case MDB -> CommandSpec.mdb("cont", "let the target go on").alias(":c");
          case CRASH -> CommandSpec.crash("continue", "let the target go on").alias("c");
        })
        .flag('w', "wait for a stop also when no breakpoint is set")
        .arguments(grammar == Grammar.CRASH ? "[count]" : "")
        .help(
            """
            Lets the target go on until a breakpoint stops it; Ctrl-C stops it before. Without
            breakpoints there is nothing to wait for: the target runs, and commands look at it while
            it does. A count in gdb's spelling has the breakpoint that stopped it ignore so many
            more hits but the last.

                > vfs_read::bp
                > :c
                breakpoint 1: dd/117 on CPU 1
                vfs_read:                       nopl   0x0(%rax,%rax,1)
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, grammar == Grammar.CRASH ? 1 : 0);
    var control = call.session().control();
    if (args.count() == 1) {
      ignore(call, Numbers.decimal(args.operands().getFirst()));
    }
    if (stops.goOnAfterwards()) {
      return Stream.empty();
    }
    if (!control.armed() && !args.has('w')) {
      control.release();
      call.environment().selectTask(OptionalLong.empty());
      call.remark("the target runs; ::stop stops it");
      return Stream.empty();
    }
    return stops.of(call, control::proceed);
  }

  private static void ignore(Invocation call, long count) {
    if (count < 1) {
      throw new UsageException("the count must be at least 1");
    }
    var last = call.session().control().lastHit();
    if (last.isEmpty()) {
      throw new UsageException("no breakpoint stopped the target");
    }
    last.get().ignore(count - 1);
  }
}
