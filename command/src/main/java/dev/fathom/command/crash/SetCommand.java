// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.command.gdb.GdbSettings;
import dev.fathom.kernel.Task;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code set}. */
final class SetCommand implements Command {
  private static final int LABEL_WIDTH = 9;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("set", "choose the task that other commands work on")
        .flag('p', "choose the task that panicked")
        .option('c', "cpu", "choose the task on this CPU")
        .arguments(
            "[pid | task | command] | var expression | $name = expression | print setting value"
                + " | substitute-path from to")
        .help(
            """
            Chooses the task whose stack, registers and user memory other commands show; without
            an argument it says which one that is.

            As gdb's, it assigns to memory and registers of a target that is open for writing, and
            to variables of your own (`set var`, `set $name =`), and says how values are shown
            (`set print pretty on|off`, `set print elements number|unlimited`; `set print object
            on|off`: whether what points to a base class of C++ shows the object that is there; `set
            print entry-values no|only|preferred|if-needed|both|compact|default`: whether frames show
            what callers passed).
            `set substitute-path FROM TO` looks for source files under the folder FROM in the folder TO instead; `show
            substitute-path` lists such rules, `unset substitute-path` forgets them.

                > set 1
                      PID 1
                  COMMAND init
                     TASK ffff888003858000
                      CPU 0
                    STATE IN
                > set -p
                > set $mine = &init_task
                > set substitute-path debian/build/build_amd64_none_cloud-amd64 /usr/src/linux-6.1
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var assigned = GdbSettings.set(call);
    if (assigned.isPresent()) {
      return assigned.get();
    }
    var args = call.args().expect(0, 1);
    Optional<Task> chosen = Optional.empty();
    if (args.has('p')) {
      chosen = Optional.of(panicked(call));
    } else if (args.has('c')) {
      int wanted = Crash.cpus(call, args.option('c').orElseThrow().text()).getFirst();
      for (var cpu : call.kernel().cpus()) {
        chosen = cpu.id() == wanted ? cpu.current() : chosen;
      }
      if (chosen.isEmpty()) {
        throw new LookupException("task on CPU", Integer.toString(wanted));
      }
    } else if (!args.isEmpty()) {
      chosen = Optional.of(Crash.tasks(call, args.word(0)).getFirst());
    }
    chosen.ifPresent(
        task -> call.environment().selectTask(OptionalLong.of(task.object().address())));
    return Stream.of(Item.show(fields(Tasks.selected(call))));
  }

  private static Task panicked(Invocation call) {
    if (call.kernel().panic().isEmpty()) {
      throw new EvalException("this kernel did not panic");
    }
    return call.kernel()
        .initialTask()
        .orElseThrow(() -> new EvalException("the task that panicked is not known"));
  }

  private static Datum.Fields fields(Task task) {
    return new Datum.Fields(
        "task",
        List.of(
            new Datum.Field("pid", "PID", Cell.decimal(task.id(), "not readable")),
            new Datum.Field("command", "COMMAND", Cell.text(task.name())),
            new Datum.Field("task", "TASK", Cell.address(task.object().address())),
            new Datum.Field(
                "cpu",
                "CPU",
                task.cpu().isPresent()
                    ? Cell.decimal(task.cpu().getAsInt())
                    : new Cell.Absent("CPU not known")),
            new Datum.Field("state", "STATE", Cell.text(PsCommand.state(task)))),
        LABEL_WIDTH);
  }
}
