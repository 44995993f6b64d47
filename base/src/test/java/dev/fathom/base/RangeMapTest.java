// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RangeMapTest {
  @Test
  void overlapsBelongToTheFirstAdded() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    for (int round = 0; round < 500; round++) {
      var builder = new RangeMap.Builder<Integer>();
      var naive = new Integer[64];
      for (int n = 0; n < random.nextInt(8); n++) {
        int start = random.nextInt(64);
        int end = start + random.nextInt(64 - start + 1);
        builder.put(new Range(start, end), n);
        for (int i = start; i < end; i++) {
          naive[i] = naive[i] == null ? Integer.valueOf(n) : naive[i];
        }
      }
      var map = builder.build();
      for (int i = 0; i < 64; i++) {
        assertThat(map.at(i).map(RangeMap.Entry::value).orElse(null))
            .as("seed %d at %d", seed, i)
            .isEqualTo(naive[i]);
      }
    }
  }

  @Test
  void addressesAreUnsignedUpToTheEndOfTheSpace() {
    var map =
        new RangeMap.Builder<String>()
            .put(new Range(-4096, 0), "top")
            .put(new Range(0, 4096), "bottom")
            .put(new Range(-8192, 0), "under the top")
            .build();
    assertThat(map.at(-1).orElseThrow().value()).isEqualTo("top");
    assertThat(map.at(-4097).orElseThrow().value()).isEqualTo("under the top");
    assertThat(map.at(4096)).isEmpty();
    assertThat(map.after(4096).orElseThrow().range()).isEqualTo(new Range(-8192, -4096));
    assertThat(map.entries().getFirst().value()).isEqualTo("bottom");
  }
}
