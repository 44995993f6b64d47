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

/**
 * Stops where a kernel dies, and where C++ throws and catches: {@code catch} and {@code tcatch}.
 */
final class CatchCommand implements Command {
  private final String name;

  /**
   * @param name {@code tcatch} stops once
   */
  CatchCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash(name, "stop where the kernel dies, or C++ throws")
        .reading(CommandSpec.Reading.CONDITION)
        .arguments("panic | oops | throw | catch | rethrow [if condition]")
        .help(
            """
            `catch panic` and `catch oops` stop the target when the kernel panics, or reports an
            oops, before it does anything about it: a breakpoint on the function with which this
            kernel begins that, which is named.

            Of a process, `catch throw`, `catch catch` and `catch rethrow` stop where exceptions of
            C++ are thrown, caught and thrown again, in the functions of its library that do it
            (`__cxa_throw`, `__cxa_begin_catch`, `__cxa_rethrow`); `up` shows who asked for it. They
            wait for the library where it is not there yet. `tcatch` stops once.

                > %1$s panic
                %2$sbreakpoint 1 at panic (catch panic)
                > %1$s throw
                %2$sbreakpoint 2 at __cxa_throw (catch throw)
            """
                .formatted(name, name.equals("tcatch") ? "temporary " : ""));
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = call.args().operands();
    if (words.isEmpty()) {
      throw new UsageException("panic, oops, throw, catch or rethrow is needed");
    }
    var what = words.getFirst().text();
    var condition = GdbBreakCommand.condition(words.subList(1, words.size()));
    var place = place(call, what);
    var parsed = condition.map(text -> ExpressionCondition.of(text, call.session(), place));
    var added = call.session().control().add(place, Kind.SOFTWARE, 1, Optional.of("catch " + what));
    added.temporary(name.equals("tcatch"));
    added.condition(parsed.map(c -> c));
    return Stream.of(EventTable.added(added));
  }

  private static Breakpoint.Named place(Invocation call, String what) {
    // vpanic does panic's work since 6.17; oops_begin is x86's, die that of others.
    var candidates =
        switch (what) {
          case "panic" -> List.of("panic", "vpanic");
          case "oops" -> List.of("oops_begin", "oops_enter", "__die", "die");
          // Itanium C++ ABI, exception handling, sections 2.4.3, 2.5.3 and 2.5.4
          case "throw" -> List.of("__cxa_throw");
          case "catch" -> List.of("__cxa_begin_catch");
          case "rethrow" -> List.of("__cxa_rethrow");
          default ->
              throw new UsageException(
                  "'" + what + "': panic, oops, throw, catch or rethrow is needed");
        };
    for (var candidate : candidates) {
      if (call.program().symbols().first(candidate).isPresent()) {
        return new Breakpoint.Named(candidate, 0, candidate);
      }
    }
    if (call.kernel().isProcess() && candidates.size() == 1) {
      return new Breakpoint.Named(candidates.getFirst(), 0, candidates.getFirst());
    }
    throw new LookupException("function of this kernel", String.join(" or ", candidates));
  }
}
