// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.probe.AddressNames;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.Firing;
import dev.fathom.dtrace.record.Item;
import dev.fathom.dtrace.record.Key;
import dev.fathom.dtrace.record.ProbeError;
import dev.fathom.dtrace.record.RecordSink;
import java.io.OutputStream;
import java.nio.ByteOrder;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntSupplier;

/**
 * Takes the records of a running program. What a program does to aggregations is done in the order
 * of the records, and records of a speculation wait until it is committed.
 */
public final class Consumer implements RecordSink {
  private static final long SPECSIZE = 4 << 20;
  private static final long AGGSIZE = 256L << 20;

  /** Bytes that a value in a record takes, more or less. */
  private static final int VALUE_BYTES = 32;

  /** Records that wait for the commit of their speculation. */
  private static final class Speculation {
    private final List<Firing> firings = new ArrayList<>();
    private long bytes;
  }

  private final Plan plan;
  private final ConsumerOptions options;
  private final Output output;
  private final Shell shell;
  private final Formatter formatter;
  private final Map<Integer, AggregateTable> tables = new LinkedHashMap<>();
  private final Map<Integer, Speculation> speculations = new HashMap<>();
  private final long specsize;
  private final long aggsize;
  private long aggregated;
  private OptionalInt status = OptionalInt.empty();
  private long errors;

  /** Runs the commands of {@code system()}. */
  public interface Shell {
    /** Runs {@code command} and waits for its end. */
    void run(String command);
  }

  /**
   * What a consumer works with.
   *
   * @param names names of addresses
   * @param order the byte order of the target
   * @param zone the time zone that {@code %Y} and {@code %T} show
   * @param shell what runs the commands of {@code system()}
   */
  public record Surroundings(AddressNames names, ByteOrder order, ZoneId zone, Shell shell) {}

  /**
   * A consumer that writes text, as DTrace does.
   *
   * @param out bytes; should be buffered
   * @param problems told of errors and drops
   */
  public static Consumer text(
      Plan plan,
      ConsumerOptions options,
      Surroundings around,
      OutputStream out,
      Problems problems) {
    var formatter = formatter(options, around);
    var output =
        new TextOutput(
            out, problems, options, formatter.values(), new TypedText(around.order()), formatter);
    return new Consumer(plan, options, output, formatter, around.shell());
  }

  /** A consumer that writes JSON, an object on a line for each event. */
  public static Consumer json(
      Plan plan, ConsumerOptions options, Surroundings around, OutputStream out) {
    var formatter = formatter(options, around);
    var output = new JsonOutput(out, formatter.values(), new TypedText(around.order()), formatter);
    return new Consumer(plan, options, output, formatter, around.shell());
  }

  private static Formatter formatter(ConsumerOptions options, Surroundings around) {
    var addresses = new AddressText(around.names());
    return new Formatter(
        new ValueText(addresses, options), addresses, around.order(), around.zone());
  }

  private Consumer(
      Plan plan, ConsumerOptions options, Output output, Formatter formatter, Shell shell) {
    this.plan = plan;
    this.options = options;
    this.output = output;
    this.formatter = formatter;
    this.shell = shell;
    specsize = options.bytes("specsize").orElse(SPECSIZE);
    aggsize = options.bytes("aggsize").orElse(AGGSIZE);
    for (var aggregation : plan.program().aggregations()) {
      tables.put(aggregation.id(), new AggregateTable(aggregation, options.flag("aggpercpu")));
    }
  }

  /** What {@code exit()} said, once it was carried out. */
  public OptionalInt status() {
    return status;
  }

  /** How many clauses ended in a fault. */
  public long errors() {
    return errors;
  }

  @Override
  public void firing(Firing firing) {
    if (firing.speculation() == 0) {
      show(firing);
      return;
    }
    var speculation = speculations.computeIfAbsent(firing.speculation(), _ -> new Speculation());
    long bytes = bytes(firing);
    if (speculation.bytes + bytes > specsize) {
      output.dropped(Drop.SPECULATION, firing.cpu(), 1);
      return;
    }
    speculation.bytes += bytes;
    speculation.firings.add(firing);
  }

  private static long bytes(Firing firing) {
    long bytes = VALUE_BYTES;
    for (var item : firing.items()) {
      for (var value : item.values()) {
        bytes +=
            switch (value) {
              case DValue.Blob(byte[] content) -> content.length;
              case DValue.Text(String text) -> text.length();
              case DValue.Stack(long[] pcs) -> 8L * pcs.length;
              case DValue.UserStack s -> 8L * s.pcs().length;
              case DValue.Num _, DValue.UserAddress _ -> VALUE_BYTES;
            };
      }
    }
    return bytes;
  }

  private void show(Firing firing) {
    var actions = plan.clause(firing.epid()).actions();
    boolean shown = actions.isEmpty() || !actions.stream().allMatch(Consumer::endsSpeculation);
    if (shown) {
      output.begin(plan.enabled(firing.epid()), firing);
    }
    var committed = new ArrayList<Firing>();
    for (var item : firing.items()) {
      carryOut(actions.get(item.action()), item, committed);
    }
    if (shown) {
      output.end();
    }
    committed.forEach(this::show);
  }

  private static boolean endsSpeculation(Action action) {
    return action instanceof Action.Commit || action instanceof Action.Discard;
  }

