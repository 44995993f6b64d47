// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.base.Conversion;
import dev.fathom.base.TargetException;
import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.probe.EnabledProbe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.Firing;
import dev.fathom.dtrace.record.ProbeError;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Text, as DTrace prints it. */
final class TextOutput implements Output {
  /** Where a CPU's flow of calls stands ({@code -F}). */
  private static final class Flow {
    private int indent;
    private int lastProbe;
    private int lastClause = -1;
  }

  private final OutputStream first;
  private final Problems problems;
  private final ConsumerOptions options;
  private final ValueText values;
  private final TypedText typed;
  private final Formatter formatter;
  private final Map<Integer, Flow> flows = new HashMap<>();
  private OutputStream out;
  private Optional<FileChannel> file = Optional.empty();
  private boolean headed;
  private boolean finished;
  private boolean quiet;

  /**
   * @param out bytes; buffered here is nothing, so it should be
   */
  TextOutput(
      OutputStream out,
      Problems problems,
      ConsumerOptions options,
      ValueText values,
      TypedText typed,
      Formatter formatter) {
    this.first = out;
    this.out = out;
    this.problems = problems;
    this.options = options;
    this.values = values;
    this.typed = typed;
    this.formatter = formatter;
  }

  private void print(String text) {
    try {
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new TargetException("cannot write the output: " + e.getMessage());
    }
  }

  @Override
  public void begin(EnabledProbe enabled, Firing firing) {
    boolean flow = options.flag("flowindent");
    quiet = options.flag("quiet") && !flow;
    if (!headed) {
      headed = true;
      if (flow) {
        print("CPU FUNCTION" + " ".repeat(33) + "\n");
      } else if (!quiet) {
        print("CPU     ID " + Distribution.pad("FUNCTION:NAME", 32) + "\n");
      }
    }
    var name = enabled.probe().name();
    if (flow) {
      var text = flowing(enabled, firing.cpu());
      print(number(firing.cpu(), 3) + " " + fill(text, 41) + " ");
    } else if (!quiet) {
      var text = name.function() + ":" + name.name();
      print(
          number(firing.cpu(), 3)
              + " "
              + number(enabled.probe().id(), 6)
              + " "
              + Distribution.pad(text, 32)
              + " ");
    }
  }

  private static String number(int value, int width) {
    return Distribution.pad(Integer.toString(value), width);
  }

