// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Writing;
import dev.fathom.session.control.Steps;
import dev.fathom.session.control.StopEvent;
import java.util.stream.Stream;

/** Steps of the selected thread, in mdb's and gdb's spelling. */
final class StepCommand implements Command {
  private static final long COUNT_LIMIT = 100_000;

  /** How far a step goes. */
  enum How {
    INTO,
    OVER,
    OUT,
    UNTIL
  }

  private final Grammar grammar;
  private final Stops stops;
  private final String name;
  private final How how;

  StepCommand(Grammar grammar, Stops stops, String name, How how) {
    this.grammar = grammar;
    this.stops = stops;
    this.name = name;
    this.how = how;
  }

  @Override
  public CommandSpec spec() {
    var spec =
        switch (grammar) {
          case MDB -> CommandSpec.mdb(name, summary()).addressOptional();
          case CRASH -> CommandSpec.crash(name, summary());
        };
    aliases(spec);
    return spec.arguments(arguments())
        .help(
            """
            Steps the selected thread, which must be on a CPU: one instruction (`:s`, `si`), over a
            call (`::step over`, `ni`), out of the function (`::step out`, `finish`), or until it
            comes to an address (`until`). Where interrupts or other threads get in between they run
            first: a step ends in its own thread, on whatever CPU that is by then. A breakpoint in
            what runs meanwhile stops the target as ever. Without line numbers gdb's `step` and
            `next` step an instruction.

                > :s
                stopped: dd/117 on CPU 1
                vfs_read+5:                     pushq  %r15
                > ::step out
                > si 3
            """);
  }

  private String summary() {
    return switch (how) {
      case INTO -> "step one instruction";
      case OVER -> "step over calls";
      case OUT -> "run until the function returns";
      case UNTIL -> "run until the thread comes to a place";
    };
  }

  private void aliases(CommandSpec.Builder spec) {
    switch (name) {
      case "step" -> {
        spec.alias(grammar == Grammar.MDB ? ":s" : "s");
        if (grammar == Grammar.CRASH) {
          spec.alias("si").alias("stepi");
        }
      }
      case "next" -> {
        spec.alias(grammar == Grammar.MDB ? ":e" : "n");
        if (grammar == Grammar.CRASH) {
          spec.alias("ni").alias("nexti");
        }
      }
      case "finish" -> spec.alias("fin");
      case "until" -> spec.alias("advance");
      default -> {}
    }
  }

  private String arguments() {
    if (how == How.UNTIL) {
      return "place";
    }
    return switch (grammar) {
      case MDB -> name.equals("step") ? "[over | out | until address] [count]" : "[count]";
      case CRASH -> how == How.OUT ? "" : "[count]";
    };
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var chosen = how;
    int at = 0;
    if (grammar == Grammar.MDB && name.equals("step") && !args.isEmpty()) {
      chosen =
          switch (args.word(0)) {
            case "over" -> How.OVER;
            case "out" -> How.OUT;
            case "into" -> How.INTO;
            case "until" -> How.UNTIL;
            default -> how;
          };
      at = args.word(0).matches("over|out|into|until") ? 1 : 0;
    }
    args.expect(at, at + 1);
    if (call.session().control().running()) {
      throw new EvalException("the target runs: stop it first (::stop)");
    }
    int cpu = Writing.cpu(call.session(), call.environment()).id();
    var steps = new Steps(call.session());
    if (chosen == How.UNTIL) {
      if (args.count() <= at) {
        throw new UsageException("a place is needed");
      }
      long address = address(call, args.word(at));
      return stops.of(call, () -> steps.until(cpu, address));
    }
    long count = args.count() > at ? count(call, at) : 1;
    var last = chosen;
    return stops.of(call, () -> many(call, steps, last, cpu, count));
  }

  private long address(Invocation call, String text) {
    if (grammar == Grammar.MDB) {
      return call.evaluate(text);
    }
    return switch (Places.of(call, text, false)) {
      case dev.fathom.session.control.Breakpoint.At place -> place.address();
      case dev.fathom.session.control.Breakpoint.Named place ->
          call.program().symbols().first(place.name()).orElseThrow().address() + place.offset();
    };
  }

  private long count(Invocation call, int at) {
    long count =
        grammar == Grammar.MDB
            ? call.number(call.args().operands().get(at))
            : Numbers.decimal(call.args().operands().get(at));
    if (count < 1 || count > COUNT_LIMIT) {
      throw new UsageException("count must be between 1 and " + COUNT_LIMIT);
    }
    return count;
  }

  /** The last of so many steps, or what else stopped the target before. */
  private static StopEvent many(Invocation call, Steps steps, How how, int cpu, long count) {
    StopEvent event = one(steps, how, cpu);
    for (long i = 1; i < count && event.cause() instanceof StopEvent.Stepped; i++) {
      call.checkInterrupt();
      event = one(steps, how, event.cpu().orElse(cpu));
    }
    return event;
  }

  private static StopEvent one(Steps steps, How how, int cpu) {
    return switch (how) {
      case INTO, UNTIL -> steps.instruction(cpu);
      case OVER -> steps.over(cpu);
      case OUT -> steps.out(cpu);
    };
  }
}
