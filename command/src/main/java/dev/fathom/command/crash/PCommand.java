// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** {@code p}. */
final class PCommand implements Command {
  /** {@code symbol:cpus}: an instance of a per-CPU variable. */
  private static final Pattern PER_CPU = Pattern.compile("(\\w+):([0-9,\\-]*|a|all)");

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("p", "print the value of a C expression")
        .flag('x', "numbers in hexadecimal")
        .flag('d', "numbers in decimal (the default)")
        .arguments("expression[:cpus]")
        .help(
            """
            Evaluates a C expression: operators, casts to any type, `sizeof`, members, array
            elements, `@` for slices, registers of the selected task as `$rip`, `per_cpu(var, cpu)`
            and `container_of(pointer, type, member)`. A per-CPU variable takes a list of CPUs
            behind a colon.

                > p init_task.comm
                $1 = "swapper/0"
                > p ((struct task_struct *)0xffff888003858000)->pid
                > p -x runqueues:0
                > p sizeof(struct page)
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    if (args.isEmpty()) {
      throw new UsageException("expected an expression");
    }
    var text = args.joined();
    var options = ValueTree.Options.crash(args.has('x') ? Cell.Radix.HEX : Cell.Radix.DECIMAL);
    var perCpu = PER_CPU.matcher(text);
    if (!perCpu.matches()) {
      return Stream.of(show(text, Expressions.evaluate(text, Crash.scope(call)), options, call));
    }
    var name = perCpu.group(1);
    List<Item> items = new ArrayList<>();
    for (int cpu : Crash.cpus(call, perCpu.group(2))) {
      var value = Expressions.evaluate("per_cpu(" + name + ", " + cpu + ")", Crash.scope(call));
      items.add(show("per_cpu(" + name + ", " + cpu + ")", value, options, call));
    }
    return items.stream();
  }

  private static Item show(String name, Value value, ValueTree.Options options, Invocation call) {
    return call.toPipe()
        ? Item.value(value)
        : ValueTree.show(call, Optional.of(name), value, options);
  }
}
