// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** {@code ::panicinfo}. */
final class PanicinfoCommand implements Command {
  private static final int LABEL_WIDTH = 16;

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("panicinfo", "print panic information")
        .help(
            """
            Shows why the kernel died: the message, the CPU and the thread, and, as far as the
            kernel's log tells, what led to it and where. A kernel that did not crash is said to be
            so. `$r` shows the thread's registers, `$c` its stack.

                > ::panicinfo
                             cpu 1
                          thread ffff888004221980
                         message sysrq triggered crash
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var fields = call.kernel().panic();
    if (fields.isEmpty()) {
      call.remark("the kernel has not panicked");
      return Stream.empty();
    }
    return Stream.of(Item.show(new Datum.Fields("panic", fields, LABEL_WIDTH)));
  }
}
