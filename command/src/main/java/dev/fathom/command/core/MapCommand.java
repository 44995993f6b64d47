// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::map}. */
final class MapCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("map", "print dot after evaluating expression")
        .addressOptional()
        .arguments("expression")
        .help(
            """
            Gives the value of the expression, in which `.` is the input. The walk of a pipeline
            becomes addresses of something else this way. The expression is one word: quote it when
            it has blanks.

                > ::walk thread t | ::map <t
                > ffff888003858000::map .+8
                0xffff888003858008
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(1, 1);
    long at = call.hasAddress() ? call.address() : call.dot();
    return Stream.of(Item.value(Values.address(call, call.evaluate(call.args().word(0), at))));
  }
}
