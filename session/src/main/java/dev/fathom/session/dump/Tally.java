// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.kernel.PageClasses;
import java.util.EnumMap;
import java.util.Map;

/** Counts of a dump in the making, kept in its {@link Checkpoint}. */
final class Tally {
  private static final PageClasses.Use[] USES = PageClasses.Use.values();
  private static final int OWN = 5;

  /** How many numbers {@link #counts} has: one for each use, and which uses were left out. */
  static final int NUMBERS = OWN + 1 + USES.length;

  long stored;
  long zero;
  long missing;
  long unreadable;
  long bytes;

  /** How many pages were left out, by the uses that were. */
  final Map<PageClasses.Use, Long> excluded = new EnumMap<>(PageClasses.Use.class);

  static Tally of(long... counts) {
    var tally = new Tally();
    tally.stored = counts[0];
    tally.zero = counts[1];
    tally.missing = counts[2];
    tally.unreadable = counts[3];
    tally.bytes = counts[4];
    for (var use : USES) {
      if ((counts[OWN] >>> use.ordinal() & 1) != 0) {
        tally.excluded.put(use, counts[OWN + 1 + use.ordinal()]);
      }
    }
    return tally;
  }

  /** In the order that {@link #of} takes. */
  long[] counts(long bytesNow) {
    var counts = new long[NUMBERS];
    counts[0] = stored;
    counts[1] = zero;
    counts[2] = missing;
    counts[3] = unreadable;
    counts[4] = bytesNow;
    excluded.forEach(
        (use, pages) -> {
          counts[OWN] |= 1L << use.ordinal();
          counts[OWN + 1 + use.ordinal()] = pages;
        });
    return counts;
  }
}
