// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Breakpoint hits handled per second, by a gdb script that counts and by {@code ::bp -n}, which
 * counts, in turn. Whole processes: what one takes to start, attach and come to its first hit is
 * measured apart and taken off.
 */
final class HitRace {
  /** A target that waits behind a gdb stub, for one run. */
  interface Stage extends AutoCloseable {
    /** {@code HOST:PORT}. */
    String address();

    @Override
    void close();
  }

  interface Stages {
    Stage next() throws IOException;
  }

  private final String fathom;
  private final long function;
  private final Stages stages;
  private final Path script;

  private HitRace(String fathom, long function, Stages stages, Path script) {
    this.fathom = fathom;
    this.function = function;
    this.stages = stages;
    this.script = script;
  }

  /**
   * Prints a line for each round.
   *
   * @param fathom the program
   * @param function the address of the breakpoint
   */
  static void run(String fathom, long function, Stages stages, int hits, int rounds)
      throws IOException, InterruptedException {
    Path script = Files.createTempFile("fathom-hits", ".gdb");
    try {
      var race = new HitRace(fathom, function, stages, script);
      for (int round = 0; round < rounds; round++) {
        double gdb = race.rate(race::gdb, hits);
        double own = race.rate(race::fathom, hits);
        System.out.printf(Locale.ROOT, "gdb %.0f  fathom %.0f  ratio %.2f%n", gdb, own, own / gdb);
      }
    } finally {
      Files.delete(script);
    }
  }

  /** The command that runs to the hit of that number. */
  private interface Counter {
    List<String> command(String address, int count) throws IOException;
  }

  private double rate(Counter counter, int hits) throws IOException, InterruptedException {
    double one = seconds(counter, 1);
    return (hits - 1) / (seconds(counter, hits) - one);
  }

  private double seconds(Counter counter, int hits) throws IOException, InterruptedException {
    try (var stage = stages.next()) {
      Timed timed = Timed.run(counter.command(stage.address(), hits), Map.of());
      if (timed.output().stream().noneMatch(line -> line.contains(Integer.toString(hits)))) {
        throw new IOException("no " + hits + " hits in: " + timed.output());
      }
      return timed.seconds();
    }
  }

  private String place() {
    return "0x" + Long.toHexString(function);
  }

  private List<String> fathom(String address, int count) {
    var commands = List.of("-e", place() + "::bp -n 0t" + count, "-e", ":c", "-e", "::events");
    var words = new ArrayList<>(List.of(fathom, "attach", address));
    words.addAll(commands);
    return words;
  }

  private List<String> gdb(String address, int count) throws IOException {
    var lines = new ArrayList<String>();
    lines.addAll(List.of("set pagination off", "set confirm off", "set architecture i386:x86-64"));
    lines.addAll(List.of("target remote " + address, "set $n = 0", "break *" + place()));
    lines.addAll(List.of("commands", "silent", "set $n = $n + 1", "if $n < " + count));
    lines.addAll(List.of("continue", "end", "end", "continue"));
    lines.addAll(List.of("printf \"hits %d\\n\", $n", "delete", "detach"));
    Files.write(script, lines);
    return List.of("gdb", "-nx", "-batch", "-x", script.toString());
  }
}
