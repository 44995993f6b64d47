// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::delete}, {@code :d} and {@code :z}. */
final class DeleteCommand implements Command {
  private final String name;

  DeleteCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    return (name.equals(":z")
            ? CommandSpec.mdb(":z", "delete all breakpoints")
            : CommandSpec.mdb("delete", "delete breakpoints").alias(":d"))
        .addressOptional()
        .arguments(name.equals(":z") ? "" : "[id ... | all]")
        .help(
            """
            Deletes the breakpoints and watchpoints with these numbers, those at the address in
            front, or all of them (`:z` and `all`).

                > ::delete 1
                > vfs_read::delete
                > :z
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var control = call.session().control();
    var args = call.args();
    if (name.equals(":z") || (args.count() == 1 && args.word(0).equals("all"))) {
      control.breakpoints().forEach(control::delete);
      return Stream.empty();
    }
    if (args.isEmpty() && !call.hasAddress()) {
      throw new UsageException("a number, an address or 'all' is needed");
    }
    for (var operand : args.operands()) {
      control.delete(control.breakpoint(Numbers.decimal(operand)));
    }
    if (call.hasAddress()) {
      for (var breakpoint : control.breakpoints()) {
        if (breakpoint.addresses().contains(call.address())) {
          control.delete(breakpoint);
        }
      }
    }
    return Stream.empty();
  }
}
