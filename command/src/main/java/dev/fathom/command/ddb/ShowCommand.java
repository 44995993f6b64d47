// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.ddb;

import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.gdb.ShowTopics;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** ddb's {@code show}. */
final class ShowCommand implements Command {
  private static final String WORDS =
      "registers, breaks, watches, procs, threads, thread, proc, pcpu, modules, msgbuf, panic,"
          + " values, convenience or print";

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("show", "show registers, breakpoints, processes, threads or CPUs")
        .arguments("[all] what [number]")
        .help(
            """
            Shows what ddb's `show` of that name does, by the command of Fathom that has it:
            `registers` (`::regs`), `breaks` and `watches` (`info b`), `all procs` (`ps`),
            `all threads` (`::threads`), `thread` and `proc` with a number (`thread`, `task`),
            `pcpu` (`::cpuinfo`), `modules` (`mod`), `msgbuf` (`log`) and `panic` (`::panicinfo`).

            gdb's are here, too: `show values` shows the last ten values that `print` numbered, or
            ten around a number; `show convenience` the variables of your own; `show print` how
            values are shown.

                > show registers
                > show all procs
                > show thread 117
                > show values
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var topic = ShowTopics.of(call);
    if (topic.isPresent()) {
      return topic.get();
    }
    var words = new ArrayList<String>();
    call.args().expect(1, 3).operands().forEach(word -> words.add(word.text()));
    if (words.getFirst().equals("all")) {
      words.removeFirst();
    }
    if (words.isEmpty() || words.size() > 2) {
      throw new UsageException("show what? " + WORDS);
    }
    return call.execute(line(words));
  }

  private static String line(List<String> words) {
    if (words.size() == 2) {
      return switch (words.getFirst()) {
        case "thread" -> "thread " + words.getLast();
        case "proc" -> "task " + words.getLast();
        default -> throw new UsageException("unexpected argument " + words.getLast());
      };
    }
    return switch (words.getFirst()) {
      case "registers", "reg" -> "::regs";
      case "breaks" -> "info breakpoints";
      case "watches" -> "info watchpoints";
      case "procs" -> "ps";
      case "threads" -> "::threads";
      case "thread" -> "thread";
      case "proc" -> "task";
      case "pcpu", "cpu" -> "::cpuinfo";
      case "modules" -> "mod";
      case "msgbuf" -> "log";
      case "panic" -> "::panicinfo";
      default -> throw new UsageException("'" + words.getFirst() + "': expected " + WORDS);
    };
  }
}