  private void carryOut(Action action, Item item, List<Firing> committed) {
    switch (action) {
      case Action.Trace _, Action.TraceMemory _, Action.Print _, Action.Printf _, Action.Pcap _ ->
          output.value(action, item.values());
      case Action.Printa printa -> printa(printa);
      case Action.Normalize n -> {
        long divisor = number(item, 0);
        table(n.aggregation()).normalize(divisor == 0 ? 1 : divisor);
      }
      case Action.Denormalize d -> table(d.aggregation()).normalize(1);
      case Action.Clear c -> table(c.aggregation()).clear();
      case Action.Truncate t -> truncate(table(t.aggregation()), t.counted() ? number(item, 0) : 0);
      case Action.System s -> {
        output.flush();
        shell.run(text(s.format(), s.arguments(), item));
      }
      case Action.Freopen f -> output.redirect(text(f.format(), f.arguments(), item));
      case Action.Ftruncate _ -> output.truncate();
      case Action.Setopt s -> options.set(s.name(), s.value());
      case Action.Exit _ -> status = OptionalInt.of((int) number(item, 0));
      case Action.Commit _ -> {
        var speculation = speculations.remove((int) number(item, 0));
        if (speculation != null) {
          committed.addAll(speculation.firings);
        }
      }
      case Action.Discard _ -> speculations.remove((int) number(item, 0));
    }
  }

  private static long number(Item item, int index) {
    return ValueText.number(item.values().get(index));
  }

  private String text(Format format, List<Shape> shapes, Item item) {
    return formatter.format(format, shapes, item.values());
  }

  private AggregateTable table(int aggregation) {
    return tables.get(aggregation);
  }

  private void truncate(AggregateTable table, long count) {
    long before = table.size();
    table.truncate(count);
    aggregated -= (before - table.size()) * table.entryBytes();
  }

  private void printa(Action.Printa printa) {
    var shown = printa.aggregations().stream().map(this::table).toList();
    shown.forEach(AggregateTable::markPrinted);
    output.aggregations(shown, rows(shown), printa.format());
  }

  /** The rows of aggregations joined by their keys, in the order that the options say. */
  private List<Output.Row> rows(List<AggregateTable> joined) {
    int position = Math.clamp(options.number("aggsortpos", 0), 0, joined.size() - 1);
    var keys = new LinkedHashSet<Key>();
    joined.forEach(table -> table.entries().forEach(entry -> keys.add(entry.key())));
    var rows = new ArrayList<Output.Row>();
    for (var key : keys) {
      rows.add(new Output.Row(key, joined.stream().map(table -> table.find(key)).toList()));
    }
    rows.sort(options.order().of(joined, position));
    return rows;
  }

  @Override
  public void aggregate(int aggregation, Key key, IntSupplier cpu, long value, long increment) {
    var table = tables.get(aggregation);
    if (room(table, key, cpu)) {
      table.add(key, cpu, value, increment);
    }
  }

  @Override
  public void merge(int aggregation, Key key, int cpu, long[] data) {
    var table = tables.get(aggregation);
    if (room(table, key, () -> cpu)) {
      table.merge(key, cpu, data);
    }
  }

  private boolean room(AggregateTable table, Key key, IntSupplier cpu) {
    if (table.has(key)) {
      return true;
    }
    if (aggregated + table.entryBytes() > aggsize) {
      output.dropped(Drop.AGGREGATION, cpu.getAsInt(), 1);
      return false;
    }
    aggregated += table.entryBytes();
    return true;
  }

  @Override
  public void error(ProbeError error) {
    errors++;
    output.error(plan.enabled(error.epid()), error);
  }

  @Override
  public void dropped(Drop what, int cpu, long count) {
    output.dropped(what, cpu, count);
  }

  /** The program is over: shows the aggregations that it has not printed itself. */
  public void finish() {
    output.finish();
    for (var table : tables.values()) {
      if (!table.printed()) {
        output.aggregations(List.of(table), rows(List.of(table)), Optional.empty());
      }
    }
    output.flush();
  }

  /** Writes every aggregation as it is now, for a view that is drawn again and again. */
  public void snapshot(OutputStream to) {
    output.into(
        to,
        () -> {
          for (var table : tables.values()) {
            if (table.size() > 0) {
              output.aggregations(List.of(table), rows(List.of(table)), Optional.empty());
            }
          }
          output.flush();
        });
  }

  /**
   * A stack and how much it counts.
   *
   * @param frames innermost first
   */
  public record Weighted(List<String> frames, long weight) {}

  /**
   * The stacks among the keys of aggregations, for flame graphs: each weighs what its value comes
   * down to; other keys stand below the stack, as its outermost frames.
   */
  public List<Weighted> stacks() {
    var found = new ArrayList<Weighted>();
    for (var table : tables.values()) {
      var shapes = table.aggregation().keys();
      if (shapes.stream().noneMatch(Consumer::isStack)) {
        continue;
      }
      for (var row : rows(List.of(table))) {
        var frames = new ArrayList<String>();
        var outside = new ArrayList<String>();
        for (int i = 0; i < shapes.size(); i++) {
          var value = row.key().get(i);
          if (isStack(shapes.get(i))) {
            frames.addAll(List.of(formatter.values().frames(value)));
          } else {
            outside.addFirst(formatter.values().key(shapes.get(i), value).strip());
          }
        }
        frames.addAll(outside);
        found.add(
            new Weighted(List.copyOf(frames), table.number(row.cells().getFirst().get().cell())));
      }
    }
    return found;
  }

  private static boolean isStack(Shape shape) {
    return shape.form() == Shape.Form.STACK || shape.form() == Shape.Form.USTACK;
  }
}
