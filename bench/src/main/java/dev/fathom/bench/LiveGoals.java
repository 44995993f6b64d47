// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import dev.fathom.base.Range;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import dev.fathom.testkit.lab.Flavour;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;

/**
 * What Fathom promises about running guests, measured on one of 2 GiB: whole processes where a
 * process is promised. Prints a line for each promise and ends with status 1 when one is not kept.
 */
public final class LiveGoals {
  private static final int MEBIBYTES = 2048;
  private static final int PIECE = 16 << 20;

  /** So many MiB are filled before memory is read: what was never touched need not be read. */
  private static final int FILLED = 1536;

  private final String fathom;
  private final int runs;
  private final Path scratch;
  private final LiveGuest guest;
  private boolean kept = true;

  private LiveGoals(String fathom, int runs, Path scratch, LiveGuest guest) {
    this.fathom = fathom;
    this.runs = runs;
    this.scratch = scratch;
    this.guest = guest;
  }

  /**
   * @param args the launcher and the number of runs
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Lab lab = Lab.open(Lab.defaultCache(), System.err::println);
    Path scratch = Files.createTempDirectory("fathom-live");
    int port;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    boolean kept;
    try (LiveGuest guest =
        lab.start(
            Recipe.healthy("6.1").memory(MEBIBYTES), List.of("-gdb", "tcp:127.0.0.1:" + port))) {
      var goals = new LiveGoals(args[0], Integer.parseInt(args[1]), scratch, guest);
      goals.processes();
      goals.throughTheStub(port);
      goals.dumps();
      guest.run("dd if=/dev/urandom of=/dev/shm/fill bs=1M count=" + FILLED);
      goals.inPlace();
      kept = goals.kept;
    } finally {
      Trees.delete(scratch);
    }
    System.exit(kept ? 0 : 1);
  }

  private void processes() throws IOException, InterruptedException {
    List<String> ps = List.of("attach", "qemu:" + guest.pid(), "-e", "::ps");
    Timed first = median(ps, true);
    Timed again = median(ps, false);
    atMost("attach -e ::ps, kernel never seen before, s", 0.4, first.seconds());
    atMost("attach -e ::ps, s", 0.3, again.seconds());
    System.out.printf(
        Locale.ROOT,
        "  processor s %.2f and %.2f, MiB resident %.0f and %.0f%n",
        first.processor(),
        again.processor(),
        first.mebibytes(),
        again.mebibytes());
    if (guest.guest().monitor().events().contains("STOP")) {
      throw new IOException("the guest was stopped");
    }
  }

  private void inPlace() {
    try (Target target = attach("qemu:" + guest.pid())) {
      double best = 0;
      for (int run = 0; run <= runs; run++) {
        best = Math.max(best, rate(target, Long.MAX_VALUE));
      }
      atLeast("memory of a running guest in place, GiB/s", 2, best / (1L << 30));
    }
  }

  /** Both sides through one forwarder, behind which no QEMU is found to read in place. */
  private void throughTheStub(int port) throws IOException {
    long bytes = 256L << 20;
    double raw = 0;
    double own = 0;
    for (int run = 0; run < runs; run++) {
      try (var forwarder = new Forwarder(port)) {
        raw = Math.max(raw, RawStub.rate(forwarder.port(), 1L << 20, bytes));
      }
      try (var forwarder = new Forwarder(port);
          Target target = attach("127.0.0.1:" + forwarder.port())) {
        own = Math.max(own, rate(target, bytes));
      }
    }
    System.out.printf(
        Locale.ROOT, "  stub alone %.0f MiB/s, Fathom %.0f%n", raw / (1 << 20), own / (1 << 20));
    atLeast("share of what the stub can give", 0.9, own / raw);
  }

  private void dumps() throws IOException, InterruptedException {
    var own = new ArrayList<Timed>();
    double qemu = Double.MAX_VALUE;
    double fathoms = Double.MAX_VALUE;
    for (int run = 0; run < runs; run++) {
      Path theirs = scratch.resolve("qemu.kdump");
      long start = System.nanoTime();
      guest.guest().dump(Flavour.KDUMP_ZLIB, theirs);
      double seconds = (System.nanoTime() - start) / 1e9;
      qemu = Math.min(qemu, seconds);
      Path ours = scratch.resolve("fathom.kdump");
      List<String> command =
          List.of(fathom, "dump", "qemu:" + guest.pid(), "-f", "-o", ours.toString());
      Timed timed = Timed.run(command, environment());
      if (timed.status() != 0) {
        throw new IOException(command + ": " + timed.output());
      }
      own.add(timed);
      fathoms = Math.min(fathoms, timed.seconds());
      System.out.printf(
          Locale.ROOT,
          "  dump: QEMU zlib %.2f s, %d MiB; Fathom zstd %.2f s (processor %.2f), %d MiB%n",
          seconds,
          Files.size(theirs) >> 20,
          timed.seconds(),
          timed.processor(),
          Files.size(ours) >> 20);
      Files.delete(theirs);
    }
    atMost("a dump to zstd, times QEMU's to zlib, best of each", 1, fathoms / qemu);
  }

  /**
   * Bytes in a second, read in large pieces from the second mebibyte on: in the first are devices.
   */
  private static double rate(Target target, long limit) {
    PhysicalMemory memory = target.find(PhysicalMemory.class).orElseThrow();
    try (var arena = Arena.ofConfined()) {
      var buffer = arena.allocate(PIECE);
      long start = System.nanoTime();
      long done = 0;
      for (Range range : memory.ranges()) {
        for (long at = Math.max(range.start(), 1 << 20);
            at < range.end() && done < limit;
            at += PIECE) {
          done += memory.read(at, buffer.asSlice(0, Math.min(PIECE, range.end() - at)));
        }
      }
      return done / ((System.nanoTime() - start) / 1e9);
    }
  }

  private static Target attach(String address) {
    for (var provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.accepts(address)) {
        return provider.attach(address, AttachOptions.DEFAULT);
      }
    }
    throw new IllegalStateException(address);
  }

  private Map<String, String> environment() {
    return Map.of("XDG_CACHE_HOME", scratch.resolve("cache").toString());
  }

  private Timed median(List<String> arguments, boolean firstTime)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(fathom));
    command.addAll(arguments);
    List<Timed> measured = new ArrayList<>();
    for (int run = 0; run <= runs; run++) {
      if (firstTime) {
        Trees.delete(scratch.resolve("cache"));
      }
      Timed timed = Timed.run(command, environment());
      if (timed.status() != 0) {
        throw new IOException(command + ": status " + timed.status() + "\n" + timed.output());
      }
      if (run > 0) {
        measured.add(timed);
      }
    }
    return Timed.median(measured);
  }

  private void atMost(String promise, double limit, double measured) {
    tell(promise, "at most", limit, measured, measured <= limit);
  }

  private void atLeast(String promise, double limit, double measured) {
    tell(promise, "at least", limit, measured, measured >= limit);
  }

  private void tell(String promise, String how, double limit, double measured, boolean good) {
    kept &= good;
    System.out.printf(
        Locale.ROOT,
        "%-56s %8.2f  (%s %.2f)%s%n",
        promise,
        measured,
        how,
        limit,
        good ? "" : "  NOT KEPT");
  }
}
