// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kdump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.testkit.KdumpWriter;
import dev.fathom.testkit.KdumpWriter.Codec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KdumpFileTest {
  private static final long SEED = Long.getLong("fathom.fuzz.seed", 20261120L);
  private static final byte[] TEXT = "OSRELEASE=6.1\n".getBytes(StandardCharsets.US_ASCII);

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void eachVersionHasTheFieldsOfItsTime(int version) {
    byte[] bytes =
        new KdumpWriter(version)
            .page(3, page(3), Codec.ZLIB)
            .excluded(5)
            .physBase(0x1000000)
            .split(2, 9)
            .maxMapnr(100)
            .vmcoreinfo(TEXT)
            .notes(new byte[] {1, 2, 3, 4})
            .eraseinfo(new byte[] {9})
            .build();
    var file = open(bytes);
    var header = file.header();

    assertThat(header.version()).isEqualTo(version);
    assertThat(header.diskdump()).isFalse();
    assertThat(header.utsname())
        .isEqualTo(new Utsname("Linux", "host", "6.1.0-test", "#1 SMP", "x86_64", "(none)"));
    assertThat(header.timestampSeconds()).isEqualTo(1_700_000_000L);
    assertThat(header.timestampMicros()).isEqualTo(5);
    assertThat(header.blockSize()).isEqualTo(4096);
    assertThat(header.maxMapnr()).isEqualTo(100);
    assertThat(header.cpus()).isEqualTo(2);
    assertThat(header.status()).isEqualTo(1);
    assertThat(header.physBase()).hasValue(0x1000000);
    assertThat(header.dumpLevel().isPresent()).isEqualTo(version >= 1);
    assertThat(header.splitPfns().isPresent()).isEqualTo(version >= 2);
    assertThat(header.vmcoreinfo().map(r -> text(bytes, r)))
        .isEqualTo(
            version >= 3
                ? java.util.Optional.of(new String(TEXT, StandardCharsets.US_ASCII))
                : java.util.Optional.empty());
    assertThat(header.notes().isPresent()).isEqualTo(version >= 4);
    assertThat(header.eraseinfo().isPresent()).isEqualTo(version >= 5);
    assertThat(file.pfns()).isEqualTo(version >= 2 ? new Range(2, 9) : new Range(0, 100));
    assertThat(file.state(3)).isEqualTo(KdumpFile.State.STORED);
    assertThat(file.state(5)).isEqualTo(KdumpFile.State.EXCLUDED);
    assertThat(file.state(4)).isEqualTo(KdumpFile.State.ABSENT);
    assertThat(file.state(1000)).isEqualTo(KdumpFile.State.ABSENT);
  }

  @ParameterizedTest
  @ValueSource(ints = {4096, 8192, 16384, 65536})
  void findsThePagesOfRandomBitmaps(int blockSize) {
    var random = new Random(SEED);
    var stored = new TreeSet<Long>();
    var excluded = new TreeSet<Long>();
    var writer = new KdumpWriter(6).blockSize(blockSize);
    long pfn = 0;
    for (int i = 0; i < 1500; i++) {
      pfn += random.nextInt(8) == 0 ? 1 + random.nextInt(3000) : 1;
      if (random.nextInt(3) == 0) {
        excluded.add(pfn);
        writer.excluded(pfn);
      } else {
        stored.add(pfn);
        writer.page(pfn, filled(blockSize, pfn), Codec.RAW);
      }
    }
    var file = open(writer.build());
    assertThat(file.truncated()).isFalse();
    // Ask in an order that jumps, so that the running totals grow in jumps as well.
    for (int i = 0; i < 20_000; i++) {
      long at = random.nextLong(pfn + 10);
      KdumpFile.State expected =
          stored.contains(at)
              ? KdumpFile.State.STORED
              : excluded.contains(at) ? KdumpFile.State.EXCLUDED : KdumpFile.State.ABSENT;
      assertThat(file.state(at)).isEqualTo(expected);
      if (expected == KdumpFile.State.STORED) {
        assertThat(stored(file, at)).isEqualTo(filled(blockSize, at));
      }
      Long next = stored.ceiling(at);
      assertThat(file.nextStored(at, pfn + 1)).isEqualTo(next == null ? pfn + 1 : next);
      long missing = at;
      while (stored.contains(missing) || excluded.contains(missing)) {
        missing++;
      }
      assertThat(file.nextMissing(at, pfn + 1)).isEqualTo(Math.min(missing, pfn + 1));
    }
  }

  @Test
  void aFileOfASplitSetHasTheDescriptorsOfItsShare() {
    for (long start : new long[] {0, 40_000, 70_000}) {
      var writer = new KdumpWriter(6).maxMapnr(100_000);
      for (long pfn = 5; pfn < 100_000; pfn += 1000) {
        writer.page(pfn, filled(4096, pfn), Codec.RAW);
      }
      var file = open(writer.split(start, start + 30_000).build());
      for (long pfn = 5; pfn < 100_000; pfn += 1000) {
        boolean mine = pfn >= start && pfn < start + 30_000;
        assertThat(file.state(pfn))
            .isEqualTo(mine ? KdumpFile.State.STORED : KdumpFile.State.ELSEWHERE);
        if (mine) {
          assertThat(stored(file, pfn)).isEqualTo(filled(4096, pfn));
        }
      }
      assertThat(file.truncated()).isFalse();
    }
  }

  @Test
  void oneBitmapMeansThatNothingWasLeftOut() {
    var file = open(new KdumpWriter(0).diskdump().oneBitmap().page(7, page(7), Codec.RAW).build());
    assertThat(file.header().diskdump()).isTrue();
    assertThat(file.header().physBase()).isEmpty();
    assertThat(file.state(7)).isEqualTo(KdumpFile.State.STORED);
    assertThat(file.state(6)).isEqualTo(KdumpFile.State.ABSENT);
    assertThat(file.descriptor(7)).isPresent();
  }

  @Test
  void anUnwrittenPageSaysSo() {
    var file =
        open(new KdumpWriter(6).incomplete().page(1, page(1), Codec.LZO).unwritten(2).build());
    assertThat(file.header().incomplete()).isTrue();
    assertThat(file.descriptor(1).orElseThrow().unwritten()).isFalse();
    assertThat(file.descriptor(2).orElseThrow().unwritten()).isTrue();
  }

  @Test
  void aTruncatedFileKnowsThatItIs() {
    var writer = new KdumpWriter(6);
    for (long pfn = 0; pfn < 50; pfn++) {
      writer.page(pfn, filled(4096, pfn), Codec.RAW);
    }
    byte[] bytes = writer.build();
    var file = open(Arrays.copyOf(bytes, bytes.length - 1));
    assertThat(file.truncated()).isTrue();
    assertThat(file.reaches(file.descriptor(49).orElseThrow())).isFalse();
    assertThat(file.reaches(file.descriptor(48).orElseThrow())).isTrue();
    var headOnly = open(Arrays.copyOf(bytes, 8192 + 4096));
    assertThat(headOnly.truncated()).isTrue();
    assertThat(headOnly.state(3)).isEqualTo(KdumpFile.State.UNKNOWN);
    var noPages = open(Arrays.copyOf(bytes, 8192 + 8192));
    assertThat(noPages.state(3)).isEqualTo(KdumpFile.State.STORED);
    assertThat(noPages.descriptor(3)).isEmpty();
  }

  @Test
  void namesA32BitMachine() {
    byte[] bytes = new KdumpWriter(6).page(1, page(1), Codec.RAW).machine("i686").build();
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(428, 1).putInt(416, 4096);
    assertThatThrownBy(() -> open(bytes))
        .hasMessage(
            "dump: at offset 0x1a0: kdump header of a 32-bit machine (i686), expected a 64-bit one");
  }

  @Test
  void namesABigEndianMachine() {
    byte[] bytes = new KdumpWriter(6).page(1, page(1), Codec.RAW).build();
    ByteBuffer.wrap(bytes).putInt(8, 6);
    assertThatThrownBy(() -> open(bytes))
        .hasMessage(
            "dump: at offset 0x8: kdump header is big-endian (version 6), expected little-endian");
  }

  @Test
  void refusesDescriptorsThatMakeNoSense() {
    byte[] bytes = new KdumpWriter(6).page(1, page(1), Codec.ZLIB).build();
    int descriptor = 8192 + 8192;
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(descriptor + 8, 8193);
    var file = open(bytes);
    var d = file.descriptor(1).orElseThrow();
    assertThatThrownBy(() -> file.copy(d, new byte[8192]))
        .hasMessage("dump: at offset 0x4008: page descriptor with size 8193, expected 1 to 8192");
  }

  @Test
  void refusesBitmapsThatDoNotCoverTheMachine() {
    byte[] bytes = new KdumpWriter(5).page(1, page(1), Codec.ZLIB).build();
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(440, 40_000);
    // 40,000 page frames need two blocks; the two that there are could only be one bitmap.
    assertThat(open(bytes).header().maxMapnr()).isEqualTo(40_000);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(440, 80_000);
    assertThatThrownBy(() -> open(bytes))
        .hasMessageContaining("bitmaps of 2 blocks, expected at least 3");
  }

  /** Cut at every byte, and bytes changed: a result or a BadDataException, nothing else. */
  @Test
  void survivesCorruptFiles() {
    var random = new Random(SEED);
    byte[] good =
        new KdumpWriter(6)
            .blockSize(512)
            .page(1, filled(512, 1), Codec.ZLIB)
            .page(2, filled(512, 2), Codec.RAW)
            .page(4000, filled(512, 3), Codec.LZO)
            .excluded(77)
            .split(1, 5000)
            .vmcoreinfo(TEXT)
            .build();
    for (int i = 0; i < good.length; i++) {
      use(Arrays.copyOf(good, i));
      byte[] flipped = good.clone();
      flipped[i] ^= (byte) (1 << random.nextInt(8));
      use(flipped);
      flipped[i] = (byte) 0x7f;
      use(flipped);
    }
    for (int i = 0; i < 20_000; i++) {
      byte[] wild = good.clone();
      for (int n = 1 + random.nextInt(6); n > 0; n--) {
        wild[random.nextInt(n % 2 == 0 ? 700 : wild.length)] = (byte) random.nextInt();
      }
      use(wild);
    }
  }

  private static void use(byte[] bytes) {
    try {
      var file = open(bytes);
      file.truncated();
      for (long pfn : new long[] {0, 1, 2, 77, 4000, 4999, 1L << 30}) {
        if (file.state(pfn) == KdumpFile.State.STORED) {
          var descriptor = file.descriptor(pfn);
          if (descriptor.isPresent()) {
            file.copy(descriptor.get(), new byte[2 * file.header().blockSize()]);
          }
        }
      }
      file.nextExisting(0, 10_000);
    } catch (BadDataException e) {
      assertThat(e.source()).isEqualTo("dump");
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + SEED, e);
    }
  }

  private static byte[] stored(KdumpFile file, long pfn) {
    var bytes = new byte[file.header().blockSize()];
    file.copy(file.descriptor(pfn).orElseThrow(), bytes);
    return bytes;
  }

  private static KdumpFile open(byte[] bytes) {
    return KdumpFile.open(ByteSource.of("dump", bytes));
  }

  private static String text(byte[] bytes, Range range) {
    return new String(bytes, (int) range.start(), (int) range.length(), StandardCharsets.US_ASCII);
  }

  private static byte[] page(long pfn) {
    return filled(4096, pfn);
  }

  private static byte[] filled(int size, long value) {
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (b.hasRemaining()) {
      b.putLong(value);
    }
    return b.array();
  }
}
