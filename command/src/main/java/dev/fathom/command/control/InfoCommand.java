// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** gdb's {@code info}. */
final class InfoCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("info", "show breakpoints, threads, registers, modules or symbols")
        .arguments("breakpoints | threads | registers | sharedlibrary | symbol address")
        .help(
            """
            Shows what gdb's `info` of that name does, by the command of Fathom that has it:
            `::events`, `::threads`, `::regs`, `::objects`, `::whatis`. Words may be cut short.

                > info breakpoints
                > info threads
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 2);
    var what = args.word(0);
    if (args.count() == 2) {
      if ("symbol".startsWith(what) && what.length() > 1) {
        return call.execute(Long.toHexString(call.number(args.operands().get(1))) + "::whatis");
      }
      throw new UsageException("unexpected argument " + args.word(1));
    }
    if (what.equals("b") || ("breakpoints".startsWith(what) && what.length() > 1)) {
      return EventTable.of(call, call.session().control().breakpoints()).stream();
    }
    if ("watchpoints".startsWith(what)) {
      return EventTable.of(
          call, call.session().control().breakpoints().stream().filter(b -> b.watches()).toList())
          .stream();
    }
    if ("threads".startsWith(what)) {
      return ThreadsCommand.list(call, false);
    }
    if ("registers".startsWith(what)) {
      return call.execute("::regs");
    }
    if ("sharedlibrary".startsWith(what)) {
      return call.execute("::objects");
    }
    throw new UsageException("'" + what + "': breakpoints, threads, registers or sharedlibrary");
  }
}
