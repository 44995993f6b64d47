// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.flattened;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.FlattenedWriter;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FlattenedImageTest {
  private static final long SEED = Long.getLong("fathom.fuzz.seed", 20261120L);

  @Test
  void readsBlocksInAnyOrder() {
    var random = new Random(SEED);
    for (int round = 0; round < 50; round++) {
      var image = new byte[1 + random.nextInt(20_000)];
      random.nextBytes(image);
      var flat = open(FlattenedWriter.flatten(image, 1 + random.nextInt(700), random));
      assertThat(flat.complete()).isTrue();
      assertThat(flat.size()).isEqualTo(image.length);
      for (int i = 0; i < 100; i++) {
        int from = random.nextInt(image.length);
        int length = random.nextInt(image.length - from + 1);
        byte[] expected = Arrays.copyOfRange(image, from, from + length);
        assertThat(flat.bytes(from, length)).isEqualTo(expected);
        assertThat(flat.slice(from, length).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
      }
    }
  }

  @Test
  void laterBlocksWin() {
    var random = new Random(SEED);
    for (int round = 0; round < 300; round++) {
      var expected = new byte[400];
      int size = 0;
      var writer = new FlattenedWriter();
      for (int i = 1 + random.nextInt(40); i > 0; i--) {
        int at = random.nextInt(300);
        var block = new byte[random.nextInt(100)];
        random.nextBytes(block);
        writer.block(at, block);
        System.arraycopy(block, 0, expected, at, block.length);
        size = block.length == 0 ? size : Math.max(size, at + block.length);
      }
      var flat = open(writer.finish());
      assertThat(flat.size()).isEqualTo(size);
      assertThat(flat.bytes(0, size))
          .as("round %d", round)
          .isEqualTo(Arrays.copyOf(expected, size));
      assertThat(flat.pieces()).isLessThanOrEqualTo(81);
    }
  }

  @Test
  void gapsReadAsZeros() {
    var flat = open(new FlattenedWriter().block(4, (byte) 1).block(8, (byte) 2).finish());
    assertThat(flat.bytes(0, 9)).containsExactly(0, 0, 0, 0, 1, 0, 0, 0, 2);
    assertThat(flat.slice(0, 4).toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 0, 0, 0);
  }

  @Test
  void aRangeInsideOneBlockIsNotCopied() {
    var flat = open(new FlattenedWriter().block(0, new byte[100]).finish());
    assertThat(flat.slice(10, 20).isReadOnly()).isTrue();
    assertThat(flat.slice(10, 20).address()).isEqualTo(flat.slice(0, 100).address() + 10);
  }

  @Test
  void aCutOffStreamHasWhatCameBefore() {
    byte[] stream =
        new FlattenedWriter()
            .block(0, (byte) 1, (byte) 2)
            .head(2, 10)
            .raw((byte) 3, (byte) 4)
            .unfinished();
    var flat = open(stream);
    assertThat(flat.complete()).isFalse();
    assertThat(flat.streamEnd()).isEqualTo(stream.length);
    assertThat(flat.bytes(0, 4)).containsExactly(1, 2, 3, 4);
    assertThatThrownBy(() -> flat.bytes(0, 5)).isInstanceOf(BadDataException.class);
  }

  @Test
  void whatFollowsTheEndMarkIsNotRead() {
    byte[] finished = new FlattenedWriter().block(0, (byte) 1).finish();
    var flat = open(Arrays.copyOf(finished, finished.length + 40));
    assertThat(flat.complete()).isTrue();
    assertThat(flat.streamEnd()).isEqualTo(finished.length);
  }

  @Test
  void refusesNegativeOffsets() {
    byte[] stream = new FlattenedWriter().head(-2, 5).raw(new byte[5]).finish();
    assertThatThrownBy(() -> open(stream))
        .hasMessageContaining(
            "flat: at offset 0x1000: block of 0x5 bytes for offset 0xfffffffffffffffe");
  }

  @Test
  void refusesToCopyWhatDoesNotFitTheHeap() {
    var flat = open(new FlattenedWriter().block(1L << 40, (byte) 1).finish());
    assertThat(flat.size()).isEqualTo((1L << 40) + 1);
    assertThatThrownBy(() -> flat.slice(0, 1L << 40)).isInstanceOf(BadDataException.class);
  }

  /** Cut at every byte, and bytes changed: a result or a BadDataException, nothing else. */
  @Test
  void survivesCorruptStreams() {
    var random = new Random(SEED);
    var image = new byte[2000];
    random.nextBytes(image);
    byte[] good = FlattenedWriter.flatten(image, 200, random);
    for (int i = 0; i < good.length; i++) {
      use(Arrays.copyOf(good, i));
      byte[] flipped = good.clone();
      flipped[i] ^= (byte) (1 << random.nextInt(8));
      use(flipped);
    }
    for (int i = 0; i < 10_000; i++) {
      byte[] wild = good.clone();
      for (int n = 1 + random.nextInt(6); n > 0; n--) {
        wild[4096 + random.nextInt(wild.length - 4096)] = (byte) random.nextInt();
      }
      use(wild);
    }
  }

  private static void use(byte[] stream) {
    try {
      var flat = open(stream);
      if (flat.size() > 0) {
        long middle = flat.size() / 2;
        flat.bytes(middle, (int) Math.min(64, flat.size() - middle));
        flat.bytes(0, (int) Math.min(3000, flat.size()));
      }
    } catch (BadDataException e) {
      assertThat(e.source()).isEqualTo("flat");
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + SEED, e);
    }
  }

  private static FlattenedImage open(byte[] stream) {
    return FlattenedImage.open(ByteSource.of("flat", stream));
  }
}
