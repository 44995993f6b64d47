// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Range;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ExtentsTest {
  /** Against an array that is filled address by address. */
  @Test
  void agreesWithABruteForceMap() {
    long seed = Long.getLong("fathom.fuzz.seed", 20261120L);
    var random = new Random(seed);
    for (int round = 0; round < 2000; round++) {
      var builder = new Extents.Builder();
      var added = new ArrayList<long[]>();
      for (int i = random.nextInt(12); i > 0; i--) {
        long start = random.nextInt(100);
        long length = random.nextInt(30);
        long offset = random.nextBoolean() ? start + 1000 : random.nextInt(5000);
        builder.add(start, length, offset);
        added.add(new long[] {start, length, offset});
      }
      added.sort((a, b) -> a[0] != b[0] ? Long.compare(a[0], b[0]) : Long.compare(b[1], a[1]));
      var expected = new long[140];
      Arrays.fill(expected, -1);
      for (long[] e : added) {
        for (long at = e[0]; at < e[0] + e[1]; at++) {
          if (expected[(int) at] == -1) {
            expected[(int) at] = e[2] + (at - e[0]);
          }
        }
      }
      Extents extents = builder.build();
      for (int at = 0; at < 140; at++) {
        int i = extents.find(at);
        assertThat(i < 0 ? -1 : extents.offset(i, at))
            .as("seed %d, round %d, address %d", seed, round, at)
            .isEqualTo(expected[at]);
        if (i >= 0) {
          long length = extents.length(i, at, 1000);
          for (int n = 0; n < length; n++) {
            assertThat(expected[at + n]).isEqualTo(expected[at] + n);
          }
        }
      }
    }
  }

  @Test
  void joinsWhatContinues() {
    Extents extents =
        new Extents.Builder().add(0x2000, 0x1000, 0x5000).add(0x1000, 0x1000, 0x4000).build();
    assertThat(extents.count()).isEqualTo(1);
    assertThat(extents.ranges()).containsExactly(new Range(0x1000, 0x3000));
  }

  @Test
  void reachesTheEndOfTheAddressSpace() {
    Extents extents = new Extents.Builder().add(-0x1000, 0x1000, 0).build();
    assertThat(extents.find(-1)).isZero();
    assertThat(extents.offset(0, -1)).isEqualTo(0xfff);
    assertThat(extents.length(0, -2, 100)).isEqualTo(2);
    assertThat(extents.find(0)).isNegative();
    assertThat(extents.ranges()).containsExactly(new Range(-0x1000, 0));
  }
}
