// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.Task;
import java.util.stream.Stream;

/** {@code ::ps}. */
final class PsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("ps", "list processes (and associated threads)")
        .flag('t', "list every thread, idle threads included")
        .yields("struct task_struct")
        .help(
            """
            Lists the processes: state, process id, parent's process id, more that the kernel
            knows of each, the address of the structure that describes it, and its name. In front
            of a pipe it gives these structures.

            State letters are those of `ps`: `R` running or ready, `S` sleeping, `D` sleeping
            uninterruptibly, `I` idle kernel thread, `T` stopped, `t` traced, `Z` zombie, `X` dead.

                > ::ps
                S PID    PPID   ...  ADDR             NAME
                S 1      0      ...  ffff888003858000 init

                > ::ps | ::print struct task_struct comm
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    boolean threads = call.args().has('t');
    var tasks = call.kernel().tasks(call).filter(task -> threads || isProcess(task));
    if (call.toPipe()) {
      return tasks.map(task -> Item.value(task.object()));
    }
    var table = new TaskTable(call.kernel(), threads);
    return tasks.flatMap(task -> table.row(task).stream());
  }

  /** The first thread of its process; of the idle threads, which share id 0, that of CPU 0. */
  static boolean isProcess(Task task) {
    return task.isLeader() && (!task.isIdle() || task.cpu().orElse(0) == 0);
  }
}
