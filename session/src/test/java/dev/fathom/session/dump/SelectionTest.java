// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.PageClasses.Use;
import dev.fathom.kernel.Progress;
import dev.fathom.session.dump.DumpOptions.Exclusion;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SelectionTest {
  /** Page {@code n} is of use {@code n % 5}. */
  private static final class Fifths implements PageClasses {
    @Override
    public Set<Use> known() {
      return EnumSet.allOf(Use.class);
    }

    @Override
    public List<String> remarks() {
      return List.of();
    }

    @Override
    public void read(long first, byte[] into) {
      for (int i = 0; i < into.length; i++) {
        into[i] = (byte) ((first + i) % 5);
      }
    }
  }

  private static Selection select(Exclusion... exclusions) {
    return Selection.of(
        "machine",
        List.of(new Range(0x1000, 10_000 * 4096L), new Range(70_000 * 4096L, 70_010 * 4096L)),
        Optional.of(new Fifths()),
        Set.of(exclusions),
        Progress.NONE);
  }

  @Test
  void pagesAreLeftOutForTheirUse() {
    var selection = select(Exclusion.USER, Exclusion.FREE, Exclusion.ZERO);
    assertThat(selection.existing().count(0)).isEqualTo(10_009);
    assertThat(selection.excluded()).isEqualTo(Map.of(Use.USER, 2002L, Use.FREE, 2002L));
    for (long page = 0; page < 70_010; page++) {
      boolean there = (page >= 1 && page < 10_000) || page >= 70_000;
      assertThat(selection.wanted().get(page)).isEqualTo(there && page % 5 < 3);
    }
    assertThat(selection.wanted().count(0)).isEqualTo(10_009 - 4004);
  }

  @Test
  void privateCacheIsAllOfTheCache() {
    assertThat(select(Exclusion.PRIVATE).excluded().keySet())
        .containsExactlyInAnyOrder(Use.CACHE, Use.PRIVATE_CACHE);
    assertThat(select(Exclusion.CACHE).excluded().keySet()).containsExactly(Use.CACHE);
    assertThat(select(Exclusion.ZERO).excluded()).isEmpty();
  }

  @Test
  void memoryThatNoMachineHasIsRefused() {
    assertThatThrownBy(() -> ranges(new Range(0, 1L << 51)))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("which no machine has");
    assertThatThrownBy(() -> ranges(new Range(0, 1L << 48)))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("too much for this Java heap");
  }

  private static Selection ranges(Range range) {
    return Selection.of("machine", List.of(range), Optional.empty(), Set.of(), Progress.NONE);
  }

  @Test
  void pageSetsAreSets() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var set = new PageSet(200_000);
    var expected = new TreeSet<Long>();
    for (int i = 0; i < 300; i++) {
      long start = random.nextInt(190_000);
      long end = Math.min(200_000, start + random.nextInt(500));
      set.set(start, end);
      for (long page = start; page < end; page++) {
        expected.add(page);
      }
      long gone = random.nextInt(200_000);
      set.clear(gone);
      expected.remove(gone);
    }
    var copy = new PageSet(200_000);
    for (int chunk = 0; chunk < set.chunkCount(); chunk++) {
      copy.bitmap(chunk, set.bitmap(chunk));
    }
    for (var one : List.of(set, set.copy(), copy)) {
      for (long page = 0; page < 200_000; page += 1 + random.nextInt(50)) {
        assertThat(one.get(page)).as("seed %d", seed).isEqualTo(expected.contains(page));
        Long next = expected.ceiling(page);
        assertThat(one.next(page)).isEqualTo(next == null ? 200_000 : next);
      }
      long from = random.nextInt(200_000);
      assertThat(one.count(from)).isEqualTo(expected.tailSet(from).size());
    }
  }
}
