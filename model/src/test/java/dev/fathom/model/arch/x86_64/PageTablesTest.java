// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import static dev.fathom.testkit.arch.X86PageTableWriter.GLOBAL;
import static dev.fathom.testkit.arch.X86PageTableWriter.NO_EXECUTE;
import static dev.fathom.testkit.arch.X86PageTableWriter.PAGE_SIZE;
import static dev.fathom.testkit.arch.X86PageTableWriter.PRESENT;
import static dev.fathom.testkit.arch.X86PageTableWriter.USER;
import static dev.fathom.testkit.arch.X86PageTableWriter.WRITABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.x86_64.PageTables.Mapping;
import dev.fathom.model.arch.x86_64.Paging.NotPresent;
import dev.fathom.model.arch.x86_64.Translation.Access;
import dev.fathom.model.arch.x86_64.Translation.Elsewhere;
import dev.fathom.model.arch.x86_64.Translation.Level;
import dev.fathom.model.arch.x86_64.Translation.Mapped;
import dev.fathom.model.arch.x86_64.Translation.NotCanonical;
import dev.fathom.model.arch.x86_64.Translation.NotMapped;
import dev.fathom.model.arch.x86_64.Translation.TableUnreadable;
import dev.fathom.testkit.arch.X86PageTableWriter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageTablesTest {
  private static final long KIB4 = 0x1000;
  private static final long MIB2 = 0x20_0000;
  private static final long GIB1 = 0x4000_0000;
  private static final long ROOT = 0x10_0000;
  private static final long KERNEL = 0xffff_ffff_8100_0000L;
  private static final long STACK = 0xffff_c900_0001_0000L;
  private static final long DIRECT = 0xffff_8880_0000_0000L;

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void pagesOfEverySize(int levels) {
    var writer =
        new X86PageTableWriter(levels, ROOT)
            .map(STACK, 0x1234_5000, KIB4, PRESENT | WRITABLE | NO_EXECUTE)
            .map(KERNEL, 0x0120_0000, MIB2, PRESENT | GLOBAL)
            .map(DIRECT, 0x1_4000_0000L, GIB1, PRESENT | WRITABLE | NO_EXECUTE | GLOBAL);
    var tables = tables(writer, levels);
    assertThat(tables.translate(STACK + 0xabc).result())
        .isEqualTo(
            new Mapped(0x1234_5abc, KIB4, new Access(true, false, false, false, false, false)));
    assertThat(tables.translate(KERNEL + 0x12345).result())
        .isEqualTo(
            new Mapped(0x0121_2345, MIB2, new Access(false, false, true, true, false, false)));
    assertThat(tables.translate(DIRECT + 0x3fff_ffff).result())
        .isEqualTo(
            new Mapped(0x1_7fff_ffffL, GIB1, new Access(true, false, false, true, false, false)));
    for (long virtual : new long[] {STACK + 0xfff, KERNEL + 0x1f_ffff, DIRECT + 0x2000_0001}) {
      assertThat(tables.physical(virtual)).isEqualTo(tables.translate(virtual).physical());
      assertThat(tables.physical(virtual))
          .as("from the cache")
          .isEqualTo(tables.translate(virtual).physical());
    }
    assertThat(tables.physical(STACK + KIB4)).isEmpty();
    assertThat(tables.physical(KERNEL + MIB2)).isEmpty();
    assertThat(tables.physical(DIRECT + GIB1)).isEmpty();
  }

  @Test
  void everyEntryOnTheWayIsTold() {
    var writer = new X86PageTableWriter(4, ROOT).map(STACK, 0x1234_5000, KIB4, PRESENT | WRITABLE);
    var translation = tables(writer, 4).translate(STACK + 8);
    assertThat(translation.levels())
        .extracting(Level::name)
        .containsExactly("PML4E", "PDPTE", "PDE", "PTE");
    assertThat(translation.levels().get(0).entryAddress())
        .isEqualTo(ROOT + 8 * (STACK >>> 39 & 511));
    assertThat(translation.levels().get(0).entry())
        .hasValue(ROOT + 0x1000 | PRESENT | WRITABLE | USER);
    assertThat(translation.levels().get(3).entryAddress())
        .isEqualTo(ROOT + 0x3000 + 8 * (STACK >>> 12 & 511));
    assertThat(translation.levels().get(3).entry()).hasValue(0x1234_5000 | PRESENT | WRITABLE);

    var nothing = tables(writer, 4).translate(STACK + MIB2);
    assertThat(nothing.levels()).hasSize(3);
    assertThat(nothing.result()).isEqualTo(new NotMapped());
    assertThat(nothing.readability()).isEqualTo(Readability.UNMAPPED);
  }

  @Test
  void rightsAreThoseThatEveryLevelGrants() {
    var writer =
        new X86PageTableWriter(4, ROOT).map(0x40_0000, 0x5000, KIB4, PRESENT | WRITABLE | USER);
    assertThat(access(writer, 0x40_0000))
        .isEqualTo(new Access(true, true, true, false, false, false));
    long directory = ROOT + 0x2000;
    writer.entry(0x40_0000, 3, directory | PRESENT | USER);
    assertThat(access(writer, 0x40_0000))
        .isEqualTo(new Access(false, true, true, false, false, false));
    writer.entry(0x40_0000, 3, directory | PRESENT | WRITABLE | NO_EXECUTE);
    assertThat(access(writer, 0x40_0000))
        .isEqualTo(new Access(true, false, false, false, false, false));
  }

  @Test
  void bitSevenOfTheLowestLevelIsNoPageSize() {
    var writer = new X86PageTableWriter(4, ROOT).map(STACK, 0x5000, KIB4, PRESENT | PAGE_SIZE);
    assertThat(tables(writer, 4).physical(STACK + 1)).hasValue(0x5001);
  }

  @Test
  void attributeBitOfLargePagesIsNotPartOfTheAddress() {
    var writer = new X86PageTableWriter(4, ROOT).map(KERNEL, 0x0120_0000, MIB2, PRESENT | 1 << 12);
    assertThat(tables(writer, 4).physical(KERNEL)).hasValue(0x0120_0000);
  }

  @Test
  void cr3CarriesMoreThanTheAddress() {
    var writer = new X86PageTableWriter(4, ROOT).map(STACK, 0x5000, KIB4, PRESENT);
    var paging = new Paging(4, 1L << 47, NotPresent.LINUX);
    var tables = new PageTables(physical(writer), ROOT | 0x803 | 1L << 63 | 1L << 47, paging);
    assertThat(tables.root()).isEqualTo(ROOT);
    assertThat(tables.physical(STACK)).hasValue(0x5000);
  }

  @Test
  void encryptionBitIsStrippedAtEveryLevel() {
    long cBit = 1L << 47;
    var writer =
        new X86PageTableWriter(4, ROOT)
            .map(STACK, 0x5000 | cBit, KIB4, PRESENT)
            .map(STACK + KIB4, 0x6000, KIB4, PRESENT)
            .entry(STACK, 4, ROOT + 0x1000 | cBit | PRESENT);
    var tables = new PageTables(physical(writer), ROOT, new Paging(4, cBit, NotPresent.LINUX));
    assertThat(tables.translate(STACK).result())
        .isEqualTo(new Mapped(0x5000, KIB4, new Access(false, false, true, false, true, false)));
    assertThat(tables.translate(STACK + KIB4).result())
        .isEqualTo(new Mapped(0x6000, KIB4, new Access(false, false, true, false, false, false)));
  }

  @Test
  void linuxKeepsPagesWithoutAccessUnderAnInvertedFrame() {
    long frames = 0x000f_ffff_ffff_f000L;
    var writer =
        new X86PageTableWriter(4, ROOT)
            .entry(0x7f00_0000_0000L, 1, (~0x0000_0001_2345_6000L & frames) | GLOBAL | 0x20)
            .entry(0x7f00_4000_0000L, 2, (~0x0000_0001_2340_0000L & frames) | GLOBAL | PAGE_SIZE)
            // a huge page that is being split: the present bit alone is cleared
            .entry(0x7f00_8000_0000L, 2, (~0x0000_0000_4560_0000L & frames) | WRITABLE | PAGE_SIZE);
    var linux = tables(writer, 4);
    assertThat(linux.translate(0x7f00_0000_0123L).result())
        .isEqualTo(
            new Mapped(0x1_2345_6123L, KIB4, new Access(false, false, true, false, false, true)));
    assertThat(linux.physical(0x7f00_4000_0123L)).hasValue(0x1_2340_0123L);
    assertThat(linux.physical(0x7f00_8000_0123L)).hasValue(0x4560_0123L);

    var hardware = new PageTables(physical(writer), ROOT, Paging.of(4, NotPresent.HARDWARE));
    assertThat(hardware.translate(0x7f00_0000_0000L).result()).isEqualTo(new NotMapped());
    assertThat(hardware.physical(0x7f00_4000_0123L)).isEmpty();
  }

  @Test
  void swapAndMigrationEntriesAreElsewhere() {
    long swap = 0x0800_0000_1234_5602L;
    var writer = new X86PageTableWriter(4, ROOT).entry(0x7f00_0000_0000L, 1, swap);
    var translation = tables(writer, 4).translate(0x7f00_0000_0000L);
    assertThat(translation.result()).isEqualTo(new Elsewhere(swap));
    assertThat(translation.readability()).isEqualTo(Readability.NOT_PRESENT);
    assertThat(translation.physical()).isEmpty();
  }

  @Test
  void canonicalAddresses() {
    var four = Paging.of(4, NotPresent.LINUX);
    var five = Paging.of(5, NotPresent.LINUX);
    assertThat(four.canonical(0x7fff_ffff_ffffL)).isTrue();
    assertThat(four.canonical(0x8000_0000_0000L)).isFalse();
    assertThat(four.canonical(0xffff_8000_0000_0000L)).isTrue();
    assertThat(four.canonical(0xff11_0000_0000_0000L)).isFalse();
    assertThat(five.canonical(0xff11_0000_0000_0000L)).isTrue();
    assertThat(five.canonical(0x0100_0000_0000_0000L)).isFalse();
    var tables = tables(new X86PageTableWriter(4, ROOT), 4);
    var translation = tables.translate(0x8000_0000_0000L);
    assertThat(translation.result()).isEqualTo(new NotCanonical());
    assertThat(translation.levels()).isEmpty();
    assertThat(translation.readability()).isEqualTo(Readability.UNMAPPED);
    assertThatThrownBy(() -> Paging.of(3, NotPresent.LINUX))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void missingTables() {
    var writer = new X86PageTableWriter(4, ROOT).map(STACK, 0x5000, KIB4, PRESENT);
    var memory = new HeapMemory("physical", Layout.LITTLE_64);
    writer.tables().headMap(ROOT + 0x3000).forEach(memory::put);
    var tables = new PageTables(memory, ROOT, Paging.of(4, NotPresent.LINUX));
    var translation = tables.translate(STACK);
    assertThat(translation.result()).isEqualTo(new TableUnreadable(Readability.UNMAPPED));
    assertThat(translation.readability()).isEqualTo(Readability.ERROR);
    assertThat(translation.levels()).hasSize(4);
    assertThat(translation.levels().get(3).entry()).isEmpty();
    // A truncated dump can end inside a table.
    memory.put(ROOT + 0x3000, new byte[0x100]);
    tables.forget();
    assertThat(tables.translate(STACK).result()).isEqualTo(new NotMapped());
    assertThat(tables.translate(STACK + 0x10 * KIB4).result())
        .isEqualTo(new TableUnreadable(Readability.UNMAPPED));
    assertThat(tables.sweep(0, -1, 100, _ -> true)).isEqualTo(new PageTables.Sweep(4, 1, true));
  }

  @Test
  void forgettingSeesNewTables() {
    var writer = new X86PageTableWriter(4, ROOT).map(STACK, 0x5000, KIB4, PRESENT);
    var tables = tables(writer, 4);
    assertThat(tables.physical(STACK)).hasValue(0x5000);
    writer.map(STACK, 0x6000, KIB4, PRESENT);
    assertThat(tables.physical(STACK)).hasValue(0x5000);
    tables.forget();
    assertThat(tables.physical(STACK)).hasValue(0x6000);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void sweepJoinsNeighboursWithEqualRights(int levels) {
    var writer =
        new X86PageTableWriter(levels, ROOT)
            .map(0x40_0000, 0x5000, KIB4, PRESENT | USER)
            .map(0x40_1000, 0x6000, KIB4, PRESENT | USER)
            .map(0x40_2000, 0x9000, KIB4, PRESENT | USER)
            .map(0x40_3000, 0xa000, KIB4, PRESENT | USER | WRITABLE)
            .map(KERNEL, 0x100_0000, MIB2, PRESENT)
            .map(KERNEL + MIB2, 0x120_0000, MIB2, PRESENT)
            .map(-MIB2, 0x140_0000, MIB2, PRESENT);
    var read = new Access(false, true, true, false, false, false);
    var write = new Access(true, true, true, false, false, false);
    var kernel = new Access(false, false, true, false, false, false);
    var all = new ArrayList<Mapping>();
    var sweep = tables(writer, levels).sweep(0, -1, 1000, all::add);
    assertThat(all)
        .containsExactly(
            new Mapping(0x40_0000, 0x5000, 2 * KIB4, KIB4, read),
            new Mapping(0x40_2000, 0x9000, KIB4, KIB4, read),
            new Mapping(0x40_3000, 0xa000, KIB4, KIB4, write),
            new Mapping(KERNEL, 0x100_0000, 2 * MIB2, MIB2, kernel),
            new Mapping(-MIB2, 0x140_0000, MIB2, MIB2, kernel));
    assertThat(sweep.complete()).isTrue();
    assertThat(sweep.tables()).isEqualTo(writer.tables().size());

    var some = new ArrayList<Mapping>();
    tables(writer, levels).sweep(0x40_1000, 0x40_2fff, 1000, some::add);
    assertThat(some)
        .containsExactly(
            new Mapping(0x40_1000, 0x6000, KIB4, KIB4, read),
            new Mapping(0x40_2000, 0x9000, KIB4, KIB4, read));

    var first = new ArrayList<Mapping>();
    var stopped = tables(writer, levels).sweep(0, -1, 1000, mapping -> !first.add(mapping));
    assertThat(first).hasSize(1);
    assertThat(stopped.complete()).isFalse();
  }

  @Test
  void sweepOfTablesThatReferToThemselvesEnds() {
    var writer = new X86PageTableWriter(5, ROOT);
    for (int index = 0; index < 512; index++) {
      writer.entry((long) index << 48, 5, ROOT | PRESENT);
    }
    var seen = new long[1];
    var sweep = tables(writer, 5).sweep(0, -1, 500, mapping -> ++seen[0] > 0);
    assertThat(sweep.complete()).isFalse();
    assertThat(sweep.tables()).isEqualTo(500);
    assertThat(seen[0]).isPositive();
  }

  @Test
  void pagedMemoryReadsAcrossPagesAndSaysWhatIsMissing() {
    var writer =
        new X86PageTableWriter(4, ROOT)
            .map(STACK, 0x5000, KIB4, PRESENT)
            .map(STACK + KIB4, 0x3000, KIB4, PRESENT)
            .map(STACK + 2 * KIB4, 0xfee0_0000L, KIB4, PRESENT)
            .entry(STACK + 4 * KIB4, 1, 0x800)
            .map(-KIB4, 0x5000, KIB4, PRESENT);
    var memory = physical(writer).put(0x5000, filled(1)).put(0x3000, filled(2));
    var virtual =
        new PagedMemory(
            "kernel", memory, new PageTables(memory, ROOT, Paging.of(4, NotPresent.LINUX)));

    var into = new byte[0x2000];
    assertThat(virtual.read(STACK + 0x800, MemorySegment.ofArray(into))).isEqualTo(0x1800);
    assertThat(into[0x7ff]).isEqualTo((byte) 1);
    assertThat(into[0x800]).isEqualTo((byte) 2);
    assertThat(virtual.u64(STACK + 0xffc)).isEqualTo(0x02020202_01010101L);
    assertThat(virtual.physical(STACK + 0x1004)).hasValue(0x3004);

    assertThat(virtual.at(STACK)).isEqualTo(Readability.READABLE);
    assertThat(virtual.at(STACK + 2 * KIB4)).as("a device").isEqualTo(Readability.NOT_DUMPED);
    assertThat(virtual.at(STACK + 3 * KIB4)).isEqualTo(Readability.UNMAPPED);
    assertThat(virtual.at(STACK + 4 * KIB4)).isEqualTo(Readability.NOT_PRESENT);
    assertThatThrownBy(() -> virtual.bytes(STACK + 0x1ffc, 8))
        .isInstanceOfSatisfying(
            FaultException.class,
            fault -> {
              assertThat(fault.address()).isEqualTo(STACK + 0x2000);
              assertThat(fault.reason()).isEqualTo(Readability.NOT_DUMPED);
            });
    // The last page of the address space does not run over into the first.
    writer.map(0, 0x3000, KIB4, PRESENT);
    virtual.mmu().forget();
    assertThat(virtual.read(-16, MemorySegment.ofArray(into))).isEqualTo(16);
  }

  @Test
  void agreesWithAPlainMapOfRandomPages() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    for (int round = 0; round < 50; round++) {
      int levels = random.nextBoolean() ? 4 : 5;
      var writer = new X86PageTableWriter(levels, ROOT);
      var expected = new HashMap<Long, Long>();
      long base = random.nextLong() >> (64 - 12 - 9 * levels) & -GIB1;
      for (int i = 0; i < 200; i++) {
        long virtual = base + random.nextInt(0x4000) * KIB4;
        long physical = random.nextLong(1L << 40) * KIB4;
        writer.map(virtual, physical, KIB4, PRESENT);
        expected.put(virtual, physical);
      }
      var tables = tables(writer, levels);
      for (int i = 0; i < 2000; i++) {
        long virtual = base + random.nextInt(0x4000) * KIB4 + random.nextInt(0x1000);
        var physical = expected.get(virtual & -KIB4);
        if (physical == null) {
          assertThat(tables.physical(virtual)).as("seed %d", seed).isEmpty();
        } else {
          assertThat(tables.physical(virtual))
              .as("seed %d", seed)
              .hasValue(physical + (virtual & 0xfff));
        }
      }
      var swept = new HashMap<Long, Long>();
      tables.sweep(
          0,
          -1,
          1000,
          mapping -> {
            for (long at = 0; at < mapping.bytes(); at += KIB4) {
              swept.put(mapping.virtual() + at, mapping.physical() + at);
            }
            return true;
          });
      assertThat(swept).as("seed %d", seed).isEqualTo(expected);
    }
  }

  @Test
  void randomBytesAsTablesNeverThrow() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    var bytes = new byte[0x8000];
    for (int round = 0; round < 200; round++) {
      random.nextBytes(bytes);
      for (int at = 0; at < bytes.length; at += 8) {
        // Keep most frames inside the memory, so that the walks go deep.
        bytes[at + 1] &= 0x7f;
        for (int high = 2; high < 7 && random.nextInt(8) != 0; high++) {
          bytes[at + high] = 0;
        }
      }
      var memory = new HeapMemory("physical", Layout.LITTLE_64).put(0, bytes);
      int levels = random.nextBoolean() ? 4 : 5;
      var paging = new Paging(levels, 0, NotPresent.values()[random.nextInt(2)]);
      var tables = new PageTables(memory, random.nextLong(), paging);
      for (int i = 0; i < 100; i++) {
        long virtual = random.nextLong() >> random.nextInt(64);
        var translation = tables.translate(virtual);
        assertThat(translation.levels().size()).as("seed %d", seed).isLessThanOrEqualTo(levels);
        assertThat(tables.physical(virtual)).as("seed %d", seed).isEqualTo(translation.physical());
      }
      assertThat(tables.sweep(0, -1, 50, _ -> true).tables())
          .as("seed %d", seed)
          .isLessThanOrEqualTo(50);
    }
  }

  private static byte[] filled(int value) {
    var page = new byte[(int) KIB4];
    Arrays.fill(page, (byte) value);
    return page;
  }

  private static Access access(X86PageTableWriter writer, long virtual) {
    var result = tables(writer, 4).translate(virtual).result();
    assertThat(result).isInstanceOf(Mapped.class);
    return ((Mapped) result).access();
  }

  private static PageTables tables(X86PageTableWriter writer, int levels) {
    return new PageTables(physical(writer), writer.root(), Paging.of(levels, NotPresent.LINUX));
  }

  private static HeapMemory physical(X86PageTableWriter writer) {
    var memory = new HeapMemory("physical", Layout.LITTLE_64);
    writer.tables().forEach(memory::put);
    return memory;
  }
}
