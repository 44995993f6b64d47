// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.aarch64;

import static dev.fathom.testkit.arch.Aarch64PageTableWriter.ACCESSED;
import static dev.fathom.testkit.arch.Aarch64PageTableWriter.CONTIGUOUS;
import static dev.fathom.testkit.arch.Aarch64PageTableWriter.KERNEL_NO_EXECUTE;
import static dev.fathom.testkit.arch.Aarch64PageTableWriter.NOT_GLOBAL;
import static dev.fathom.testkit.arch.Aarch64PageTableWriter.READ_ONLY;
import static dev.fathom.testkit.arch.Aarch64PageTableWriter.USER;
import static dev.fathom.testkit.arch.Aarch64PageTableWriter.USER_NO_EXECUTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.Readability;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.aarch64.PageTables.Access;
import dev.fathom.model.arch.aarch64.PageTables.Mapping;
import dev.fathom.testkit.arch.Aarch64PageTableWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PageTablesTest {
  private static final long ROOT = 0x4100_0000L;

  /** Every way that Linux uses: granule, bits, large addresses, levels (asm/pgtable-hwdef.h). */
  static List<Paging> pagings() {
    return List.of(
        new Paging(12, 39, false, true),
        new Paging(12, 48, false, true),
        new Paging(12, 52, true, true),
        new Paging(14, 36, false, true),
        new Paging(14, 47, false, true),
        new Paging(14, 48, false, true),
        new Paging(14, 52, true, true),
        new Paging(16, 42, false, true),
        new Paging(16, 48, false, true),
        new Paging(16, 52, false, true));
  }

  @ParameterizedTest
  @CsvSource({
    "12,39,3", "12,48,4", "12,52,5", "14,36,2", "14,47,3", "14,48,4", "14,52,4", "16,42,2",
    "16,48,3", "16,52,3"
  })
  void levelsAreThoseOfTheManual(int granule, int bits, int levels) {
    assertThat(new Paging(granule, bits, false, true).levels()).isEqualTo(levels);
  }

  @ParameterizedTest
  @CsvSource({
    // TCR_EL1 of Linux kernels: 4 KiB and 48 bits, 64 KiB and 42, 16 KiB and 47, 4 KiB and 52
    "00000000b5103510,12,48,false",
    "00000000f5567516,16,42,false",
    "000000007511b511,14,47,false",
    "08000000b50c350c,12,52,true"
  })
  void controlRegisterTellsTheForm(String tcr, int granule, int bits, boolean large) {
    long value = Long.parseUnsignedLong(tcr, 16);
    assertThat(Paging.of(value, true)).contains(new Paging(granule, bits, large, true));
    assertThat(Paging.of(value, false)).contains(new Paging(granule, bits, large, false));
  }

  @Test
  void controlRegisterOfNoKernelTellsNothing() {
    assertThat(Paging.of(0, true)).isEmpty();
    assertThat(Paging.of(0xffff_ffffL, false)).isEmpty();
    assertThatThrownBy(() -> new Paging(13, 48, false, true))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Paging(12, 53, false, true))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Aarch64PageTableWriter writer(Paging paging) {
    return new Aarch64PageTableWriter(
        paging.granuleBits(), paging.virtualBits(), paging.largeAddresses(), ROOT);
  }

  private static PageTables tables(Aarch64PageTableWriter writer, Paging paging) {
    var memory = new HeapMemory("physical", Layout.LITTLE_64);
    writer.tables().forEach(memory::put);
    return new PageTables(memory, ROOT, paging);
  }

  private static long half(Paging paging) {
    return paging.upper() ? -1L << paging.virtualBits() : 0;
  }

  @ParameterizedTest
  @MethodSource("pagings")
  void pagesAndBlocksInBothHalves(Paging upper) {
    for (var paging : List.of(upper, upper.lower())) {
      long page = 1L << paging.granuleBits();
      long block = 1L << (2 * paging.granuleBits() - 3);
      long first = half(paging);
      long second = first + (1L << (paging.virtualBits() - 1)) + 3 * block;
      var tables =
          tables(
              writer(paging)
                  .map(first, 0x1234L << 16, page, ACCESSED)
                  .map(second, 7 * block, block, ACCESSED),
              paging);
      assertThat(tables.physical(first + 0x123)).hasValue((0x1234L << 16) + 0x123);
      assertThat(tables.physical(first + page)).isEmpty();
      assertThat(tables.readability(first + page)).isEqualTo(Readability.UNMAPPED);
      assertThat(tables.physical(second + block - 1)).hasValue(8 * block - 1);
      assertThat(tables.physical(second - 1)).isEmpty();
      assertThat(tables.physical(~first)).isEmpty();
      assertThat(tables.readability(~first)).isEqualTo(Readability.UNMAPPED);
      // From the cache, too
      assertThat(tables.physical(first + 0x124)).hasValue((0x1234L << 16) + 0x124);
      assertThat(tables.find(second + 0x10)).isTrue();
      assertThat(tables.room()).isEqualTo(block - 0x10);
    }
  }

  @ParameterizedTest
  @CsvSource({"12,52,true", "14,52,true", "16,52,false", "16,48,false"})
  void addressesOfFiftyTwoBits(int granule, int bits, boolean large) {
    var paging = new Paging(granule, bits, large, true);
    long page = 0x000f_edcb_a987_0000L;
    var tables = tables(writer(paging).map(half(paging), page, 1L << granule, ACCESSED), paging);
    assertThat(tables.physical(half(paging) + 5)).hasValue(page + 5);
  }

  @Test
  void shareabilityIsNoAddressWithoutLargeAddresses() {
    var paging = new Paging(12, 48, false, true);
    var tables = tables(writer(paging).map(half(paging), 0x5000, 0x1000, 0x300), paging);
    assertThat(tables.physical(half(paging))).hasValue(0x5000);
  }

  /** Blocks above level 2 are only there where the manual has them. */
  @Test
  void largeBlocks() {
    var small = new Paging(12, 48, false, true);
    var tables = tables(writer(small).map(half(small), 1L << 30, 1L << 30, 0), small);
    assertThat(tables.physical(half(small) + 0x3fff_ffff)).hasValue(0x7fff_ffff);
    assertThat(tables.find(half(small))).isTrue();
    assertThat(tables.room()).isEqualTo(1L << 21);
    var tooLarge = tables(writer(small).map(half(small), 1L << 39, 1L << 39, 0), small);
    assertThat(tooLarge.physical(half(small))).isEmpty();
    var huge = new Paging(12, 52, true, true);
    assertThat(
            tables(writer(huge).map(half(huge), 1L << 39, 1L << 39, 0), huge)
                .physical(half(huge) + 1))
        .hasValue((1L << 39) + 1);
    var middle = new Paging(14, 48, false, true);
    assertThat(
            tables(writer(middle).map(half(middle), 1L << 36, 1L << 36, 0), middle)
                .physical(half(middle)))
        .isEmpty();
  }

  @Test
  void hiddenSwappedAndUnreadablePages() {
    var paging = new Paging(12, 48, false, false);
    long hidden = 1L << 58 | 0xcc2;
    var writer =
        writer(paging)
            .entry(0x1000, 0, 0x7000 | hidden)
            .entry(0x2000, 0, 0x0000_1234_5600_0150L)
            .entry(0x20_0000, 1, 0x60_0000 | 1L << 59 | 0x700)
            .entry(0x4000_0000L, 1, 0x9999_0000L | 3);
    var tables = tables(writer, paging);
    assertThat(tables.physical(0x1001)).hasValue(0x7001);
    assertThat(tables.physical(0x20_0001)).hasValue(0x60_0001);
    assertThat(tables.physical(0x2000)).isEmpty();
    assertThat(tables.readability(0x2000)).isEqualTo(Readability.NOT_PRESENT);
    assertThat(tables.readability(0x3000)).isEqualTo(Readability.UNMAPPED);
    assertThat(tables.readability(0x4000_0000L)).isEqualTo(Readability.ERROR);
    var memory = new PagedMemory("user", new HeapMemory("physical", Layout.LITTLE_64), tables);
    assertThat(memory.at(0x2000)).isEqualTo(Readability.NOT_PRESENT);
    assertThat(memory.at(0x1000)).isEqualTo(Readability.NOT_DUMPED);
  }

  @Test
  void translationsAreForgotten() {
    var paging = new Paging(12, 39, false, true);
    var writer = writer(paging).map(half(paging), 0x5000, 0x1000, 0);
    var tables = tables(writer, paging);
    assertThat(tables.physical(half(paging))).hasValue(0x5000);
    writer.map(half(paging), 0x6000, 0x1000, 0);
    assertThat(tables.physical(half(paging))).hasValue(0x5000);
    tables.forget();
    assertThat(tables.physical(half(paging))).hasValue(0x6000);
  }

  @Test
  void aProcessHasTheLowerHalf() {
    var paging = new Paging(12, 48, false, true);
    var memory = new HeapMemory("physical", Layout.LITTLE_64);
    writer(paging.lower()).map(0x40_0000, 0x5000, 0x1000, USER).tables().forEach(memory::put);
    var kernel = new PageTables(memory, 0, paging);
    var user = kernel.user(memory, ROOT);
    assertThat(user.physical(0x40_0010)).hasValue(0x5010);
    assertThat(user.physical(0xffff_0000_0040_0010L)).isEmpty();
  }

  @Test
  void sweepTellsPagesAndRights() {
    var paging = new Paging(12, 48, false, true);
    long at = 0xffff_8000_0800_0000L;
    var tables =
        tables(
            writer(paging)
                .map(at, 0x20_0000, 0x20_0000, READ_ONLY | USER_NO_EXECUTE | CONTIGUOUS)
                .map(
                    at + 0x20_0000,
                    0x5000,
                    0x1000,
                    KERNEL_NO_EXECUTE | USER_NO_EXECUTE | NOT_GLOBAL),
            paging);
    var swept = new ArrayList<Mapping>();
    assertThat(tables.sweep(0, -1, 100, swept::add)).isTrue();
    assertThat(swept)
        .containsExactly(
            new Mapping(
                at, 0x20_0000, 0x20_0000, new Access(false, false, false, true, true, true, false)),
            new Mapping(
                at + 0x20_0000,
                0x5000,
                0x1000,
                new Access(true, false, false, false, false, false, false)));
    assertThat(tables.sweep(0, -1, 2, _ -> true)).isFalse();
    assertThat(tables.sweep(0, -1, 100, _ -> false)).isFalse();
    swept.clear();
    assertThat(tables.sweep(at + 0x20_0000, at + 0x20_0fff, 100, swept::add)).isTrue();
    assertThat(swept).hasSize(1);
    assertThatThrownBy(() -> tables.sweep(1, 0, 100, _ -> true))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void randomPages() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 60; round++) {
      var paging = pagings().get(random.nextInt(pagings().size()));
      paging = random.nextBoolean() ? paging : paging.lower();
      var writer = writer(paging);
      var expected = new HashMap<Long, Long>();
      long page = 1L << paging.granuleBits();
      int addressBits = paging.granuleBits() == 16 || paging.largeAddresses() ? 52 : 48;
      long base = half(paging) | (random.nextLong() >>> (64 - paging.virtualBits()) & -page << 10);
      for (int i = 0; i < 100; i++) {
        long virtual = base + random.nextInt(0x400) * page;
        long physical = random.nextLong(1L << (addressBits - paging.granuleBits())) * page;
        writer.map(virtual, physical, page, ACCESSED);
        expected.put(virtual, physical);
      }
      var tables = tables(writer, paging);
      for (int i = 0; i < 1000; i++) {
        long virtual = base + random.nextInt(0x400) * page + random.nextLong(page);
        var physical = expected.get(virtual & -page);
        if (physical == null) {
          assertThat(tables.physical(virtual)).as("seed %d", seed).isEmpty();
        } else {
          assertThat(tables.physical(virtual))
              .as("seed %d", seed)
              .hasValue(physical + (virtual & (page - 1)));
        }
      }
      var swept = new HashMap<Long, Long>();
      assertThat(
              tables.sweep(
                  0,
                  -1,
                  10_000,
                  mapping -> {
                    swept.put(mapping.virtual(), mapping.physical());
                    return true;
                  }))
          .isTrue();
      assertThat(swept).as("seed %d", seed).isEqualTo(expected);
    }
  }

  /** Tables of random bytes: no walk fails or goes on without end. */
  @Test
  void randomTables() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    var bytes = new byte[0x8_0000];
    for (int round = 0; round < 100; round++) {
      random.nextBytes(bytes);
      for (int at = 0; at < bytes.length; at += 8) {
        bytes[at + 2] &= 7;
        for (int high = 3; high < 7 && random.nextInt(8) != 0; high++) {
          bytes[at + high] = 0;
        }
      }
      var memory = new HeapMemory("physical", Layout.LITTLE_64).put(0, bytes);
      var paging = pagings().get(random.nextInt(pagings().size()));
      long page = 1L << paging.granuleBits();
      var tables = new PageTables(memory, random.nextInt(4) * page, paging);
      for (int i = 0; i < 200; i++) {
        long virtual = half(paging) | random.nextLong() >>> (64 - paging.virtualBits());
        boolean found = tables.physical(virtual).isPresent();
        assertThat(tables.readability(virtual) == Readability.READABLE)
            .as("seed %d", seed)
            .isEqualTo(found);
      }
      var seen = new long[1];
      tables.sweep(
          0,
          -1,
          50,
          _ -> {
            seen[0]++;
            return true;
          });
      assertThat(seen[0]).as("seed %d", seed).isLessThanOrEqualTo(50 * 8192);
    }
  }
}
