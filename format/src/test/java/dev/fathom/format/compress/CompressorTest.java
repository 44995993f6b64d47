// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CompressorTest {
  private static final int PAGE = 4096;

  private enum Kind {
    LZO,
    SNAPPY,
    ZLIB,
    ZSTD;

    Compressor encoder() {
      return switch (this) {
        case LZO -> new Lzo1xCompressor();
        case SNAPPY -> new SnappyCompressor();
        case ZLIB -> new ZlibCompressor();
        case ZSTD -> new ZstdCompressor();
      };
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

  /** Words, runs, copies from near and far, noise; lengths from nothing to several pages. */
  private static byte[] block(Random random) {
    var block = new byte[random.nextInt(8) == 0 ? random.nextInt(40_000) : random.nextInt(PAGE)];
    int at = 0;
    while (at < block.length) {
      int count = Math.min(block.length - at, 1 + random.nextInt(1 << random.nextInt(11)));
      switch (random.nextInt(4)) {
        case 0 -> Arrays.fill(block, at, at + count, (byte) random.nextInt());
        case 1 -> {
          for (int i = 0; i < count; i++) {
            block[at + i] = (byte) random.nextInt();
          }
        }
        default -> {
          int back = 1 + random.nextInt(at + 1);
          for (int i = 0; i < count; i++) {
            block[at + i] = at + i < back ? 7 : block[at + i - back];
          }
        }
      }
      at += count;
    }
    return block;
  }

  @ParameterizedTest
  @EnumSource
  void whatIsPackedUnpacksToTheSame(Kind kind) {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var decoder = kind.decoder();
    try (var encoder = kind.encoder()) {
      for (int i = 0; i < 3000; i++) {
        byte[] block = block(random);
        byte[] framed = new byte[block.length + 11];
        System.arraycopy(block, 0, framed, 5, block.length);
        var packed = new byte[9 + Compressor.room(block.length)];
        int size = encoder.compress(framed, 5, 5 + block.length, packed, 9);
        var out = new byte[block.length];
        assertThat(decoder.decompress(packed, 9, 9 + size, out))
            .as("seed %d", seed)
            .isEqualTo(block.length);
        assertThat(out).as("seed %d", seed).isEqualTo(block);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void noiseFitsIntoTheRoom(Kind kind) {
    var random = new Random(1);
    try (var encoder = kind.encoder()) {
      for (int length : new int[] {0, 1, 3, 4, 60, 61, 238, 239, 256, 257, 300, PAGE, 70_000}) {
        var noise = new byte[length];
        random.nextBytes(noise);
        var packed = new byte[Compressor.room(length)];
        int size = encoder.compress(noise, 0, length, packed, 0);
        var out = new byte[length];
        assertThat(kind.decoder().decompress(packed, 0, size, out)).isEqualTo(length);
        assertThat(out).isEqualTo(noise);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void textBecomesSmaller(Kind kind) {
    byte[] page =
        "the quick brown fox jumps over the lazy dog; "
            .repeat(91)
            .getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    try (var encoder = kind.encoder()) {
      var packed = new byte[Compressor.room(page.length)];
      assertThat(encoder.compress(page, 0, page.length, packed, 0)).isLessThan(page.length / 10);
    }
  }
}
