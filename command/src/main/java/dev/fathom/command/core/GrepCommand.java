// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::grep}. */
final class GrepCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("grep", "print dot if expression is true")
        .addressOptional()
        .arguments("expression")
        .help(
            """
            Lets the input pass when the expression, in which `.` is the input, is not 0. There is
            `==`, `!=`, `&`, but no `<`. A `|` inside the expression needs quotes.

                > ::walk thread t | ::print struct task_struct pid | ::grep .==1 | ::map <t
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(1, 1);
    long at = call.hasAddress() ? call.address() : call.dot();
    if (call.evaluate(call.args().word(0), at) == 0) {
      return Stream.empty();
    }
    return Stream.of(Item.value(call.value().orElseGet(() -> Values.address(call, at))));
  }
}
