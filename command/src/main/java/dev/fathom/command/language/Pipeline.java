// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Arguments;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * Runs the stages of a pipeline, lazily: each stage pulls values from the one before it, one at a
 * time, so that an endless walk can be cut short and results show as they come. An error in a call
 * is reported and the next value has its turn; wrong usage stops the pipeline.
 */
final class Pipeline {
  /**
   * Where a pipeline starts.
   *
   * @param type of what is at the address, where the expression says it
   */
  record Start(OptionalLong address, Optional<CType> type, OptionalLong count, boolean toPipe) {}

  private Pipeline() {}

  /** What comes out of the last stage. */
  static Iterator<Item> run(Execution execution, List<Statement.Stage> stages, Start start) {
    Iterator<Item> items = Collections.emptyIterator();
    for (int i = 0; i < stages.size(); i++) {
      boolean toPipe = start.toPipe() || i < stages.size() - 1;
      Optional<Iterator<Value>> input =
          i == 0
              ? Optional.empty()
              : Optional.of(new Values(execution, items, describe(stages.get(i - 1))));
      items = new StageRun(execution, stages.get(i), start, input, toPipe);
    }
    return items;
  }

  private static String describe(Statement.Stage stage) {
    return switch (stage) {
      case Statement.Run run ->
          switch (run.grammar()) {
            case MDB ->
                (run.name().startsWith("$") || run.name().startsWith(":") ? "" : "::") + run.name();
            case CRASH -> run.name();
          };
      case Statement.Verb verb -> String.valueOf(verb.verb());
      case Statement.Cells cells -> cells.verb() + "" + cells.letter();
    };
  }

  /** What a stage does in one call. */
  private interface Body {
    Stream<Item> run(Call call);
  }

  /** The items of one stage. */
  private static final class StageRun extends Lazily<Item> {
    private final Execution execution;
    private final Start start;
    private final Optional<Iterator<Value>> input;
    private final Optional<CommandSpec> spec;
    private final Body body;
    private final Call.Frame frame;
    private long callsLeft;
    private boolean first = true;
    private boolean calledForAll;
    private Call call;
    private Stream<Item> stream;
    private Iterator<Item> items = Collections.emptyIterator();

    StageRun(
        Execution execution,
        Statement.Stage stage,
        Start start,
        Optional<Iterator<Value>> input,
        boolean toPipe) {
      this.execution = execution;
      this.start = start;
      this.input = input;
      this.callsLeft = start.count().orElse(1);
      boolean loop = input.isPresent() || start.count().isPresent();
      List<Argument> raw = List.of();
      var args = Arguments.none();
      Optional<CommandSpec> described = Optional.empty();
      switch (stage) {
        case Statement.Verb verb -> {
          var format = FormatVerb.of(verb, execution);
          body = format::run;
        }
        case Statement.Cells cells -> {
          raw = arguments(cells.arguments());
          body = call -> CellSearch.run(cells, call);
        }
        case Statement.Run run -> {
          Command command =
              execution
                  .environment()
                  .command(run.grammar(), run.name())
                  .orElseThrow(
                      () ->
                          new EvalException(
                              "invalid command '" + describe(stage) + "': unknown dcmd name"));
          described = Optional.of(command.spec());
          raw = arguments(run.arguments());
          args = checkedArguments(command.spec(), raw);
          body = command::run;
        }
      }
      spec = described;
      frame = new Call.Frame(execution, raw, args, input.isPresent(), toPipe, loop);
    }

    private List<Argument> arguments(List<Statement.Arg> arguments) {
      var evaluated = new ArrayList<Argument>();
      for (var argument : arguments) {
        evaluated.add(
            switch (argument) {
              case Statement.WordArg word -> new Argument.Word(word.text());
              case Statement.ExprArg expression ->
                  new Argument.Number(execution.evaluate(expression.expression()));
            });
      }
      return List.copyOf(evaluated);
    }

    private Arguments checkedArguments(CommandSpec spec, List<Argument> raw) {
      try {
        var args = Arguments.parse(spec, raw);
        boolean address = input.isPresent() || start.address().isPresent();
        switch (spec.address()) {
          case NONE -> {
            if (address) {
              throw new UsageException("an address is not accepted");
            }
          }
          case REQUIRED -> {
            if (!address) {
              throw new UsageException("an address is needed");
            }
          }
          case OPTIONAL -> {}
        }
        return args;
      } catch (UsageException e) {
        throw execution.usage(spec, e);
      }
    }

    @Override
    protected Optional<Item> advance() {
      while (true) {
        try {
          execution.checkInterrupt();
          if (items.hasNext()) {
            return Optional.of(items.next());
          }
          endCall();
          if (!nextCall()) {
            return Optional.empty();
          }
        } catch (UsageException e) {
          abandon();
          if (execution.isStopped()) {
            throw e;
          }
          throw spec.isPresent() ? execution.usage(spec.get(), e) : execution.stop(e);
        } catch (FathomException e) {
          abandon();
          if (execution.isStopped()) {
            throw e;
          }
          execution.fail(e.getMessage());
        }
      }
    }

    private void abandon() {
      items = Collections.emptyIterator();
      closeStream();
      call = null;
    }

    private void closeStream() {
      if (stream != null) {
        var closing = stream;
        stream = null;
        closing.close();
      }
    }

