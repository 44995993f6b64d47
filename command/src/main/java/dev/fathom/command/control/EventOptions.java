// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Tasks;
import dev.fathom.session.control.Breakpoint;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The options that breakpoints and watchpoints share in mdb's spelling. */
final class EventOptions {
  private EventOptions() {}

  static CommandSpec.Builder describe(CommandSpec.Builder spec) {
    return spec.flag('t', "delete it when it has stopped the target")
        .flag('D', "the same")
        .flag('d', "disable it when it has stopped the target")
        .option('c', "cmd", "run this when it has stopped the target; may be given more than once")
        .option('n', "count", "stop at the hit of this number, and at those behind it")
        .option('i', "condition", "stop only where this C expression is true")
        .option('T', "thread", "stop only this thread: its id or address")
        .option('C', "cpu", "stop only on this CPU");
  }

  static void apply(Invocation call, Breakpoint breakpoint) {
    var args = call.args();
    breakpoint.temporary(args.has('t') || args.has('D'));
    breakpoint.disableOnHit(args.has('d'));
    var commands = new ArrayList<String>();
    args.all('c').forEach(command -> commands.add(command.text()));
    breakpoint.commands(commands);
    if (args.option('n').isPresent()) {
      long count = call.number(args.option('n').get());
      if (count < 1) {
        throw new UsageException("the count must be at least 1");
      }
      breakpoint.ignore(count - 1);
    }
    breakpoint.condition(
        args.option('i').map(text -> ExpressionCondition.of(text.text(), call, breakpoint)));
    if (args.option('T').isPresent()) {
      var task = Tasks.of(call, call.number(args.option('T').get()));
      breakpoint.thread(OptionalLong.of(task.object().address()));
    }
    Optional<Long> cpu = args.option('C').map(call::number);
    cpu.ifPresent(number -> breakpoint.cpu(OptionalInt.of(number.intValue())));
  }
}
