// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.base.Loss;
import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;
import dev.fathom.base.UsageException;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Environment;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.session.Session;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/** The run of one command line: what it may use, where its output goes, what went wrong. */
final class Execution {
  private static final int NESTING_LIMIT = 32;

  private final Session session;
  private final Environment environment;
  private final Position position;
  private final Coercion coercion;
  private final Memo memo;
  private final Sink sink;
  private final Map<String, Long> losses = new LinkedHashMap<>();
  private final Set<String> perCpuNames = new LinkedHashSet<>();
  private Optional<String> error = Optional.empty();
  private Optional<String> lastError = Optional.empty();
  private long repeats;
  private long unreadable;
  private boolean stopped;
  private boolean cancelled;
  private int nesting;

  /** What is remembered from one line to the next. */
  static final class Memo {
    private java.util.List<Statement.Stage> lastPipeline = java.util.List.of();
  }

  Execution(Session session, Environment environment, Position position, Memo memo, Sink sink) {
    this.session = session;
    this.environment = environment;
    this.position = position;
    this.coercion = new Coercion(session.kernel());
    this.memo = memo;
    this.sink = sink;
  }

  Session session() {
    return session;
  }

  Environment environment() {
    return environment;
  }

  Position position() {
    return position;
  }

  Coercion coercion() {
    return coercion;
  }

  Outcome outcome() {
    return new Outcome(error);
  }

  // Expressions

  long evaluate(Expr expression) {
    return new Evaluator(session.kernel(), environment, position, perCpuNames::add)
        .evaluate(expression);
  }

  long evaluate(String expression, long dot) {
    var there = new Position();
    there.dot(dot);
    there.increment(position.increment());
    there.lastAddress(position.lastAddress());
    return new Evaluator(session.kernel(), environment, there, perCpuNames::add)
        .evaluate(Parser.expression(expression, environment));
  }

  // Statements

  /** Runs all statements of {@code line}; whatever goes wrong is in the sink and the outcome. */
  void run(String line) {
    try {
      var parser = new Parser(line, environment);
      while (!cancelled && !environment.quitting()) {
        perCpuNames.clear();
        var statement = parser.next();
        if (statement.isEmpty()) {
          return;
        }
        stopped = false;
        try {
          statement(statement.get());
        } catch (FathomException e) {
          // A stop has been reported, and ends this statement only.
          if (!stopped) {
            throw e;
          }
        }
      }
    } catch (FathomException e) {
      // Wrong syntax or a failed expression throws the rest of the line away.
      fail(e.getMessage());
    }
  }

  private void statement(Statement statement) {
    var start = start(statement, false);
    var stages = statement.stages();
    if (stages.isEmpty() && (statement.address().isPresent() || statement.count().isPresent())) {
      stages = memo.lastPipeline;
      if (stages.isEmpty()) {
        return;
      }
      if (start.address().isEmpty()) {
        position.dot(position.dot() + position.increment());
      }
    }
    if (statement.tail().isPresent()) {
      Tails.run(
          this,
          statement.tail().get(),
          stages.isEmpty() ? Optional.empty() : Optional.of(Pipeline.run(this, stages, start)));
    } else {
      memo.lastPipeline = stages;
      deliver(Pipeline.run(this, stages, start), sink);
    }
  }

  private Pipeline.Start start(Statement statement, boolean toPipe) {
    var address = OptionalLong.empty();
    if (statement.address().isPresent()) {
      address = OptionalLong.of(evaluate(statement.address().get()));
    }
    var count = OptionalLong.empty();
    if (statement.count().isPresent()) {
      count = OptionalLong.of(evaluate(statement.count().get()));
    }
    if (address.isPresent()) {
      position.dot(address.getAsLong());
      position.lastAddress(address.getAsLong());
    }
    return new Pipeline.Start(address, statement.address().flatMap(this::type), count, toPipe);
  }

