// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import dev.fathom.base.MappedFile;
import dev.fathom.format.osvt.OsvTraceFile;
import dev.fathom.format.osvt.OsvTraceWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Reading and summing a trace of OSv: the events of a file, repeated until there are enough bytes,
 * by {@code fathom trace-file summary} and by a D clause that counts, as whole processes, and
 * beside them by OSv's own tool where its path is given.
 */
public final class Traces {
  private Traces() {}

  /**
   * @param args the program, a trace file of OSv, how many megabytes to make of it, how many runs,
   *     and the path of OSv's trace.py, which may be left out
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path big = Files.createTempFile("fathom-trace", ".osvt");
    try {
      long events = repeat(Path.of(args[1]), big, Long.parseLong(args[2]) * 1_000_000);
      int runs = Integer.parseInt(args[3]);
      double megabytes = Files.size(big) / 1e6;
      System.out.printf(Locale.ROOT, "%.0f MB%n", megabytes);
      double own =
          measure(
              "fathom",
              megabytes,
              List.of(args[0], "trace-file", "summary"),
              "Collected",
              big,
              runs);
      double d =
          measure(
              "D",
              megabytes,
              List.of(args[0], "trace", "-qn", "osv::: { @ = count(); }", "--on"),
              Long.toString(events),
              big,
              runs);
      System.out.printf(Locale.ROOT, "D: %.1f million events/s of processor%n", events / d / 1e6);
      var tool = args.length > 4 ? Optional.of(args[4]) : Optional.<String>empty();
      if (tool.isPresent()) {
        double peer =
            measure(
                "trace.py",
                megabytes,
                List.of("python3", tool.get(), "summary"),
                "Collected",
                big,
                1);
        System.out.printf(Locale.ROOT, "ratio %.1f%n", peer / own);
      }
    } finally {
      Files.delete(big);
    }
  }

  private static double measure(
      String name, double megabytes, List<String> command, String says, Path file, int runs)
      throws IOException, InterruptedException {
    var all = new ArrayList<Timed>();
    for (int i = 0; i < runs; i++) {
      var line = new ArrayList<>(command);
      line.add(file.toString());
      var run = Timed.run(line, Map.of());
      if (run.status() != 0 || run.output().stream().noneMatch(text -> text.contains(says))) {
        throw new IOException(name + " failed: " + run.output());
      }
      all.add(run);
    }
    var median = Timed.median(all);
    System.out.printf(
        Locale.ROOT,
        "%-8s %7.2f s, %7.2f s of processor, %6.0f MiB, %7.1f MB/s, %7.1f MB/s of processor%n",
        name,
        median.seconds(),
        median.processor(),
        median.mebibytes(),
        megabytes / median.seconds(),
        megabytes / median.processor());
    return median.processor();
  }

  /** The events of a file again and again, each time later by what the file lasts. */
  private static long repeat(Path from, Path to, long bytes) throws IOException {
    try (var source = MappedFile.open(from);
        var out = new BufferedOutputStream(Files.newOutputStream(to), 1 << 20)) {
      var file = OsvTraceFile.open(source);
      var writer = new OsvTraceWriter(out, file.tracepoints());
      long shift = 0;
      long count = 0;
      for (long done = 0; done < bytes; done += source.size()) {
        long last = 0;
        var events = file.events(0);
        while (events.next()) {
          last = events.time();
          count++;
          writer.event(events, file.tracepoints().get(events.tracepoint()), last + shift);
        }
        shift += last;
      }
      return count;
    }
  }
}
