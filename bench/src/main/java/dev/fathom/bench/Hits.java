// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;

/** The {@link HitRace} on one emulated guest. */
public final class Hits {
  /** What the guest does all the time, so that nobody waits for it. */
  private static final String WORK = "dd if=/dev/zero of=/dev/null bs=1 2>/dev/null &";

  private static final String FUNCTION = "vfs_read";

  private Hits() {}

  /**
   * @param args the program, how many hits, how many rounds
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    String address;
    try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      address = "127.0.0.1:" + free.getLocalPort();
    }
    Lab lab = Lab.open(Lab.defaultCache(), System.err::println);
    try (LiveGuest guest = lab.start(Recipe.healthy("6.1"), List.of("-gdb", "tcp:" + address))) {
      guest.run(WORK);
      long function = guest.facts().symbol(FUNCTION).orElseThrow();
      System.out.println("hits per second of " + FUNCTION + ", " + args[1] + " in each run");
      HitRace.run(
          args[0],
          function,
          () -> new Running(address),
          Integer.parseInt(args[1]),
          Integer.parseInt(args[2]));
    }
  }

  /** The guest runs on from one run to the next. */
  private record Running(String address) implements HitRace.Stage {
    @Override
    public void close() {}
  }
}
