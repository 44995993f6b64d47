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
import dev.fathom.kernel.MemoryUse;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
            `DE` dead. `VSZ` is the process's mapped memory in KiB, `RSS` what of it is in memory.

                > ps
                      PID    PPID CPU TASK             ST      VSZ      RSS COMM
                >       0       0   0 ffffffff8221a940 RU        0        0 [swapper/0]

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
                new Column("vsz", "VSZ", 8, Align.RIGHT),
                new Column("rss", "RSS", 8, Align.RIGHT),
                new Column("command", "COMM", 0, Align.LEFT)));
    return Stream.concat(
        Stream.of(Item.show(header)),
        wanted.map(task -> Item.show(new Datum.Row(cells(call, task)))));
  }

  private static List<Cell> cells(Invocation call, Task task) {
    var use = call.kernel().memoryUse(task);
    return List.of(
        Cell.text(task.running() ? ">" : ""),
        Cell.decimal(task.id(), "not readable"),
        Cell.decimal(task.parent(), "not readable"),
        task.cpu().isPresent()
            ? Cell.decimal(task.cpu().getAsInt())
            : new Cell.Absent("CPU not known"),
        Cell.address(task.object().address()),
        Cell.text(state(task)),
        kibibytes(task, use.map(MemoryUse::virtual)),
        kibibytes(task, use.map(MemoryUse::resident)),
        Cell.text(task.kernelThread() ? "[" + task.name() + "]" : task.name()));
  }

  /** A kernel thread has no memory of its own; of others it may not be readable. */
  private static Cell kibibytes(Task task, Optional<Long> bytes) {
    if (bytes.isPresent()) {
      return Cell.unsigned(bytes.get() >>> 10);
    }
    return task.kernelThread() ? Cell.unsigned(0) : new Cell.Absent("size not known");
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
