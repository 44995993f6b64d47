// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

/** Raw snappy blocks, the form that {@link Snappy} describes. */
public final class SnappyCompressor implements Compressor {
  private static final int WINDOW = 0xffff;
  private static final int MAX_COPY = 64;

  private final MatchFinder matches = new MatchFinder(WINDOW);
  private byte[] out = {};
  private int done;

  @Override
  public int compress(byte[] input, int from, int to, byte[] output, int at) {
    out = output;
    done = at;
    int rest = to - from;
    for (; rest > 0x7f; rest >>>= 7) {
      put(rest | 0x80);
    }
    put(rest);
    matches.start(input, from, to);
    int next = from;
    while (matches.next()) {
      literal(input, next, matches.position() - next);
      copy(matches.length(), matches.distance());
      next = matches.position() + matches.length();
    }
    literal(input, next, to - next);
    matches.finish();
    out = new byte[0];
    return done - at;
  }

  @Override
  public void close() {}

  private void literal(byte[] input, int from, int count) {
    if (count == 0) {
      return;
    }
    int n = count - 1;
    if (n < 60) {
      put(n << 2);
    } else {
      int bytes = (39 - Integer.numberOfLeadingZeros(n)) / 8;
      put((59 + bytes) << 2);
      little(n, bytes);
    }
    System.arraycopy(input, from, out, done, count);
    done += count;
  }

  /** Copies take at most 64 bytes each; none is made shorter than 4. */
  private void copy(int length, int distance) {
    int left = length;
    while (left >= MAX_COPY + 4) {
      far(MAX_COPY, distance);
      left -= MAX_COPY;
    }
    if (left > MAX_COPY) {
      far(60, distance);
      left -= 60;
    }
    if (left < 12 && distance < 2048) {
      put(1 | (left - 4) << 2 | (distance >> 8) << 5);
      put(distance);
    } else {
      far(left, distance);
    }
  }

  private void far(int length, int distance) {
    put(2 | (length - 1) << 2);
    little(distance, 2);
  }

  private void little(int value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      put(value >>> (8 * i));
    }
  }

  private void put(int value) {
    out[done++] = (byte) value;
  }
}
