// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ProgramScope;
import dev.fathom.command.Tasks;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Value;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.Condition;
import dev.fathom.target.Breakpoints.Kind;
import java.util.Optional;
import java.util.stream.Stream;

/** gdb's {@code watch}, {@code rwatch} and {@code awatch}. */
final class GdbWatchCommand implements Command {
  private static final int LONGEST = 8;

  private final String name;

  GdbWatchCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash(name, "set a watchpoint")
        .reading(CommandSpec.Reading.STATEMENT)
        .arguments("expression [if condition]")
        .help(
            """
            Stops the target behind the instruction that writes (`watch`), reads (`rwatch`) or
            accesses (`awatch`) what the expression names: a variable, a member, or memory at an
            address, as in `*(int *)0xffff…`; of 1, 2, 4 or 8 bytes. The names in a condition are the
            program's, and those of the function that the selected thread is in.

                > watch panic_timeout
                watchpoint 1 at panic_timeout
                > awatch ((struct task_struct *)0xffff888003858000)->flags if pid != 1
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var text = new StringBuilder();
    var condition = new StringBuilder();
    var into = text;
    for (var word : call.args().expect(1, Integer.MAX_VALUE).operands()) {
      if (text.isEmpty() && word.text().matches("-l(ocation)?")) {
        continue; // It is the place that is watched in any case.
      }
      if (word.text().equals("if") && into == text) {
        into = condition;
      } else {
        into.append(into.isEmpty() ? "" : " ").append(word.text());
      }
    }
    if (!(CExpression.evaluate(call, text.toString()) instanceof Value.Ref ref)
        || !ref.space().equals(call.program().memory())) {
      throw new EvalException("'" + text + "' is not in memory");
    }
    long size = ref.type().bytes();
    if (size < 1 || size > LONGEST || Long.bitCount(size) != 1) {
      throw new UsageException(
          "'" + text + "' has " + size + " bytes: 1, 2, 4 or 8 can be watched");
    }
    var parsed =
        condition.isEmpty()
            ? Optional.<Condition>empty()
            : Optional.of(ExpressionCondition.ofWatchpoint(condition.toString(), call));
    Places.checkWatched(call, ref.address(), (int) size);
    var added =
        call.session()
            .control()
            .add(
                new Breakpoint.At(ref.address(), text.toString()),
                switch (name) {
                  case "rwatch" -> Kind.READ;
                  case "awatch" -> Kind.ACCESS;
                  default -> Kind.WRITE;
                },
                (int) size,
                Optional.empty());
    added.condition(parsed);
    if (isOfFrame(call, text.toString())) {
      call.remark("that place is watched, also when its function has returned");
    }
    return Stream.of(EventTable.added(added));
  }

  /** Whether only the selected frame knows what an expression is. */
  private static boolean isOfFrame(Invocation call, String text) {
    try {
      var program =
          new ProgramScope(call.kernel(), () -> call.kernel().registersOf(Tasks.selected(call)));
      Expressions.evaluate(text, program);
      return false;
    } catch (LookupException _) {
      return true;
    }
  }
}
