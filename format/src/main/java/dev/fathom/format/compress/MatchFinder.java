// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Finds what a block repeats of itself: from left to right, through a table of where each hash of
 * four bytes was seen last. The longer nothing is found, the larger the steps.
 */
final class MatchFinder {
  /** Matches are at least this long. */
  static final int MIN_LENGTH = 4;

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int BITS = 12;
  private static final int SKIP_SHIFT = 5;

  private final int[] seen = new int[1 << BITS];
  private final int window;
  private byte[] in = {};
  private int end;
  private int position;
  private int distance;
  private int length;

  /**
   * @param window the largest distance of a match
   */
  MatchFinder(int window) {
    this.window = window;
  }

  /** Begins a block; {@link #position} is its start. */
  void start(byte[] input, int from, int to) {
    in = input;
    end = to;
    position = from;
    length = 0;
    Arrays.fill(seen, -1);
  }

  /** Forgets the block. */
  void finish() {
    in = new byte[0];
  }

  /**
   * Searches from the end of the last match, or the block's start, for the next one.
   *
   * @return false when there is none up to the block's end
   */
  boolean next() {
    int at = position + length;
    int last = end - MIN_LENGTH;
    int tries = 1 << SKIP_SHIFT;
    while (at <= last) {
      int word = (int) INT.get(in, at);
      int slot = (word * 0x9e3779b1) >>> (32 - BITS);
      int from = seen[slot];
      seen[slot] = at;
      if (from >= 0 && at - from <= window && (int) INT.get(in, from) == word) {
        position = at;
        distance = at - from;
        length = MIN_LENGTH + same(from + MIN_LENGTH, at + MIN_LENGTH);
        return true;
      }
      at += tries++ >> SKIP_SHIFT;
    }
    return false;
  }

  /** Where the match found last begins. */
  int position() {
    return position;
  }

  /** How far back its bytes stand already. */
  int distance() {
    return distance;
  }

  int length() {
    return length;
  }

  private int same(int from, int at) {
    int count = 0;
    while (at + count <= end - 8) {
      long difference = (long) LONG.get(in, from + count) ^ (long) LONG.get(in, at + count);
      if (difference != 0) {
        return count + (Long.numberOfTrailingZeros(difference) >> 3);
      }
      count += 8;
    }
    while (at + count < end && in[from + count] == in[at + count]) {
      count++;
    }
    return count;
  }
}
