// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;

/**
 * The {@link HitRace} on one emulated guest, with functions that are called more and less often:
 * after each stop QEMU translates anew what the guest runs until the next, which takes it longer
 * than all else. What the least client gets says how much of it all that is.
 */
public final class Hits {
  /** What the guest does all the time, so that nobody waits for it. */
  private static final String WORK = "dd if=/dev/zero of=/dev/null bs=1 2>/dev/null &";

  private static final List<String> FUNCTIONS =
      List.of("_raw_spin_lock", "__cond_resched", "rw_verify_area", "vfs_read");

  /** They begin with what ftrace made of the call of {@code __fentry__}: 0f 1f 44 00 00. */
  private static final int NOP = 5;

  private Hits() {}

  /**
   * @param args the program, how many hits, how many rounds
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    int port;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String address = "127.0.0.1:" + port;
    int hits = Integer.parseInt(args[1]);
    Lab lab = Lab.open(Lab.defaultCache(), System.err::println);
    try (LiveGuest guest = lab.start(Recipe.healthy("6.1"), List.of("-gdb", "tcp:" + address))) {
      guest.run(WORK);
      for (String name : FUNCTIONS) {
        long function = guest.facts().symbol(name).orElseThrow();
        System.out.println("hits per second of " + name + ", " + hits + " in each run");
        System.out.printf("least client %.0f%n", RawStub.hits(port, function, NOP, hits));
        HitRace.run(args[0], function, () -> new Running(address), hits, Integer.parseInt(args[2]));
      }
    }
  }

  /** The guest runs on from one run to the next. */
  private record Running(String address) implements HitRace.Stage {
    @Override
    public void close() {}
  }
}
