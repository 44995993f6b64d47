// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code ps}. */
final class PsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("ps", "list every task")
        .flag('k', "only kernel threads")
        .flag('u', "only tasks of user processes")
        .flag('G', "only the first thread of each process")
        .flag('A', "only tasks that are on a CPU")
        .arguments("[pid | task | command ...]")
        .help(
            """
            Lists tasks as the crash utility does, threads and idle tasks included. A `>` marks
            those that are on a CPU. `ST` is `RU` running, `IN` interruptible sleep, `UN`
            uninterruptible sleep, `ID` idle kernel thread, `ZO` zombie, `ST` stopped, `TR` traced,
            `DE` dead.

                > ps
                  PID    PPID  CPU       TASK        ST  COMM
                >      0       0   0  ffffffff8221a940  RU  [swapper/0]

                > ps -k
                > ps 1 sh
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    Stream<Task> tasks;
    if (args.isEmpty()) {
      tasks = call.kernel().tasks(call);
    } else {
      var named = new ArrayList<Task>();
      for (var word : args.operands()) {
        named.addAll(Crash.tasks(call, word.text()));
      }
      tasks = named.stream();
    }
    var wanted =
        tasks
            .filter(t -> !args.has('k') || t.kernelThread())
            .filter(t -> !args.has('u') || !t.kernelThread())
            .filter(t -> !args.has('G') || t.isLeader())
            .filter(t -> !args.has('A') || t.running());
    var header =
        new Datum.Header(
            "tasks",
            List.of(
                new Column("running", "", 1, Align.LEFT),
                new Column("pid", "PID", 7, Align.RIGHT),
                new Column("ppid", "PPID", 7, Align.RIGHT),
                new Column("cpu", "CPU", 3, Align.RIGHT),
                new Column("task", "TASK", 16, Align.LEFT),
                new Column("state", "ST", 2, Align.LEFT),
                new Column("command", "COMM", 0, Align.LEFT)));
    return Stream.concat(
        Stream.of(Item.show(header)), wanted.map(task -> Item.show(new Datum.Row(cells(task)))));
  }

  private static List<Cell> cells(Task task) {
    return List.of(
        Cell.text(task.running() ? ">" : ""),
        Cell.decimal(task.id(), "not readable"),
        Cell.decimal(task.parent(), "not readable"),
        task.cpu().isPresent()
            ? Cell.decimal(task.cpu().getAsInt())
            : new Cell.Absent("CPU not known"),
        Cell.address(task.object().address()),
        Cell.text(state(task)),
        Cell.text(task.kernelThread() ? "[" + task.name() + "]" : task.name()));
  }

  /** crash's two letters for a state. */
  static String state(Task task) {
    return switch (task.state()) {
      case 'R' -> "RU";
      case 'S' -> "IN";
      case 'D' -> "UN";
      case 'I' -> "ID";
      case 'Z' -> "ZO";
      case 'T' -> "ST";
      case 't' -> "TR";
      case 'X' -> "DE";
      case 'P' -> "PA";
      default -> "??";
    };
  }
}
