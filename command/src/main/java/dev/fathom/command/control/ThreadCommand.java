// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** gdb's {@code thread}. */
final class ThreadCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("thread", "select a thread, or say which is selected")
        .arguments("[tid | address]")
        .help(
            """
            Selects the thread with that id whose stack, registers and steps commands mean. It may
            sleep: nothing is written for that. `set` and `::context` do the same.

                > thread 117
                thread 117 (dd): on CPU 0, kernel, in vfs_read+0x11
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    if (args.count() == 1) {
      var word = args.word(0);
      long number =
          word.startsWith("0x") || word.startsWith("ffff")
              ? call.number(args.operands().getFirst())
              : Numbers.decimal(args.operands().getFirst());
      call.environment().selectTask(OptionalLong.of(Tasks.of(call, number).object().address()));
    }
    var task = Tasks.selected(call);
    var where = ThreadsCommand.where(call, task);
    return Stream.of(
        Item.show(
            new Datum.Fact(
                "thread "
                    + task.idText()
                    + " ("
                    + task.name()
                    + "): "
                    + (task.running() && task.cpu().isPresent()
                        ? "on CPU " + task.cpu().getAsInt() + ", " + where.mode()
                        : "state " + where.mode())
                    + ", in "
                    + where.function(),
                List.of(
                    new Datum.Field("thread", "", Cell.address(task.object().address())),
                    new Datum.Field("name", "", Cell.text(task.name())),
                    new Datum.Field("mode", "", Cell.text(where.mode())),
                    new Datum.Field("where", "", Cell.text(where.function()))))));
  }
}