    private void endCall() {
      items = Collections.emptyIterator();
      closeStream();
      if (call == null) {
        return;
      }
      var position = execution.position();
      call.advanced().ifPresent(position::increment);
      call.moved().ifPresent(position::dot);
      if (callsLeft > 0 && call.advanced().isPresent() && input.isEmpty()) {
        position.dot(position.dot() + call.advanced().getAsLong());
      }
      call = null;
    }

    private boolean nextCall() {
      if (spec.isPresent() && spec.get().input() == CommandSpec.Input.ALL) {
        return callForAll();
      }
      return input.isPresent() ? callForInput(input.get()) : callAtDot();
    }

    private boolean callForAll() {
      if (calledForAll || callsLeft == 0) {
        return false;
      }
      calledForAll = true;
      Stream<Value> values =
          input.isPresent()
              ? Lazily.stream(input.get()).map(this::coerced)
              : start.address().isPresent()
                  ? Stream.of(coerced(started(start.address().getAsLong())))
                  : Stream.empty();
      Optional<Value> value =
          input.isEmpty() && start.address().isPresent()
              ? Optional.of(coerced(started(start.address().getAsLong())))
              : Optional.empty();
      begin(value, values);
      return true;
    }

    private boolean callForInput(Iterator<Value> values) {
      if (!values.hasNext()) {
        return false;
      }
      var value = values.next();
      move(Coercion.dot(value));
      var suitable = coerced(value);
      begin(Optional.of(suitable), Stream.of(suitable));
      return true;
    }

    private boolean callAtDot() {
      if (callsLeft == 0) {
        return false;
      }
      callsLeft--;
      Optional<Value> value = Optional.empty();
      if (start.address().isPresent()) {
        value = Optional.of(coerced(started(execution.position().dot())));
      }
      begin(value, value.stream());
      return true;
    }

    private void begin(Optional<Value> value, Stream<Value> values) {
      boolean isFirst = first;
      first = false;
      call = new Call(frame, isFirst, execution.position().dot(), value, values);
      stream = body.run(call);
      items = stream.iterator();
    }

    private Value started(long address) {
      return start.type().isPresent()
          ? new Value.Ref(execution.session().kernel().program(), start.type().get(), address)
          : execution.coercion().address(address);
    }

    private Value coerced(Value value) {
      return spec.isPresent() && spec.get().accepts().isPresent()
          ? execution.coercion().to(value, spec.get().accepts().get())
          : value;
    }

    private void move(long dot) {
      execution.position().dot(dot);
      execution.position().lastAddress(dot);
    }
  }

  /** The values in what a stage produced. */
  private static final class Values extends Lazily<Value> {
    private final Execution execution;
    private final Iterator<Item> items;
    private final String producer;
    private Iterator<Value> pending = Collections.emptyIterator();

    Values(Execution execution, Iterator<Item> items, String producer) {
      this.execution = execution;
      this.items = items;
      this.producer = producer;
    }

    @Override
    protected Optional<Value> advance() {
      while (!pending.hasNext()) {
        if (!items.hasNext()) {
          return Optional.empty();
        }
        pending =
            switch (items.next()) {
              case Item.Val val -> List.of(val.value()).iterator();
              case Item.Out out -> fromDatum(out.datum());
            };
      }
      return Optional.of(pending.next());
    }

    private Iterator<Value> fromDatum(Datum datum) {
      return switch (datum) {
        case Datum.Scalar scalar -> cells(List.of(scalar.value()));
        case Datum.Formatted formatted -> {
          var cells = new ArrayList<Cell>();
          formatted.items().forEach(item -> item.value().ifPresent(cells::add));
          yield cells(cells);
        }
        case Datum.Row row -> firstAddress(row.cells());
        case Datum.Block block -> firstAddress(block.cells());
        case Datum.Outline outline -> {
          var cells = new ArrayList<Cell>();
          outline.fields().forEach(field -> cells.add(field.value()));
          yield firstAddress(cells);
        }
        case Datum.Fact fact -> {
          var cells = new ArrayList<Cell>();
          fact.fields().forEach(field -> cells.add(field.value()));
          yield cells(cells.isEmpty() ? cells : List.of(cells.getLast()));
        }
        case Datum.Header _ -> Collections.emptyIterator();
        case Datum.Note _ -> {
          execution.show(datum);
          yield Collections.emptyIterator();
        }
        case Datum.Text text ->
            new Values(execution, execution.nested(text.text(), true).iterator(), producer);
        case Datum.Fields _, Datum.Tree _, Datum.Stack _, Datum.Instruction _, Datum.Hex _ ->
            throw execution.stop(
                new EvalException("the output of " + producer + " has no values for a pipe"));
      };
    }

    private Iterator<Value> firstAddress(List<Cell> cells) {
      for (var cell : cells) {
        if (cell instanceof Cell.Address || cell instanceof Cell.Symbolic) {
          return cells(List.of(cell));
        }
      }
      return Collections.emptyIterator();
    }

    private Iterator<Value> cells(List<Cell> cells) {
      var values = new ArrayList<Value>();
      for (var cell : cells) {
        switch (cell) {
          case Cell.Address a -> values.add(execution.coercion().address(a.value()));
          case Cell.Symbolic s -> values.add(execution.coercion().address(s.address()));
          case Cell.Int i -> values.add(execution.coercion().address(i.value()));
          case Cell.Flag f -> values.add(execution.coercion().address(f.value() ? 1 : 0));
          case Cell.Real _, Cell.Text _, Cell.Absent _ -> {}
        }
      }
      return values.iterator();
    }
  }
}
