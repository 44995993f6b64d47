// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

/** Counts of a dump in the making, kept in its {@link Checkpoint}. */
final class Tally {
  long stored;
  long zero;
  long missing;
  long unreadable;
  long bytes;

  static Tally of(long... counts) {
    var tally = new Tally();
    tally.stored = counts[0];
    tally.zero = counts[1];
    tally.missing = counts[2];
    tally.unreadable = counts[3];
    tally.bytes = counts[4];
    return tally;
  }

  /** In the order that {@link #of} takes. */
  long[] counts(long bytesNow) {
    return new long[] {stored, zero, missing, unreadable, bytesNow};
  }
}