  private static String fill(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  /**
   * The name of the probe, indented as deep as calls are nested. Another clause at the same probe
   * is no call of its own.
   */
  private String flowing(EnabledProbe enabled, int cpu) {
    var flow = flows.computeIfAbsent(cpu, _ -> new Flow());
    var name = enabled.probe().name();
    boolean again = flow.lastProbe == enabled.probe().id() && flow.lastClause != enabled.clause();
    boolean entry = ends(name, "entry") && !again;
    boolean back = ends(name, "return");
    if (back && flow.indent > 0) {
      flow.indent -= 2;
    }
    boolean system = name.provider().equals("syscall");
    var prefix = entry ? (system ? " => " : " -> ") : back ? (system ? " <= " : " <- ") : "| ";
    var text =
        " ".repeat(flow.indent)
            + prefix
            + name.function()
            + (entry || back ? "" : ":" + name.name());
    if (entry) {
      flow.indent += 2;
    }
    flow.lastProbe = enabled.probe().id();
    flow.lastClause = enabled.clause();
    return text;
  }

  private static boolean ends(ProbeName name, String kind) {
    return name.name().equals(kind) || name.name().endsWith("-" + kind);
  }

  @Override
  public void value(Action action, List<DValue> given) {
    switch (action) {
      case Action.Trace(var shape) -> print(values.traced(shape, given.getFirst(), quiet));
      case Action.TraceMemory m -> {
        var bytes = ((DValue.Blob) given.getFirst()).bytes();
        long count = m.counted() ? ValueText.number(given.get(1)) : bytes.length;
        print(ValueText.dump(bytes, Math.clamp(count, 0, bytes.length)));
      }
      case Action.Pcap _ -> {
        var bytes = ((DValue.Blob) given.getFirst()).bytes();
        long count = ValueText.number(given.get(1));
        print(ValueText.dump(bytes, Math.clamp(count, 0, bytes.length)));
      }
      case Action.Print(var shape) -> print(typed.text(shape, given.getFirst()) + "\n");
      case Action.Printf p -> print(formatter.format(p.format(), p.arguments(), given));
      default -> throw new IllegalArgumentException("not shown: " + action);
    }
  }

  @Override
  public void aggregations(List<AggregateTable> tables, List<Row> rows, Optional<Format> format) {
    if (format.isPresent()) {
      for (var row : rows) {
        var shapes = tables.getFirst().aggregation().keys();
        print(formatter.format(format.get(), shapes, row.key().values(), new Cells(tables, row)));
      }
      return;
    }
    if (!finished) {
      print("\n");
    }
    if (tables.size() == 1 && !rows.isEmpty() && !options.flag("aggpercpu")) {
      var table = tables.getFirst();
      if (options.flag("aggpack") && table.buckets().filter(Packed::draws).isPresent()) {
        packed(table, rows);
        return;
      }
      if (options.flag("agghist") && table.buckets().isEmpty()) {
        histogram(table, rows);
        return;
      }
    }
    for (var row : rows) {
      print(row(tables, row));
    }
  }

  private String keys(AggregateTable table, Row row) {
    var text = new StringBuilder();
    var shapes = table.aggregation().keys();
    for (int i = 0; i < shapes.size(); i++) {
      text.append(values.key(shapes.get(i), row.key().get(i)));
    }
    return text.toString();
  }

  /** The columns of keys; those of what takes more than a line, such as stacks, are not counted. */
  private static int width(String keys) {
    return keys.length() - (keys.lastIndexOf('\n') + 1);
  }

  private static AggregateTable.Cell cell(Row row) {
    return row.cells().getFirst().orElseThrow().cell();
  }

  private void packed(AggregateTable table, List<Row> rows) {
    var all = rows.stream().map(row -> cell(row).words()).toList();
    boolean ascii = options.value("encoding").filter("ascii"::equals).isPresent();
    var drawn = new Packed(table.buckets().orElseThrow(), all, options.flag("aggzoom"), ascii);
    print(drawn.head(width(keys(table, rows.getFirst()))));
    for (var row : rows) {
      print(keys(table, row) + drawn.line(cell(row).words()));
    }
  }

  /** A bar beside each value ({@code -x agghist}), by its share of all of them. */
  private void histogram(AggregateTable table, List<Row> rows) {
    double total = 0;
    double largest = 0;
    boolean positive = false;
    boolean negative = false;
    for (var row : rows) {
      double number = number(table, row);
      positive |= number > 0;
      negative |= number < 0;
      total += Math.abs(number);
      largest = Math.max(largest, Math.abs(number));
    }
    double whole = options.flag("aggzoom") ? largest / Distribution.ZOOMED : total;
    var bars = new Distribution.Bars(whole, positive, negative);
    int width = width(keys(table, rows.getFirst()));
    print(
        '\n'
            + Distribution.pad(width > 0 ? "key" : "", width)
            + "  ------------- Distribution ------------- count    \n");
    for (var row : rows) {
      long number = (long) number(table, row);
      var count = digits(table, cell(row));
      print(keys(table, row) + ' ' + bars.of(number) + ' ' + fill(count, 9) + '\n');
    }
  }

  private static double number(AggregateTable table, Row row) {
    long number = table.number(cell(row));
    return table.signed() || number >= 0 ? number : Long.MAX_VALUE;
  }

  private static String digits(AggregateTable table, AggregateTable.Cell cell) {
    long number = table.number(cell);
    return table.signed() ? Long.toString(number) : Long.toUnsignedString(number);
  }

  private String row(List<AggregateTable> tables, Row row) {
    var line = new StringBuilder(keys(tables.getFirst(), row));
    for (int i = 0; i < tables.size(); i++) {
      var table = tables.get(i);
      var entry = row.cells().get(i).orElseGet(() -> table.zero(row.key()));
      line.append(cell(table, entry.cell()));
      for (int cpu = 0; cpu < entry.perCpu().size(); cpu++) {
        var part = entry.perCpu().get(cpu);
        if (part.isPresent()) {
          line.append("\n    [CPU ").append(cpu).append(']').append(cell(table, part.get()));
        }
      }
    }
    return line.append('\n').toString();
  }

  private String cell(AggregateTable table, AggregateTable.Cell cell) {
    if (table.buckets().isPresent()) {
      return new Distribution(
              table.buckets().get(), cell.words(), table.normal(), options.flag("aggzoom"))
          .text();
    }
    return " " + Distribution.pad(digits(table, cell), 16);
  }

  /** What the conversions with {@code @} of a format stand for, one after the other. */
  private final class Cells implements Formatter.Aggregates {
    private final List<AggregateTable> tables;
    private final Row row;
    private int next;

    Cells(List<AggregateTable> tables, Row row) {
      this.tables = tables;
      this.row = row;
    }

    @Override
    public String next(Conversion conversion) {
      int index = Math.min(next++, tables.size() - 1);
      var table = tables.get(index);
      var cell = row.cells().get(index).orElseGet(() -> table.zero(row.key())).cell();
      return table.buckets().isPresent()
          ? TextOutput.this.cell(table, cell)
          : formatter.number(conversion, table.number(cell), table.signed());
    }
  }

  @Override
  public void end() {
    if (!quiet) {
      print("\n");
    }
  }

  @Override
  public void finish() {
    finished = true;
    print("\n");
  }

  @Override
  public void error(EnabledProbe enabled, ProbeError error) {
    var where = error.action() == 0 ? "predicate" : "action #" + error.action();
    var value = error.kind().hasAddress() ? " (" + AddressText.hex(error.value()) + ")" : "";
    problems.tell(
        "error on enabled probe ID "
            + error.epid()
            + " (ID "
            + enabled.probe().id()
            + ": "
            + enabled.probe().name()
            + "): "
            + error.kind().text()
            + value
            + " in "
            + where);
  }

  @Override
  public void dropped(Drop what, int cpu, long count) {
    problems.tell(count + " " + what.text(count) + " on CPU " + cpu);
  }

  @Override
  public void redirect(String name) {
    closeFile();
    if (name.isEmpty()) {
      return;
    }
    try {
      var channel =
          FileChannel.open(
              Path.of(name),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.APPEND);
      file = Optional.of(channel);
      out = new java.io.BufferedOutputStream(java.nio.channels.Channels.newOutputStream(channel));
    } catch (IOException | java.nio.file.InvalidPathException e) {
      throw new TargetException(name + ": cannot be opened for output: " + e.getMessage());
    }
  }

  private void closeFile() {
    if (file.isPresent()) {
      try {
        out.close();
      } catch (IOException e) {
        throw new TargetException("cannot write the output: " + e.getMessage());
      }
      file = Optional.empty();
    }
    out = first;
  }

  @Override
  public void truncate() {
    flush();
    if (file.isEmpty()) {
      return;
    }
    try {
      file.get().truncate(0);
    } catch (IOException e) {
      throw new TargetException("cannot empty the output file: " + e.getMessage());
    }
  }

  @Override
  public void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw new TargetException("cannot write the output: " + e.getMessage());
    }
  }

  @Override
  public void into(OutputStream to, Runnable action) {
    var before = out;
    out = to;
    try {
      action.run();
    } finally {
      out = before;
    }
  }
}
