// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.command.ValueTree;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code task}. */
final class TaskCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("task", "show a task's structure")
        .flag('x', "numbers in hexadecimal")
        .flag('d', "numbers in decimal (the default)")
        .option('R', "member[,member...]", "only these members")
        .arguments("[pid | task | command ...]")
        .help(
            """
            Shows the structure of the selected task or of those named, whole or some members.

                > task -R state,prio 1
                > task 1
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var tasks = new ArrayList<Task>();
    for (var word : args.operands()) {
      tasks.addAll(Crash.tasks(call, word.text()));
    }
    if (tasks.isEmpty()) {
      tasks.add(Tasks.selected(call));
    }
    var options = ValueTree.Options.crash(args.has('x') ? Cell.Radix.HEX : Cell.Radix.DECIMAL);
    var members = args.option('R').map(a -> List.of(a.text().split(","))).orElse(List.of());
    return tasks.stream()
        .flatMap(
            task -> {
              var value = task.object();
              if (members.isEmpty()) {
                return Stream.of(
                    ValueTree.show(call, Optional.of(value.type().text()), value, options));
              }
              return members.stream()
                  .map(m -> ValueTree.show(call, Optional.of(m), value.member(m), options));
            });
  }
}
