// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.ddb;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** ddb's {@code match}. */
final class MatchCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("match", "run until the function returns")
        .help(
            """
            Runs until the selected thread's function has returned to its caller, as `finish` and
            `::step out` do; ddb's stops one instruction before that.

                > match
                stopped: dd/117 on CPU 1
                ksys_read+0x6b:                 =>    movq   %rax, %r12
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    return call.execute("finish");
  }
}
