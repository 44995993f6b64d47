// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.testkit.KdumpWriter;
import dev.fathom.testkit.LzoWriter;
import dev.fathom.testkit.SnappyWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DecompressorTest {
  private static final int PAGE = 4096;
  private static final int BLOCKS = 5000;

  /** Every decoder with the codec that makes its input. */
  private enum Kind {
    LZO(KdumpWriter.Codec.LZO),
    SNAPPY(KdumpWriter.Codec.SNAPPY),
    ZLIB(KdumpWriter.Codec.ZLIB),
    ZSTD(KdumpWriter.Codec.ZSTD);

    private final KdumpWriter.Codec codec;

    Kind(KdumpWriter.Codec codec) {
      this.codec = codec;
    }

    Decompressor decoder() {
      return switch (this) {
        case LZO -> new Lzo1x();
        case SNAPPY -> new Snappy();
        case ZLIB -> new Zlib();
        case ZSTD -> new Zstd();
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void unpacksPagesOfAllSorts(Kind kind) {
    var decoder = kind.decoder();
    var random = new Random(1);
    for (int i = 0; i < 300; i++) {
      byte[] page = page(random, i % 3);
      byte[] packed = kind.codec.compress(page);
      byte[] framed = new byte[packed.length + 20];
      System.arraycopy(packed, 0, framed, 7, packed.length);
      var out = new byte[PAGE];
      assertThat(decoder.decompress(framed, 7, 7 + packed.length, out)).isEqualTo(PAGE);
      assertThat(out).isEqualTo(page);
    }
  }

  @ParameterizedTest
  @EnumSource
  void refusesBlocksThatDoNotFit(Kind kind) {
    byte[] packed = kind.codec.compress(new byte[PAGE]);
    assertThatThrownBy(
            () -> kind.decoder().decompress(packed, 0, packed.length, new byte[PAGE - 1]))
        .isInstanceOf(BadDataException.class);
  }

  @ParameterizedTest
  @EnumSource
  void refusesBlocksCutOffAnywhere(Kind kind) {
    byte[] packed = kind.codec.compress(page(new Random(2), 1));
    var decoder = kind.decoder();
    for (int length = 0; length < packed.length; length++) {
      int end = length;
      assertThatThrownBy(() -> decoder.decompress(packed, 0, end, new byte[PAGE]))
          .isInstanceOf(BadDataException.class);
    }
  }

  /** Flips, random bytes and cuts: a result or a BadDataException, nothing else. */
  @ParameterizedTest
  @EnumSource
  void survivesCorruptBlocks(Kind kind) {
    long seed = Long.getLong("fathom.fuzz.seed", 20261120L);
    var random = new Random(seed);
    var decoder = kind.decoder();
    int accepted = 0;
    for (int i = 0; i < BLOCKS; i++) {
      byte[] block = kind.codec.compress(page(random, 1 + i % 2));
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        block[random.nextInt(block.length)] ^= (byte) (1 << random.nextInt(8));
      }
      int to = random.nextInt(10) == 0 ? random.nextInt(block.length) : block.length;
      try {
        int size = decoder.decompress(block, 0, to, new byte[PAGE]);
        assertThat(size).isBetween(0, PAGE);
        accepted++;
      } catch (BadDataException e) {
        assertThat(e.offset()).as("seed %d, block %d", seed, i).isBetween(0L, (long) to);
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", block " + i, e);
      }
    }
    // Some corrupt literals always pass, but for zlib, which has a checksum.
    assertThat(accepted).isLessThan(BLOCKS);
  }

  /** Streams made of every kind of instruction, lengths around each encoding's limits. */
  @Test
  void lzoReadsEveryInstruction() {
    var decoder = new Lzo1x();
    int[] lengths = {2, 3, 4, 5, 8, 9, 10, 32, 33, 34, 35, 288, 289, 290, 600};
    int[] distances = {1, 2, 1023, 1024, 1025, 2048, 2049, 3071, 3072, 3073, 16383, 16384, 16385};
    int[] farDistances = {32767, 32768, 49151};
    int[] runs = {0, 1, 2, 3, 4, 5, 15, 16, 17, 18, 19, 272, 273, 274, 800};
    for (int firstRun : new int[] {1, 2, 3, 4, 200, 238, 239, 500}) {
      var random = new Random(firstRun);
      var writer = new LzoWriter();
      var expected = new byte[1 << 21];
      int size = literals(writer, expected, 0, firstRun, random);
      for (int round = 0; round < 2000; round++) {
        int run = runs[random.nextInt(runs.length)];
        size = literals(writer, expected, size, run, random);
        int length = lengths[random.nextInt(lengths.length)];
        int distance = distances[random.nextInt(distances.length)];
        if (random.nextInt(8) == 0) {
          distance = farDistances[random.nextInt(farDistances.length)];
        }
        distance = Math.min(distance, size);
        if (length == 2 && (run < 1 || run > 3 || distance > 1024)) {
          length = 3;
        }
        writer.match(length, distance);
        for (int i = 0; i < length; i++) {
          expected[size] = expected[size - distance];
          size++;
        }
      }
      byte[] packed = writer.finish();
      var out = new byte[size];
      assertThat(decoder.decompress(packed, 0, packed.length, out)).isEqualTo(size);
      assertThat(out).isEqualTo(Arrays.copyOf(expected, size));
    }
  }

  /** Written by hand from the description: "abcabcabcabc" as three literals and a match of nine. */
  @Test
  void lzoReadsAStreamWrittenByHand() {
    byte[] packed = HexFormat.of().parseHex("14616263" + "270800" + "110000");
    var out = new byte[12];
    assertThat(new Lzo1x().decompress(packed, 0, packed.length, out)).isEqualTo(12);
    assertThat(new String(out, StandardCharsets.US_ASCII)).isEqualTo("abcabcabcabc");
  }

  @Test
  void lzoRefusesBytesAfterTheEnd() {
    byte[] packed = HexFormat.of().parseHex("14616263" + "110000" + "00");
    assertThatThrownBy(() -> new Lzo1x().decompress(packed, 0, packed.length, new byte[10]))
        .hasMessageContaining("LZO block: at offset 0x7")
        .hasMessageContaining("1 bytes after the end marker");
  }

  /** Every element form, literals and copies around each limit. */
  @Test
  void snappyReadsEveryElement() {
    var decoder = new Snappy();
    int[] literals = {1, 59, 60, 61, 255, 256, 257, 65536, 65537};
    var random = new Random(3);
    for (int literal : literals) {
      var writer = new SnappyWriter();
      var expected = new byte[literal + 4000];
      byte[] text = new byte[literal];
      random.nextBytes(text);
      System.arraycopy(text, 0, expected, 0, literal);
      writer.literal(text);
      int size = literal;
      for (int form : new int[] {1, 2, 4, 2, 1, 4}) {
        for (int count : new int[] {4, 11, 11, 64, 1, 16}) {
          int most = form == 1 ? 2047 : 65535;
          int distance = Math.min(1 + random.nextInt(most), size);
          int length = form == 1 ? Math.clamp(count, 4, 11) : count;
          writer.copy(length, distance, form);
          for (int i = 0; i < length; i++) {
            expected[size] = expected[size - distance];
            size++;
          }
        }
      }
      byte[] packed = writer.finish();
      var out = new byte[size];
      assertThat(decoder.decompress(packed, 0, packed.length, out)).isEqualTo(size);
      assertThat(out).isEqualTo(Arrays.copyOf(expected, size));
    }
  }

  /** The format description's own example of a copy that overlaps itself: "xababab". */
  @Test
  void snappyReadsABlockWrittenByHand() {
    byte[] packed = HexFormat.of().parseHex("07" + "08786162" + "0102");
    var out = new byte[7];
    assertThat(new Snappy().decompress(packed, 0, packed.length, out)).isEqualTo(7);
    assertThat(new String(out, StandardCharsets.US_ASCII)).isEqualTo("xababab");
  }

  @Test
  void snappyRefusesALengthBeyondThePage() {
    byte[] packed = HexFormat.of().parseHex("ffffffff0f00");
    assertThatThrownBy(() -> new Snappy().decompress(packed, 0, packed.length, new byte[PAGE]))
        .hasMessageContaining("holds 4294967295 bytes, expected at most 4096");
  }

  private static int literals(LzoWriter writer, byte[] into, int at, int count, Random random) {
    var bytes = new byte[count];
    random.nextBytes(bytes);
    writer.literals(bytes);
    System.arraycopy(bytes, 0, into, at, count);
    return at + count;
  }

  /** 0: zeros, 1: words that repeat, as kernel memory has them, 2: noise in part. */
  private static byte[] page(Random random, int sort) {
    var page = new byte[PAGE];
    if (sort == 1) {
      for (int i = 0; i < PAGE; i += 8) {
        int base = random.nextInt(6) * 0x40;
        page[i] = (byte) base;
        page[i + 1] = (byte) random.nextInt(3);
        page[i + 6] = (byte) 0xff;
        page[i + 7] = (byte) 0xff;
      }
    } else if (sort == 2) {
      for (int i = 0; i < 900; i++) {
        page[i * 3] = (byte) random.nextInt();
      }
    }
    return page;
  }
}
