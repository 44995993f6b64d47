// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.gdb.InfoTopics;
import dev.fathom.command.source.SourceInfoWords;
import java.util.stream.Stream;

/** gdb's {@code info}. */
final class InfoCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash(
            "info", "show breakpoints, threads, registers, modules, symbols, frames, lines")
        .arguments(
            "breakpoints | threads | registers [name ...] | all-registers | sharedlibrary"
                + " | proc [mappings] | signals [SIGNAL] | files | symbol address"
                + " | address symbol | types|variables|functions [regex] | vtbl object | display"
                + " | frame | locals | args | line [place] | scope place | source")
        .help(
            """
            Shows what gdb's `info` of that name does, by the command of Fathom that has it:
            `::events`, `::threads`, `::objects`. Words may be cut short. `info registers` shows the
            general registers of the selected frame, `info all-registers` also the vector registers
            and those of the FPU. Of a process, `info proc` shows its id, arguments, working
            directory and program, `info proc mappings` its memory, `info signals` the signals that
            stop it (`handle`). `info files` is `::status` and `::objects`. `info symbol`
            names what stands at an address, `info address` says where a symbol is; `info types`,
            `info variables` and `info functions` list those whose names match; `info vtbl` the
            virtual functions that an object of C++ has. With debug information: `info frame`,
            `info locals` and `info args` of the selected frame, `info line` of a place (a function,
            FILE:LINE, *ADDRESS), `info scope` the variables there and where they are kept.

                > info breakpoints
                > info threads
                > info symbol $rip
                > info registers rip eflags
                > info proc mappings
                > info types ^list_
                > info locals
                > info line vfs_read
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var topic = InfoTopics.of(call);
    if (topic.isPresent()) {
      return topic.get();
    }
    var args = call.args().expect(1, 2);
    var what = args.word(0);
    var ofSource = SourceInfoWords.run(call, what);
    if (ofSource.isPresent()) {
      return ofSource.get();
    }
    if (args.count() == 2) {
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
    if ("sharedlibrary".startsWith(what)) {
      return call.execute("::objects");
    }
    throw new UsageException("'" + what + "': breakpoints, threads, registers or sharedlibrary");
  }
}
