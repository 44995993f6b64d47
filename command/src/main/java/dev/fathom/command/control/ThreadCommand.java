// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.StringJoiner;
import java.util.stream.Stream;

/** gdb's {@code thread}. */
final class ThreadCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("thread", "select a thread, or say which is selected")
        .reading(CommandSpec.Reading.EXPRESSION)
        .arguments("[tid | address | apply all|tid... command]")
        .help(
            """
            Selects the thread with that id whose stack, registers and steps commands mean. It may
            sleep: nothing is written for that. `set` and `::context` do the same.
            `thread apply` runs a command for each of some threads or all, and selects the one again
            that was selected before; where the command fails, the next thread's goes on.

                > thread 117
                thread 117 (dd): on CPU 0, kernel, in vfs_read+0x11
                > thread apply all bt
                > thread apply 1 117 p $rip
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = call.args().operands();
    if (!words.isEmpty() && words.getFirst().text().equals("apply")) {
      return apply(call, words.subList(1, words.size()));
    }
    call.args().expect(0, 1);
    if (!words.isEmpty()) {
      select(call, named(call, words.getFirst()));
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

  private static void select(Invocation call, Task task) {
    call.environment().selectTask(OptionalLong.of(task.object().address()));
  }

  private static Task named(Invocation call, Argument word) {
    var text = word.text();
    return Tasks.of(
        call,
        text.startsWith("0x") || text.startsWith("ffff")
            ? call.number(word)
            : Numbers.decimal(word));
  }

  /** {@code apply all bt}, {@code apply 1 117 p $rip}: without the first word. */
  private static Stream<Item> apply(Invocation call, List<Argument> words) {
    int command = 0;
    boolean all = !words.isEmpty() && words.getFirst().text().equals("all");
    while (command < words.size()
        && (all ? command == 0 : words.get(command).text().matches("[0-9].*|ffff.*"))) {
      command++;
    }
    if (command == 0 || command == words.size()) {
      throw new UsageException("expected thread apply all|tid... command");
    }
    var line = new StringJoiner(" ");
    words.subList(command, words.size()).forEach(word -> line.add(word.text()));
    var threads =
        all
            ? call.kernel().tasks(call)
            : words.subList(0, command).stream().map(word -> named(call, word));
    return threads.flatMap(task -> applied(call, task, line.toString()).stream());
  }

  /** What a line shows for a thread; another stays selected. */
  private static List<Item> applied(Invocation call, Task task, String line) {
    var environment = call.environment();
    var selected = environment.selectedTask();
    int frame = environment.selectedFrame();
    boolean chosen = environment.frameChosen();
    var items = new ArrayList<Item>();
    items.add(
        Item.show(
            new Datum.Fact(
                "Thread " + task.idText() + " (" + task.name() + "):",
                List.of(new Datum.Field("thread", "", Cell.address(task.object().address()))))));
    try {
      select(call, task);
      try (var shown = call.execute(line)) {
        shown.forEach(items::add);
      }
    } catch (UsageException e) {
      throw e;
    } catch (FathomException e) {
      call.fail("thread " + task.idText() + ": " + e.getMessage());
    } finally {
      environment.selectTask(selected);
      if (chosen) {
        environment.selectFrame(frame);
      }
    }
    return items;
  }
}
