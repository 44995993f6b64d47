// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Breakpoint hits handled per second beside gdb: the same function of the same emulated guest, both
 * counting, in turn. What a process takes to start, attach and come to its first hit is measured
 * apart and taken off.
 */
public final class Hits {
  /** Taken and released all the time, in an idle guest too. */
  private static final String FUNCTION = "_raw_spin_lock";

  private final String fathom;
  private final int hits;
  private final int port;
  private final String address;
  private final Path script;

  private Hits(String fathom, int hits, int port, String address, Path script) {
    this.fathom = fathom;
    this.hits = hits;
    this.port = port;
    this.address = address;
    this.script = script;
  }

  /**
   * @param args the program, how many hits, how many rounds
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    int port;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Lab lab = Lab.open(Lab.defaultCache(), System.err::println);
    Path script = Files.createTempFile("fathom-hits", ".gdb");
    try (LiveGuest guest =
        lab.start(Recipe.healthy("6.1"), List.of("-gdb", "tcp:127.0.0.1:" + port))) {
      String address = Long.toHexString(guest.facts().symbol(FUNCTION).orElseThrow());
      var bench = new Hits(args[0], Integer.parseInt(args[1]), port, address, script);
      System.out.println("hits per second of " + FUNCTION + ", " + args[1] + " in each run");
      for (int round = 0; round < Integer.parseInt(args[2]); round++) {
        double gdb = bench.rate(bench::gdb);
        double own = bench.rate(bench::fathom);
        System.out.printf(Locale.ROOT, "gdb %.0f  fathom %.0f  ratio %.2f%n", gdb, own, own / gdb);
      }
    } finally {
      Files.delete(script);
    }
  }

  /** A run to the hit of that number. */
  private interface Run {
    List<String> command(int count) throws IOException;
  }

  private double rate(Run run) throws IOException, InterruptedException {
    double one = Timed.run(run.command(1), Map.of()).seconds();
    Timed all = Timed.run(run.command(hits), Map.of());
    if (all.output().stream().noneMatch(line -> line.contains(Integer.toString(hits)))) {
      throw new IOException("no " + hits + " hits in: " + all.output());
    }
    return (hits - 1) / (all.seconds() - one);
  }

  private List<String> fathom(int count) {
    return List.of(
        fathom,
        "attach",
        "127.0.0.1:" + port,
        "-e",
        "0x" + address + "::bp -n 0t" + count,
        "-e",
        ":c",
        "-e",
        "::events");
  }

  private List<String> gdb(int count) throws IOException {
    var lines = new ArrayList<String>();
    lines.addAll(List.of("set pagination off", "set confirm off", "set architecture i386:x86-64"));
    lines.addAll(List.of("target remote 127.0.0.1:" + port, "set $n = 0", "break *0x" + address));
    lines.addAll(List.of("commands", "silent", "set $n = $n + 1", "if $n < " + count));
    lines.addAll(List.of("continue", "end", "end", "continue"));
    lines.addAll(List.of("printf \"hits %d\\n\", $n", "delete", "detach"));
    Files.write(script, lines);
    return List.of("gdb", "-nx", "-batch", "-x", script.toString());
  }
}
