// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Distributions of one aggregation in a line each ({@code -x aggpack}), as illumos's DTrace draws
 * them: from the least bucket of all to the greatest, a character for each.
 *
 * <pre>
 *   key  min .------. max  | count
 *     1    1 : ▃█▁  : 16   | 12
 * </pre>
 *
 * Text is a {@code char} for each byte.
 */
final class Packed {
  private static final String ASCII = "__xxxxXX";
  private static final String NEGATIVE = "vvvvVV";
  private static final int FIRST_BLOCK = 0x2581;
  private static final int BLOCKS = 8;
  private static final int LINEAR_WIDTH = 8;
  private static final int LEAST_DIGITS = 4;

  private final Buckets buckets;
  private final boolean zoom;
  private final boolean ascii;
  private final int first;
  private final int last;

  /**
   * @param all the buckets of every row
   * @param ascii whether to do without characters beyond ASCII
   */
  Packed(Buckets buckets, List<long[]> all, boolean zoom, boolean ascii) {
    this.buckets = buckets;
    this.zoom = zoom;
    this.ascii = ascii;
    int least = Integer.MAX_VALUE;
    int most = -1;
    for (long[] counts : all) {
      for (int i = 0; i < counts.length; i++) {
        if (counts[i] != 0) {
          least = Math.min(least, i);
          most = Math.max(most, i);
        }
      }
    }
    if (buckets instanceof Linear) {
      first = 0;
      last = buckets.words() - 1;
    } else if (most < 0) {
      first = PowersOfTwo.ZERO;
      last = PowersOfTwo.ZERO + 1;
    } else {
      first = least == 0 || least == PowersOfTwo.ZERO ? least : least - 1;
      last = Math.min(most + 1, buckets.words() - 1);
    }
  }

  /** Whether distributions with such buckets are drawn so. */
  static boolean draws(Buckets buckets) {
    return switch (buckets) {
      case PowersOfTwo _, Linear _ -> true;
      case LogLinear _ -> false;
    };
  }

  /**
   * The line above.
   *
   * @param keys the columns that keys take
   */
  String head(int keys) {
    return '\n'
        + Distribution.pad(keys > 0 ? "key" : "", keys)
        + ' '
        + Distribution.pad("min", minWidth())
        + " ."
        + "-".repeat(last - first + 1)
        + ". "
        + fill("max", maxWidth())
        + " | count\n";
  }

  /** What follows a row's keys. */
  String line(long[] counts) {
    double total = 0;
    double largest = 0;
    long count = 0;
    for (int i = first; i <= last; i++) {
      total += Math.abs((double) counts[i]);
      largest = Math.max(largest, Math.abs((double) counts[i]));
      count += counts[i];
    }
    double whole = zoom ? largest / Distribution.ZOOMED : total;
    var line = new StringBuilder();
    line.append(' ').append(Distribution.pad(label(first), minWidth())).append(" :");
    for (int i = first; i <= last; i++) {
      line.append(cell(counts[i], whole));
    }
    return line.append(": ")
        .append(fill(label(last), maxWidth()))
        .append(" | ")
        .append(count)
        .append('\n')
        .toString();
  }

  private String cell(long count, double whole) {
    if (count == 0) {
      return " ";
    }
    double share = Math.abs((double) count) / whole;
    if (count < 0) {
      return NEGATIVE.substring(level(share, NEGATIVE.length())).substring(0, 1);
    }
    if (ascii) {
      return ASCII.substring(level(share, ASCII.length())).substring(0, 1);
    }
    var block = Character.toString(FIRST_BLOCK + level(share, BLOCKS));
    return new String(block.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  private static int level(double share, int levels) {
    return Math.min(levels - 1, (int) (share * (levels - 1) + 0.5));
  }

  private String label(int bucket) {
    return buckets instanceof Linear b
        ? (bucket == 0 ? "< " + b.base() : ">= " + (b.base() + (long) b.levels() * b.step()))
        : Long.toString(buckets.representative(bucket));
  }

  private int minWidth() {
    return buckets instanceof Linear
        ? LINEAR_WIDTH - 1
        : Math.max(LEAST_DIGITS, label(first).length());
  }

  private int maxWidth() {
    return buckets instanceof Linear ? LINEAR_WIDTH : Math.max(LEAST_DIGITS, label(last).length());
  }

  private static String fill(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