  /** The type of what an expression names, where the symbol at its value cannot tell it. */
  private Optional<CType> type(Expr expression) {
    if (expression instanceof Expr.PerCpu(String variable, int _)) {
      try {
        return Optional.of(session.kernel().program().global(variable).type());
      } catch (LookupException _) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** Gives all items to {@code to}. A stop has been reported by whoever asked for it. */
  void deliver(Iterator<Item> items, Sink to) {
    try {
      while (items.hasNext()) {
        switch (items.next()) {
          case Item.Val val -> to.accept(shown(val.value()));
          case Item.Out out -> {
            countUnreadable(out.datum());
            to.accept(out.datum());
          }
        }
      }
    } catch (FathomException e) {
      if (!stopped) {
        throw e;
      }
    }
  }

  /** What stands in a table or list of facts without its value is told at the end of the line. */
  private void countUnreadable(Datum datum) {
    if (datum instanceof Datum.Row row) {
      countUnreadable(row.cells());
    } else if (datum instanceof Datum.Block block) {
      countUnreadable(block.cells());
    } else if (datum instanceof Datum.Fields fields) {
      for (var field : fields.fields()) {
        countUnreadable(List.of(field.value()));
      }
    }
  }

  private void countUnreadable(List<Cell> cells) {
    for (var cell : cells) {
      if (cell instanceof Cell.Absent absent && absent.unreadable()) {
        unreadable++;
      }
    }
  }

  private Datum shown(Value value) {
    var radix =
        switch (environment.settings().radix()) {
          case 2 -> Cell.Radix.BINARY;
          case 8 -> Cell.Radix.OCTAL;
          case 10 -> Cell.Radix.DECIMAL;
          default -> Cell.Radix.HEX;
        };
    var name = value instanceof Value.Ref ? "address" : "value";
    return new Datum.Scalar(
        name,
        new Cell.Int(Coercion.dot(value), radix, false, true),
        Optional.of(value.type().text()));
  }

  /**
   * Runs {@code text} inside a command. A naked expression sets dot or, in front of a pipe, is a
   * value.
   */
  Stream<Item> nested(String text, boolean toPipe) {
    if (++nesting > NESTING_LIMIT) {
      nesting--;
      throw new EvalException("commands are nested more than " + NESTING_LIMIT + " deep");
    }
    var parser = new Parser(text, environment);
    return Lazily.stream(new Nested(parser, toPipe)).onClose(() -> nesting--);
  }

  private final class Nested extends Lazily<Item> {
    private final Parser parser;
    private final boolean toPipe;
    private Iterator<Item> items = Collections.emptyIterator();

    Nested(Parser parser, boolean toPipe) {
      this.parser = parser;
      this.toPipe = toPipe;
    }

    @Override
    protected Optional<Item> advance() {
      while (!items.hasNext()) {
        if (environment.quitting()) {
          return Optional.empty();
        }
        var next = parser.next();
        if (next.isEmpty()) {
          return Optional.empty();
        }
        var statement = next.get();
        if (statement.tail().isPresent()) {
          throw new EvalException("a shell command cannot be run inside another command");
        }
        var start = start(statement, toPipe);
        if (!statement.stages().isEmpty()) {
          items = Pipeline.run(Execution.this, statement.stages(), start);
        } else if (toPipe && start.address().isPresent()) {
          return Optional.of(Item.value(coercion.address(start.address().getAsLong())));
        }
      }
      return Optional.of(items.next());
    }
  }

  // Output and errors

  void show(Datum datum) {
    sink.accept(datum);
  }

  /** Shows at once what {@link #show} was given. */
  void flush() {
    sink.flush();
  }

  void remark(String text) {
    sink.accept(new Datum.Note(Datum.Severity.INFO, text));
  }

  void warn(String text) {
    sink.accept(new Datum.Note(Datum.Severity.WARNING, text));
  }

  /** Reports an error. The same one again and again, as over a long walk, is only counted. */
  void fail(String text) {
    if (lastError.equals(Optional.of(text))) {
      repeats++;
    } else {
      reportRepeats();
      lastError = Optional.of(text);
      sink.accept(new Datum.Note(Datum.Severity.ERROR, text));
    }
    if (error.isEmpty()) {
      error = Optional.of(text);
    }
    for (var name : perCpuNames) {
      remark(
          name
              + " is a per-CPU variable, its value an offset: "
              + name
              + ":0 is CPU 0's, "
              + name
              + "::percpu gives those of all");
    }
    perCpuNames.clear();
  }

  private void reportRepeats() {
    if (repeats > 0) {
      sink.accept(
          new Datum.Note(
              Datum.Severity.ERROR,
              repeats == 1 ? "the same once more" : "the same " + repeats + " more times"));
      repeats = 0;
    }
  }

  void lost(String what, long count) {
    losses.merge(what, count, Long::sum);
  }

  /** To be called at the end of the line. */
  void reportLosses() {
    reportRepeats();
    losses.forEach(
        (what, count) -> {
          sink.lost(new Loss(what, count));
          if (error.isEmpty()) {
            error = Optional.of("left out: " + count + " " + what);
          }
        });
    if (unreadable > 0) {
      remark(unreadable == 1 ? "one value cannot be read" : unreadable + " values cannot be read");
    }
  }

  /** Reports {@code e} and stops the pipeline; to be thrown. */
  FathomException stop(FathomException e) {
    fail(e.getMessage());
    stopped = true;
    return e;
  }

  /** Reports wrong usage of a command and stops the pipeline; to be thrown. */
  UsageException usage(CommandSpec spec, UsageException e) {
    fail(e.getMessage());
    fail("Usage: " + spec.usage());
    fail(
        switch (spec.grammar()) {
              case MDB -> "try '::help ";
              case CRASH -> "try 'help ";
            }
            + spec.name()
            + "' for more information");
    stopped = true;
    return e;
  }

  boolean isCancelled() {
    return cancelled;
  }

  boolean isStopped() {
    return stopped;
  }

  /**
   * @throws EvalException when the user asked to stop
   */
  void checkInterrupt() {
    if (session.takeInterrupt()) {
      throw cancelled();
    }
  }

  /** Reports that the user asked to stop, and ends the line; to be thrown. */
  FathomException cancelled() {
    cancelled = true;
    return stop(new EvalException("command cancelled by user"));
  }
}
