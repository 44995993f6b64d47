// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What Fathom promises about its speed, measured: whole processes over dumps of guests that the lab
 * makes. Prints one line for each promise and ends with status 1 when one is not kept.
 */
public final class Goals {
  private static final long SPARSE_BYTES = 64L << 30;

  private final String fathom;
  private final int runs;
  private final Path scratch;
  private boolean kept = true;

  private Goals(String fathom, int runs, Path scratch) {
    this.fathom = fathom;
    this.runs = runs;
    this.scratch = scratch;
  }

  /** Arguments: the launcher and the number of runs. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path scratch = Files.createTempDirectory("fathom-goals");
    Goals goals;
    try {
      goals = new Goals(args[0], Integer.parseInt(args[1]), scratch);
      goals.run();
    } finally {
      Trees.delete(scratch);
    }
    System.exit(goals.kept ? 0 : 1);
  }

  private void run() throws IOException, InterruptedException {
    Lab lab = Lab.open(Lab.defaultCache(), System.err::println);
    Path small = lab.dump(Recipe.healthy("6.1")).dump();
    Path busy =
        lab.dump(Recipe.healthy("6.1").named("tasks5000").memory(1024).tasks(1200, 3800)).dump();
    Path bare = lab.dump(Recipe.healthy("6.1").named("novmci").withoutVmcoreinfo()).dump();
    Path sparse = SparseDump.write(small, SPARSE_BYTES, scratch.resolve("sparse.elf"));
    for (Path dump : List.of(small, busy, bare)) {
      Trees.readOnce(dump);
    }
    System.out.println("dumps: " + small + "\n       " + busy + "\n       " + bare + "\n");

    List<String> ps = List.of("-e", "::ps");
    Timed first = median(small, ps, true);
    Timed again = median(small, ps, false);
    atMost("::ps, kernel never seen before, s", 0.5, first.seconds());
    atMost("::ps, s", 0.25, again.seconds());
    atMost("::ps, kernel never seen before, MiB resident", 200, first.mebibytes());
    atMost("::ps, MiB resident", 200, again.mebibytes());

    Timed stacks = median(busy, List.of("-e", "::walk thread | ::findstack -v"), false);
    atMost("stacks of 5,000 tasks, s", 2, stacks.seconds());

    Timed large = median(sparse, ps, false);
    atMost("::ps in a sparse dump of 64 GiB, longer by s", 0.05, large.seconds() - again.seconds());

    Timed searched = median(bare, ps, true);
    double gibibytes = Files.size(bare) / (double) (1L << 30);
    atMost(
        "searching a dump for VMCOREINFO, longer by s for each GiB",
        1,
        (searched.seconds() - first.seconds()) / gibibytes);
  }

  private void atMost(String promise, double limit, double measured) {
    boolean good = measured <= limit;
    kept &= good;
    System.out.printf(
        Locale.ROOT,
        "%-62s %8.2f  (at most %.2f)%s%n",
        promise,
        measured,
        limit,
        good ? "" : "  NOT KEPT");
  }

  private Timed median(Path dump, List<String> arguments, boolean firstTime)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(fathom, "open", dump.toString()));
    command.addAll(arguments);
    Path memory = scratch.resolve("cache");
    List<Timed> measured = new ArrayList<>();
    for (int run = 0; run <= runs; run++) {
      if (firstTime) {
        Trees.delete(memory);
      }
      Timed timed = Timed.run(command, Map.of("XDG_CACHE_HOME", memory.toString()));
      if (timed.status() != 0) {
        throw new IOException(command + ": status " + timed.status() + "\n" + timed.output());
      }
      if (run > 0) {
        measured.add(timed);
      }
    }
    return Timed.median(measured);
  }
}
