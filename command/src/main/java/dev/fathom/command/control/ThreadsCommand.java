// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.base.FathomException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.StackView;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.Registers;
import dev.fathom.model.unwind.Frame;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::threads}, and gdb's {@code info threads}. */
final class ThreadsCommand implements Command {
  /** The privilege bits of x86's code selector. */
  private static final long PRIVILEGE = 3;

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("threads", "list the threads and where each is")
        .flag('r', "only those that are on a CPU")
        .yields("struct task_struct")
        .help(
            """
            Lists the kernel's threads, not the machine's CPUs: what each does and the function in
            which it is. A thread on a CPU is in the `kernel`, interrupted (`interrupt`), `idle` or
            in `user` mode; the others are marked by `ps`'s letter of their state. `*` marks the
            selected thread.

                > ::threads -r
                  CPU MODE      TID    PID    ADDR             NAME             WHERE
                *   0 kernel    117    117    ffff888004a40000 dd               vfs_read+0x11
                    1 idle      0      0      ffff888003858000 swapper/1        default_idle+0xf
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    return list(call, call.args().has('r'));
  }

  static Stream<Item> list(Invocation call, boolean running) {
    var tasks = call.kernel().tasks(call).filter(task -> !running || task.running());
    if (call.toPipe()) {
      return tasks.map(task -> Item.value(task.object()));
    }
    var selected = call.environment().currentTask(call.kernel()).map(Task::object);
    var header =
        Item.show(
            new Datum.Header(
                "threads",
                List.of(
                    new Column("selected", "", 1, Align.LEFT),
                    new Column("cpu", "CPU", 3, Align.RIGHT),
                    new Column("mode", "MODE", 9, Align.LEFT),
                    new Column("tid", "TID", 6, Align.LEFT),
                    new Column("pid", "PID", 6, Align.LEFT),
                    new Column("addr", "ADDR", 16, Align.LEFT),
                    new Column("name", "NAME", 16, Align.LEFT),
                    new Column("where", "WHERE", 0, Align.LEFT))));
    return Stream.concat(
        Stream.of(header),
        tasks.map(
            task -> {
              boolean here =
                  selected.isPresent() && selected.get().address() == task.object().address();
              return Item.show(row(call, task, here));
            }));
  }

  private static Datum row(Invocation call, Task task, boolean selected) {
    var where = where(call, task);
    var cells = new ArrayList<Cell>();
    cells.add(Cell.text(selected ? "*" : ""));
    cells.add(
        task.cpu().isPresent()
            ? Cell.decimal(task.cpu().getAsInt())
            : new Cell.Absent("CPU not known"));
    cells.add(Cell.text(where.mode()));
    cells.add(
        task.id().isPresent()
            ? Cell.decimal(task.id().getAsLong())
            : new Cell.Absent("cannot be read"));
    cells.add(
        task.process().isPresent()
            ? Cell.decimal(task.process().getAsLong())
            : new Cell.Absent("cannot be read"));
    cells.add(Cell.address(task.object().address()));
    cells.add(Cell.text(task.name()));
    cells.add(Cell.text(where.function()));
    return new Datum.Row(cells);
  }

  /** What a thread does, and in which function. */
  record Where(String mode, String function) {}

  static Where where(Invocation call, Task task) {
    Kernel kernel = call.kernel();
    try {
      var trace = Frames.walk(call.session(), task);
      var frames = trace.frames();
      var top =
          frames.isEmpty()
              ? trace.why()
              : StackView.symbol(call.program().symbols(), frames.getFirst());
      if (!task.running()) {
        return new Where(String.valueOf(task.state()), asleep(call, frames, top));
      }
      var registers = kernel.registersOf(task);
      // A kernel that runs as a process is in user mode itself, and has frames.
      if (frames.isEmpty() && registers.isPresent() && isUser(registers.get())) {
        return new Where("user", "0x" + Long.toHexString(registers.get().pc().orElse(0)));
      }
      boolean interrupted = frames.stream().anyMatch(f -> f.how() == Frame.How.EXCEPTION);
      return new Where(interrupted ? "interrupt" : task.isIdle() ? "idle" : "kernel", top);
    } catch (FathomException e) {
      return new Where(task.running() ? "?" : String.valueOf(task.state()), e.getMessage());
    }
  }

  /** The first function that is not the scheduler's own. */
  private static String asleep(Invocation call, List<Frame> frames, String top) {
    for (var frame : frames) {
      var name = StackView.symbol(call.program().symbols(), frame);
      if (!name.matches(
          "(__)?schedule(_timeout)?\\+.*|__switch_to.*|switch_threads.*|schedule_.*")) {
        return name;
      }
    }
    return top;
  }

  private static boolean isUser(Registers registers) {
    var cs = registers.file().named("cs");
    return cs.isPresent()
        && registers.get(cs.get()).isPresent()
        && (registers.get(cs.get()).getAsLong() & PRIVILEGE) == PRIVILEGE;
  }
}
