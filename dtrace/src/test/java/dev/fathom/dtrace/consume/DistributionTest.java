// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Buckets and their pictures. */
class DistributionTest {
  private static String picture(Buckets buckets, long... values) {
    var counts = new long[buckets.words()];
    for (long value : values) {
      counts[buckets.bucket(value)]++;
    }
    return new Distribution(buckets, counts, 1, false).text();
  }

  private static String lines(String... rows) {
    return "\n"
        + "           value  ------------- Distribution ------------- count    \n"
        + String.join("\n", rows)
        + "\n";
  }

  private static String line(String label, int bar, String count) {
    return " ".repeat(16 - label.length())
        + label
        + " |"
        + "@".repeat(bar)
        + " ".repeat(40 - bar)
        + " "
        + count
        + " ".repeat(9 - count.length());
  }

  @Test
  void powersOfTwo() {
    assertThat(picture(new PowersOfTwo(), 0, 1, 2, 3, 4, -1))
        .isEqualTo(
            lines(
                line("-2", 0, "0"),
                line("-1", 7, "1"),
                line("0", 7, "1"),
                line("1", 7, "1"),
                line("2", 13, "2"),
                line("4", 7, "1"),
                line("8", 0, "0")));
  }

  @Test
  void linear() {
    assertThat(picture(new Linear(0, 10, 3), -5, 5, 15, 29, 30))
        .isEqualTo(
            lines(
                line("< 0", 8, "1"),
                line("0", 8, "1"),
                line("10", 8, "1"),
                line("20", 8, "1"),
                line(">= 30", 8, "1")));
  }

  @Test
  void logLinear() {
    assertThat(picture(new LogLinear(10, 0, 2, 10), 0, 1, 9, 15, 250, 1000))
        .isEqualTo(
            lines(
                line("-1", 0, "0"),
                line("0", 7, "1"),
                line("1", 7, "1"),
                line("2", 0, "0"),
                line("3", 0, "0"),
                line("4", 0, "0"),
                line("5", 0, "0"),
                line("6", 0, "0"),
                line("7", 0, "0"),
                line("8", 0, "0"),
                line("9", 7, "1"),
                line("10", 7, "1"),
                line("20", 0, "0"),
                line("30", 0, "0"),
                line("40", 0, "0"),
                line("50", 0, "0"),
                line("60", 0, "0"),
                line("70", 0, "0"),
                line("80", 0, "0"),
                line("90", 0, "0"),
                line("100", 0, "0"),
                line("200", 7, "1"),
                line("300", 0, "0"),
                line("400", 0, "0"),
                line("500", 0, "0"),
                line("600", 0, "0"),
                line("700", 0, "0"),
                line("800", 0, "0"),
                line("900", 0, "0"),
                line(">= 1000", 7, "1")));
  }

  @Test
  void barsGoToTheLeftForNegativeCounts() {
    var counts = new long[new Linear(0, 1, 2).words()];
    counts[1] = -1;
    counts[2] = 1;
    assertThat(new Distribution(new Linear(0, 1, 2), counts, 1, false).text())
        .contains(
            "               0 " + " ".repeat(10) + "@".repeat(10) + "|" + " ".repeat(20) + " -1 ")
        .contains(
            "               1 " + " ".repeat(20) + "|" + "@".repeat(10) + " ".repeat(10) + " 1 ");
  }

  @Test
  void everyNumberFallsIntoTheBucketOfItsRange() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var kinds =
        new Buckets[] {
          new PowersOfTwo(),
          new Linear(-100, 7, 40),
          new LogLinear(10, 0, 6, 20),
          new LogLinear(10, 0, 18, 10),
          new LogLinear(2, 3, 62, 8),
          new LogLinear(2, 0, 63, 4)
        };
    for (int i = 0; i < 20_000; i++) {
      long value = random.nextLong() >> random.nextInt(64);
      for (var buckets : kinds) {
        int bucket = buckets.bucket(value);
        assertThat(bucket).as("seed %d, %d", seed, value).isBetween(0, buckets.words() - 1);
        boolean inside = bucket > 0 && bucket < buckets.words() - 1;
        // The number nearest to zero in a bucket is in it and no further from zero.
        if (inside && !(buckets instanceof Linear) && value != Long.MIN_VALUE) {
          long edge = buckets.representative(bucket);
          assertThat(buckets.bucket(edge)).as("seed %d, %d", seed, value).isEqualTo(bucket);
          assertThat(Long.compareUnsigned(Math.abs(edge), Math.abs(value)))
              .as("seed %d, %s, %d", seed, buckets, value)
              .isLessThanOrEqualTo(0);
        }
      }
    }
  }

  /** The longest bar takes 95 % of the room. */
  @Test
  void zoomed() {
    var counts = new long[new Linear(0, 1, 2).words()];
    counts[1] = 4;
    counts[2] = 1;
    assertThat(new Distribution(new Linear(0, 1, 2), counts, 1, true).text())
        .isEqualTo(
            lines(
                line("< 0", 0, "0"), line("0", 38, "4"), line("1", 10, "1"), line(">= 2", 0, "0")));
  }

  private static long[] counted(Buckets buckets, long... values) {
    var counts = new long[buckets.words()];
    for (long value : values) {
      counts[buckets.bucket(value)]++;
    }
    return counts;
  }

  @Test
  void packedOnALine() {
    var buckets = new PowersOfTwo();
    var first = counted(buckets, 1, 3, 3);
    var second = counted(buckets, 40);
    second[buckets.bucket(4)] = -1;
    var packed = new Packed(buckets, List.of(first, second), false, true);
    assertThat(packed.head(6)).isEqualTo("\n   key  min .--------. max  | count\n");
    assertThat(packed.line(first)).isEqualTo("    0 : xx     : 64   | 3\n");
    assertThat(packed.line(second)).isEqualTo("    0 :   v  x : 64   | 0\n");
    var blocks = new Packed(buckets, List.of(first), true, false);
    assertThat(
            new String(
                blocks.line(first).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8))
        .isEqualTo("    0 : \u2584\u2588 : 4    | 3\n");
  }

  @Test
  void packedLinearOnesHaveAllTheirBuckets() {
    var buckets = new Linear(0, 10, 3);
    var counts = counted(buckets, -5, 5, 5, 99);
    var packed = new Packed(buckets, List.of(counts), false, true);
    assertThat(packed.head(0)).isEqualTo("\n     min .-----. max      | count\n");
    assertThat(packed.line(counts)).isEqualTo("     < 0 :xx  x: >= 30    | 4\n");
    assertThat(packed.line(new long[buckets.words()])).isEqualTo("     < 0 :     : >= 30    | 0\n");
  }
}
