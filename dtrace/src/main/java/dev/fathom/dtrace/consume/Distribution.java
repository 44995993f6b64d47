// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import java.util.Locale;

/**
 * Pictures of distributions, as DTrace draws them: a row for each bucket from the one before the
 * first that is not empty to the one after the last, with a bar of up to 40 characters.
 */
final class Distribution {
  /** How much of the room the longest bar takes with {@code -x aggzoom}. */
  static final double ZOOMED = 0.95;

  private static final int BAR = 40;

  private final Buckets buckets;
  private final long[] counts;
  private final long normal;
  private final boolean zoom;

  /**
   * @param normal what counts are divided by
   * @param zoom whether the longest bar takes most of the room ({@code -x aggzoom})
   */
  Distribution(Buckets buckets, long[] counts, long normal, boolean zoom) {
    this.buckets = buckets;
    this.counts = counts;
    this.normal = normal;
    this.zoom = zoom;
  }

  String text() {
    int first = 0;
    while (first < counts.length && counts[first] == 0) {
      first++;
    }
    int last = counts.length - 1;
    while (last >= first && counts[last] == 0) {
      last--;
    }
    if (first == counts.length) {
      // Nothing was counted, or negative weights have taken all away.
      first = emptyFirst();
      last = emptyLast();
    }
    double total = 0;
    double largest = 0;
    boolean positive = false;
    boolean negative = false;
    for (int i = first; i <= last; i++) {
      positive |= counts[i] > 0;
      negative |= counts[i] < 0;
      total += Math.abs((double) counts[i]);
      largest = Math.max(largest, Math.abs((double) counts[i]));
    }
    first = Math.max(0, first - 1);
    last = Math.min(counts.length - 1, last + 1);
    var out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "%n%16s %41s %-9s%n".replace("%n", "\n"),
            "value",
            "------------- Distribution -------------",
            "count"));
    var bars = new Bars(zoom ? largest / ZOOMED : total, positive, negative);
    for (int i = first; i <= last; i++) {
      var label = i == first || i == last ? edge(i, i == first ? -1 : 1, first) : label(i, first);
      if (!label.isEmpty()) {
        out.append(pad(label, 16)).append(' ').append(bars.of(counts[i])).append(' ');
        var count = Long.toString(counts[i] / normal);
        out.append(count).repeat(' ', Math.max(0, 9 - count.length())).append('\n');
      }
    }
    return out.toString();
  }

  /** The rows of an empty distribution are those around 0, or the first ones. */
  private int emptyFirst() {
    return switch (buckets) {
      case PowersOfTwo _ -> PowersOfTwo.ZERO;
      case Linear _ -> 1;
      case LogLinear b -> b.middle() + 1;
    };
  }

  private int emptyLast() {
    return emptyFirst();
  }

  static String pad(String text, int width) {
    return " ".repeat(Math.max(0, width - text.length())) + text;
  }

  /** The label of the first or last row, that of the next bucket outwards if it has none itself. */
  private String edge(int bucket, int step, int first) {
    int at = bucket;
    while (at >= 0 && at < counts.length) {
      var label = label(at, first);
      if (!label.isEmpty()) {
        return label;
      }
      at += step;
    }
    return "";
  }

  /** What stands before a bucket's bar; empty for a bucket that no number can fall into. */
  private String label(int bucket, int first) {
    return switch (buckets) {
      case PowersOfTwo b -> Long.toString(b.representative(bucket));
      case Linear b ->
          bucket == 0
              ? "< " + b.base()
              : (bucket == b.levels() + 1 ? ">= " : "") + b.representative(bucket);
      case LogLinear b -> logLinear(b, bucket, first);
    };
  }

  private static String logLinear(LogLinear b, int bucket, int first) {
    int middle = b.middle();
    if (bucket == middle) {
      var start = Long.toUnsignedString(b.representative(middle + 1));
      return start.equals("1") ? "0" : (first >= middle ? "< " : "abs() < ") + start;
    }
    if (b.bucket(b.representative(bucket)) != bucket) {
      return "";
    }
    boolean edge = bucket == 0 || bucket == b.words() - 1;
    long size = b.representative(Math.abs(bucket - middle) + middle);
    var text = Long.toUnsignedString(size);
    return bucket < middle ? (edge ? "<= -" : "-") + text : (edge ? ">= " : "") + text;
  }

  /** Bars: to the right for positive counts, to the left for negative ones, in halves for both. */
  record Bars(double total, boolean positive, boolean negative) {
    String of(long count) {
      if (!negative) {
        return "|" + bar(count, BAR) + blanks(count, BAR);
      }
      if (!positive) {
        return blanks(count, BAR) + bar(count, BAR) + "|";
      }
      int half = BAR / 2;
      return count <= 0
          ? blanks(count, half) + bar(count, half) + "|" + " ".repeat(half)
          : " ".repeat(half) + "|" + bar(count, half) + blanks(count, half);
    }

    private int length(long count, int room) {
      return total == 0 ? 0 : Math.min(room, (int) (Math.abs((double) count) * room / total + 0.5));
    }

    private String bar(long count, int room) {
      return "@".repeat(length(count, room));
    }

    private String blanks(long count, int room) {
      return " ".repeat(room - length(count, room));
    }
  }
}
