// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::which}. */
final class WhichCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("which", "show the definitions of a command")
        .alias("whence")
        .flag('v', "also those that the first one hides")
        .arguments("name ...")
        .help(
            """
            Says which group of commands a name comes from. `group`name` asks for the one of a
            group when several have it.

                > ::which ps
                ::ps is a dcmd from kernel
                ps is a command from crash
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    return call.args().expect(1, Integer.MAX_VALUE).operands().stream()
        .flatMap(operand -> definitions(call, operand.text()).stream());
  }

  private static List<Item> definitions(Invocation call, String typed) {
    var items = new ArrayList<Item>();
    var name = typed.startsWith("::") ? typed.substring(2) : typed;
    for (var grammar : Grammar.values()) {
      definitions(call, grammar, name, items);
    }
    for (var walker : call.kernel().walkers()) {
      if (walker.name().equals(name)) {
        items.add(fact(name, name + " is a walker of the kernel model", call.kernel().os()));
      }
    }
    if (items.isEmpty()) {
      call.fail(typed + " is not found");
    }
    return items;
  }

  private static void definitions(Invocation call, Grammar grammar, String name, List<Item> items) {
    boolean found = false;
    for (var group : call.environment().groups()) {
      var command = group.command(grammar, name);
      if (command.isPresent() && (!found || call.args().has('v'))) {
        found = true;
        var kind =
            switch (grammar) {
              case MDB -> " is a dcmd from ";
              case CRASH -> " is a command from ";
            };
        items.add(fact(name, command.get().spec().typed() + kind + group.name(), group.name()));
      }
    }
  }

  private static Item fact(String name, String text, String from) {
    return Item.show(
        new Datum.Fact(
            text,
            List.of(
                new Datum.Field("name", "", Cell.text(name)),
                new Datum.Field("from", "", Cell.text(from)))));
  }
}
