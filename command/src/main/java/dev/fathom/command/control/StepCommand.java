// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.command.Writing;
import dev.fathom.command.source.Lines;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.unwind.Frame;
import dev.fathom.session.control.LineSteps;
import dev.fathom.session.control.Returned;
import dev.fathom.session.control.Steps;
import dev.fathom.session.control.StopEvent;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.IntFunction;
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
            what().stripTrailing()
                + "\n\n"
                + """
                The thread must be on a CPU. Where interrupts or other threads get in between they
                run first: a step ends in its own thread, on whatever CPU that is by then. A
                breakpoint in what runs meanwhile stops the target as ever.

                """
                + example());
  }

  /** What the command of this name does. */
  private String what() {
    if (grammar == Grammar.MDB) {
      return switch (name) {
        case "step" ->
            """
            `::step` steps the selected thread by one instruction (`:s`), over a call (`over`), out
            of the function (`out`), or until it comes to a place (`until`); a count repeats it.
            """;
        case "next" ->
            """
            `::next` (`:e`) steps the selected thread by one instruction, over calls.
            """;
        default ->
            """
            `:u` runs the selected thread until its function returns.
            """;
      };
    }
    return switch (name) {
      case "step" ->
          """
          `step` lets the selected thread run to where the next line of the source begins, into
          functions that have lines. Where the line is not known it steps an instruction.
          """;
      case "next" ->
          """
          `next` lets the selected thread run to where the next line of the source begins, over
          calls and over what was inlined. Where the line is not known it steps an instruction,
          over calls.
          """;
      case "stepi" ->
          """
          `stepi` steps the selected thread by one instruction, or by a count of them.
          """;
      case "nexti" ->
          """
          `nexti` steps the selected thread by one instruction, over calls.
          """;
      case "finish" ->
          """
          `finish` runs until the function of the selected frame returns, and shows what it
          returned where that is known (x86-64).
          """;
      default ->
          """
          `until` and `advance` run until the selected thread comes to a place, as `break` takes
          it, or the function of the selected frame returns. Without a place it is `next` that
          does not go back in a loop.
          """;
    };
  }

  private String example() {
    if (grammar == Grammar.MDB) {
      return switch (name) {
        case "step" ->
            """
                > :s
                stopped: dd/117 on CPU 1
                vfs_read+5:                     pushq  %r15
                > ::step out
                > ::step until vfs_read+0x40
            """;
        case "next" -> "    > ::next\n    > ::next 3\n";
        default -> "    > :u\n";
      };
    }
    return switch (name) {
      case "stepi" -> "    > si 3\n";
      case "finish" -> "    > finish\n";
      case "until" -> "    > until fs/read_write.c:458\n    > advance vfs_read\n";
      default -> "    > " + name + "\n    > " + name + " 3\n";
    };
  }

  /** Whether steps are by lines of the source. */
  private boolean byLine() {
    return grammar == Grammar.CRASH && (name.equals("step") || name.equals("next"));
  }

  private String summary() {
    if (byLine()) {
      return how == How.INTO ? "step to the next line" : "step to the next line, over calls";
    }
    return switch (how) {
      case INTO -> "step one instruction";
      case OVER -> "step over calls";
      case OUT -> "run until the function returns";
      case UNTIL -> "run until the thread comes to a place";
    };
  }

  private void aliases(CommandSpec.Builder spec) {
    switch (name) {
      case "step" -> spec.alias(grammar == Grammar.MDB ? ":s" : "s");
      case "next" -> spec.alias(grammar == Grammar.MDB ? ":e" : "n");
      case "stepi" -> spec.alias("si");
      case "nexti" -> spec.alias("ni");
      case "finish" -> spec.alias("fin");
      case "until" -> spec.alias("advance");
      default -> {}
    }
  }

  private String arguments() {
    if (how == How.UNTIL) {
      return "[place]";
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
    if (chosen == How.UNTIL && args.count() > at) {
      var goal = args.word(at);
      return stops.of(call, () -> until(call, steps, cpu, goal));
    }
    if (chosen == How.UNTIL) {
      if (grammar == Grammar.MDB) {
        throw new UsageException("a place is needed");
      }
      return stops.of(call, () -> line(call, LineSteps.How.FORWARD, How.OVER, cpu));
    }
    if (chosen == How.OUT && grammar == Grammar.CRASH) {
      return out(call, steps, cpu);
    }
    long count = args.count() > at ? count(call, at) : 1;
    var last = chosen;
    return byLine()
        ? stops.of(call, () -> many(call, count, cpu, on -> line(call, lines(last), last, on)))
        : stops.byInstruction(call, () -> many(call, count, cpu, on -> one(steps, last, on)));
  }

  /** Out of the selected frame's function; shows what it returned, as gdb's {@code finish}. */
  private Stream<Item> out(Invocation call, Steps steps, int cpu) {
    int frame = frame(call);
    var result = resultType(call, cpu);
    var events = new ArrayList<StopEvent>(1);
    var told =
        stops.of(
            call,
            () -> {
              events.add(steps.out(cpu, frame));
              return events.getFirst();
            });
    var value =
        result.stream()
            .filter(_ -> events.getFirst().cause() instanceof StopEvent.Stepped)
            .flatMap(
                type ->
                    Returned.value(call.session(), events.getFirst().cpu().orElse(cpu), type)
                        .stream())
            .map(returned -> shown(call, returned));
    return Stream.concat(told, value);
  }

  private static Item shown(Invocation call, Value returned) {
    var gdb = call.environment().gdb();
    return ValueTree.show(
        call,
        Optional.of("Value returned is $" + gdb.remember(returned)),
        returned,
        ValueTree.Options.gdb(gdb.pretty(), gdb.elements(), Optional.empty()));
  }

  /** The type of what the function of the selected frame returns; empty where nobody knows it. */
  private static Optional<CType> resultType(Invocation call, int cpu) {
    var program = call.program();
    var pc =
        call.environment().selectedFrame() == 0
            ? call.session().target().cpu(cpu).orElseThrow().registers().pc()
            : OptionalLong.of(Frames.selected(call).frame().pc());
    if (pc.isEmpty()) {
      return Optional.empty();
    }
    return program
        .symbols()
        .at(pc.getAsLong())
        .flatMap(at -> program.types().ofSymbol(at.symbol().name(), at.symbol().address()))
        .map(CType::resolved)
        .filter(FunctionType.class::isInstance)
        .map(type -> ((FunctionType) type).result());
  }

  private static LineSteps.How lines(How how) {
    return how == How.INTO ? LineSteps.How.INTO : LineSteps.How.OVER;
  }

  /** A step by line; where the line is not known, by instruction. */
  private static StopEvent line(Invocation call, LineSteps.How how, How instead, int cpu) {
    return new LineSteps(call.session())
        .step(cpu, how)
        .orElseGet(() -> one(new Steps(call.session()), instead, cpu));
  }

  private StopEvent until(Invocation call, Steps steps, int cpu, String goal) {
    if (grammar == Grammar.MDB && !Lines.isFileLine(goal)) {
      return steps.until(cpu, call.evaluate(goal));
    }
    var control = call.session().control();
    if (grammar == Grammar.MDB) {
      return steps.until(cpu, control.addresses(Places.of(call, goal, false)));
    }
    return steps.untilOrOut(cpu, control.addresses(Places.gdb(call, goal)), frame(call));
  }

  /** The selected frame's place among those that the stack has. */
  private static int frame(Invocation call) {
    if (call.environment().selectedFrame() == 0) {
      return 0;
    }
    var view = Frames.selected(call).view();
    long before =
        view.frames().subList(0, view.index()).stream()
            .filter(frame -> frame.how() != Frame.How.TAIL_CALL)
            .count();
    // One that has left the stack returns where the one before it does.
    return (int) (view.frame().how() == Frame.How.TAIL_CALL ? before - 1 : before);
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
  private static StopEvent many(Invocation call, long count, int cpu, IntFunction<StopEvent> step) {
    StopEvent event = step.apply(cpu);
    for (long i = 1; i < count && event.cause() instanceof StopEvent.Stepped; i++) {
      call.checkInterrupt();
      event = step.apply(event.cpu().orElse(cpu));
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
