// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/**
 * Holds the target for {@code chill()}: for at most half of each second, as DTrace allows each CPU.
 * Here all CPUs stand still for one's call, so that one budget is for all.
 */
final class Chill {
  static final long MOST = 500_000_000;

  private static final long INTERVAL = 1_000_000_000;

  /** Nanoseconds after which it is asked whether tracing is to end. */
  private static final long SLICE = 10_000_000;

  private final BooleanSupplier over;
  private OptionalLong since = OptionalLong.empty();
  private long taken;

  /**
   * @param over whether tracing is asked to end
   */
  Chill(BooleanSupplier over) {
    this.over = over;
  }

  /**
   * Takes so much from the second's budget.
   *
   * @param now in nanoseconds
   * @return false when it has not so much left
   */
  boolean take(long nanos, long now) {
    if (since.isEmpty() || now - since.getAsLong() > INTERVAL) {
      since = OptionalLong.of(now);
      taken = 0;
    }
    if (nanos < 0 || nanos > MOST - taken) {
      return false;
    }
    taken += nanos;
    return true;
  }

  /**
   * Waits while the target stands still, for so long or until tracing is asked to end.
   *
   * @throws UnsupportedException when the second's budget has not so much left
   */
  void hold(long nanos) {
    long now = System.nanoTime();
    if (!take(nanos, now)) {
      throw new UnsupportedException("chill() is for at most " + MOST + " ns of each second");
    }
    long end = now + nanos;
    try {
      for (long left = nanos; left > 0 && !over.getAsBoolean(); left = end - System.nanoTime()) {
        long slice = Math.min(left, SLICE);
        Thread.sleep(slice / 1_000_000, (int) (slice % 1_000_000));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // Who interrupts does not want to wait.
    }
  }
}
