// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.Task;
import java.util.Comparator;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** {@code ::pgrep}. */
final class PgrepCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("pgrep", "pattern match against all processes")
        .flag('x', "the whole name must match")
        .flag('n', "only the newest of those that match (the highest process id)")
        .flag('o', "only the oldest of those that match (the lowest process id)")
        .arguments("pattern")
        .yields("struct task_struct")
        .help(
            """
            Lists the processes whose name matches a regular expression, as `::ps` does; in front
            of a pipe it gives their structures.

                > ::pgrep ^kworker
                > ::pgrep -x init | ::findstack
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 1);
    if (args.has('n') && args.has('o')) {
      throw new UsageException("-n and -o are mutually exclusive");
    }
    var matches = matcher(args.word(0), args.has('x'));
    var tasks =
        call.kernel().tasks(call).filter(PsCommand::isProcess).filter(t -> matches.test(t.name()));
    if (args.has('n') || args.has('o')) {
      var byId = Comparator.comparingLong((Task t) -> t.id().orElseThrow());
      tasks = tasks.filter(t -> t.id().isPresent());
      tasks = tasks.max(args.has('n') ? byId : byId.reversed()).stream();
    }
    if (call.toPipe()) {
      return tasks.map(task -> Item.value(task.object()));
    }
    var table = new TaskTable(call.kernel(), false);
    return tasks.flatMap(task -> table.row(task).stream());
  }

  private static Predicate<String> matcher(String text, boolean whole) {
    try {
      var pattern = Pattern.compile(text);
      return whole ? pattern.asMatchPredicate() : pattern.asPredicate();
    } catch (PatternSyntaxException e) {
      throw new UsageException("'" + text + "' is no regular expression: " + e.getDescription());
    }
  }
}
