// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.report;

import dev.fathom.base.Cell;
import dev.fathom.trace.Trace;
import dev.fathom.trace.analysis.CpuLoad;
import dev.fathom.trace.analysis.TimeSlice;
import dev.fathom.trace.text.Times;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Shows a {@link CpuLoad}: a line for each change, a column for each CPU. */
public final class LoadReport {
  private LoadReport() {}

  /**
   * @param commas whether commas separate the columns
   */
  public static void show(
      Trace trace, OptionalInt cpus, TimeSlice slice, boolean commas, Output out) {
    if (!out.lines()) {
      out.header("cpu_load", "time_ns", "cpu", "load");
    }
    CpuLoad.find(
        trace.events(),
        cpus,
        slice,
        (time, cpu, loads) -> {
          if (out.lines()) {
            out.line(commas ? commas(time, loads) : columns(time, loads));
          } else {
            out.row(
                Cell.unsigned(time),
                Cell.decimal(cpu),
                Cell.unsigned(loads.get(cpu).orElseThrow()));
          }
        });
  }

  private static String commas(long time, List<OptionalLong> loads) {
    var line = new StringBuilder(Times.seconds(time));
    for (var load : loads) {
      line.append(',').append(text(load));
    }
    return line.toString();
  }

  private static String columns(long time, List<OptionalLong> loads) {
    var line = new StringBuilder(Output.left(Times.seconds(time), 20));
    for (var load : loads) {
      line.append(Output.right(text(load), 3));
    }
    return line.toString();
  }

  private static String text(OptionalLong load) {
    return load.isPresent() ? Long.toUnsignedString(load.getAsLong()) : "";
  }
}
