// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.report;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.trace.analysis.Summary;
import dev.fathom.trace.text.Times;
import java.util.List;

/** Shows a {@link Summary}. */
public final class SummaryReport {
  private SummaryReport() {}

  /**
   * @param timed whether durations were asked for
   */
  public static void show(Summary summary, boolean timed, Output out) {
    if (out.lines()) {
      lines(summary, timed, out);
    } else {
      data(summary, timed, out);
    }
  }

  private static void lines(Summary summary, boolean timed, Output out) {
    if (summary.events() == 0) {
      out.line("No samples");
      return;
    }
    out.line(
        "Collected "
            + summary.events()
            + " samples spanning "
            + Times.human(summary.last() - summary.first()));
    out.line("\nTime ranges:\n");
    for (var cpu : summary.cpus()) {
      out.line(
          "  CPU 0x"
              + number(cpu.cpu())
              + ": "
              + Times.seconds(cpu.first())
              + " - "
              + Times.seconds(cpu.last())
              + " = "
              + Output.right(Times.human(cpu.last() - cpu.first()), 10));
    }
    out.line("\nTracepoint statistics:\n");
    int width = 0;
    for (var count : summary.tracepoints()) {
      width = Math.max(width, count.tracepoint().name().length());
    }
    count(out, width, "name", "count");
    count(out, width, "----", "-----");
    for (var count : summary.tracepoints()) {
      count(out, width, count.tracepoint().name(), Long.toString(count.events()));
    }
    if (timed) {
      timed(summary, out);
    }
    out.line("");
  }

  /** Two digits, in decimal in spite of the prefix, as in {@code trace.py}. */
  private static String number(int cpu) {
    var text = Integer.toUnsignedString(cpu);
    return text.length() < 2 ? "0" + text : text;
  }

  private static void count(Output out, int width, String name, String count) {
    out.line("  " + Output.left(name, width) + " " + Output.right(count, 8));
  }

  private static void timed(Summary summary, Output out) {
    out.line("\nTimed tracepoints [ms]:\n");
    if (summary.timed().isEmpty()) {
      out.line("  None");
      return;
    }
    timed(out, "name", "count", "min", "50%", "90%", "99%", "99.9%", "max", "total");
    timed(out, "----", "-----", "---", "---", "---", "---", "-----", "---", "-----");
    for (var one : summary.timed()) {
      timed(
          out,
          one.name(),
          Long.toString(one.count()),
          Times.millis(one.least()),
          Times.millis(one.p50()),
          Times.millis(one.p90()),
          Times.millis(one.p99()),
          Times.millis(one.p999()),
          Times.millis(one.largest()),
          Times.millis(one.total()));
    }
  }

  private static void timed(Output out, String name, String... values) {
    var line = new StringBuilder("  ").append(Output.left(name, 20));
    for (int i = 0; i < values.length; i++) {
      line.append(' ').append(Output.right(values[i], i == values.length - 1 ? 15 : 8));
    }
    out.line(line.toString());
  }

  private static void data(Summary summary, boolean timed, Output out) {
    out.sink()
        .accept(
            new Datum.Fields(
                "summary",
                List.of(
                    Output.field("events", Cell.decimal(summary.events())),
                    Output.field("first_ns", Cell.unsigned(summary.first())),
                    Output.field("last_ns", Cell.unsigned(summary.last()))),
                0));
    out.header("cpus", "cpu", "first_ns", "last_ns");
    for (var cpu : summary.cpus()) {
      out.row(ProfileReport.cpu(cpu.cpu()), Cell.unsigned(cpu.first()), Cell.unsigned(cpu.last()));
    }
    out.header("tracepoints", "name", "count");
    for (var count : summary.tracepoints()) {
      out.row(Cell.text(count.tracepoint().name()), Cell.decimal(count.events()));
    }
    if (timed) {
      out.header(
          "timed",
          "name",
          "count",
          "min_ns",
          "p50_ns",
          "p90_ns",
          "p99_ns",
          "p999_ns",
          "max_ns",
          "total_ns");
      for (var one : summary.timed()) {
        out.row(
            Cell.text(one.name()),
            Cell.decimal(one.count()),
            Cell.decimal(one.least()),
            Cell.decimal(one.p50()),
            Cell.decimal(one.p90()),
            Cell.decimal(one.p99()),
            Cell.decimal(one.p999()),
            Cell.decimal(one.largest()),
            Cell.decimal(one.total()));
      }
    }
  }
}
