// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.target.Breakpoints.Kind;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code catch panic} and {@code catch oops}. */
final class CatchCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("catch", "stop where the kernel dies")
        .arguments("panic | oops")
        .help(
            """
            Stops the target when the kernel panics, or reports an oops, before it does anything
            about it: a breakpoint on the function with which this kernel begins that, which is
            named.

                > catch panic
                breakpoint 1 at panic (catch panic)
                > catch oops
                breakpoint 2 at oops_enter (catch oops)
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var what = call.args().expect(1, 1).word(0);
    // vpanic does panic's work since 6.17; oops_begin is x86's, die that of others.
    var candidates =
        switch (what) {
          case "panic" -> List.of("panic", "vpanic");
          case "oops" -> List.of("oops_begin", "oops_enter", "__die", "die");
          default -> throw new UsageException("'" + what + "': panic or oops is needed");
        };
    for (var name : candidates) {
      if (call.program().symbols().first(name).isPresent()) {
        var added =
            call.session()
                .control()
                .add(
                    new Breakpoint.Named(name, 0, name),
                    Kind.SOFTWARE,
                    1,
                    Optional.of("catch " + what));
        return Stream.of(EventTable.added(added));
      }
    }
    throw new LookupException("function of this kernel", String.join(" or ", candidates));
  }
}
