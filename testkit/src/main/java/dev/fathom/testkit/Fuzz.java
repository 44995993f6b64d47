// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import dev.fathom.base.BadDataException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Feeds damaged input to a reader, a different one in every run. A reader may answer or throw
 * {@link BadDataException}; anything else, or an answer that takes longer than {@link #PATIENCE},
 * fails with the seed and the input's number, which replay it: {@code -Dfathom.fuzz.seed=SEED}.
 * {@code -Dfathom.fuzz.rounds=N} multiplies the number of inputs.
 */
public final class Fuzz {
  /** How long one input may take; generous, for a loaded machine. */
  public static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final int[] INTERESTING = {
    0,
    1,
    -1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x10000,
    0xffffff,
    0x7fffffff,
    0x80000000,
    0x40000000,
    0x3fffffff,
    0xfffffff0
  };

  private Fuzz() {}

  /**
   * Damages {@code valid} in {@code inputs} ways: bytes flipped, numbers replaced, the end cut off,
   * parts moved.
   *
   * @param reader reads and uses one input as far as a program would
   */
  public static void run(byte[] valid, int inputs, Consumer<byte[]> reader) {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    int rounds = Integer.getInteger("fathom.fuzz.rounds", 1);
    for (int input = 0; input < inputs * rounds; input++) {
      byte[] damaged = damage(valid, new Random(seed + input));
      long start = System.nanoTime();
      try {
        reader.accept(damaged);
      } catch (BadDataException e) {
        requireMessage(e, seed + input);
      } catch (RuntimeException | Error e) {
        throw new AssertionError(replay(seed + input) + " let " + e + " escape", e);
      }
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new AssertionError(replay(seed + input) + " took longer than " + PATIENCE);
      }
    }
  }

  private static void requireMessage(BadDataException e, long seed) {
    if (e.source().isEmpty() || e.what().isEmpty()) {
      throw new AssertionError(replay(seed) + " has no source or no reason", e);
    }
  }

  private static String replay(long seed) {
    return "damaged input, replay with -Dfathom.fuzz.seed=" + seed + ":";
  }

  /** One damaged copy. */
  static byte[] damage(byte[] valid, Random random) {
    byte[] bytes = valid.clone();
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes && bytes.length > 0; i++) {
      bytes = change(bytes, random);
    }
    return bytes;
  }

  private static byte[] change(byte[] bytes, Random random) {
    // Headers decide most, so half of the changes hit the first bytes.
    int reach = random.nextBoolean() ? Math.min(64, bytes.length) : bytes.length;
    int at = random.nextInt(reach);
    switch (random.nextInt(6)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt(256);
      case 2, 3 -> {
        int value = INTERESTING[random.nextInt(INTERESTING.length)];
        int from = at & -4;
        for (int k = 0; k < 4 && from + k < bytes.length; k++) {
          bytes[from + k] = (byte) (value >>> (8 * k));
        }
      }
      case 4 -> {
        return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      }
      default -> {
        int length = Math.min(1 + random.nextInt(64), bytes.length - at);
        System.arraycopy(bytes, at, bytes, random.nextInt(bytes.length - length + 1), length);
      }
    }
    return bytes;
  }
}
