// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

/** LZO1X blocks, the form that {@link Lzo1x} describes. */
public final class Lzo1xCompressor implements Compressor {
  /** The farthest match that needs no bits of the instruction for its distance. */
  private static final int WINDOW = 16384;

  private final MatchFinder matches = new MatchFinder(WINDOW);
  private byte[] out = {};
  private int done;

  /** Where the last match keeps the number of literals that follow it. */
  private int trailing;

  @Override
  public int compress(byte[] input, int from, int to, byte[] output, int at) {
    out = output;
    done = at;
    matches.start(input, from, to);
    int next = from;
    while (matches.next()) {
      literals(input, next, matches.position() - next, at);
      match(matches.length(), matches.distance());
      next = matches.position() + matches.length();
    }
    literals(input, next, to - next, at);
    put(0x11);
    put(0);
    put(0);
    matches.finish();
    out = new byte[0];
    return done - at;
  }

  @Override
  public void close() {}

  private void literals(byte[] input, int from, int count, int start) {
    if (count == 0) {
      return;
    }
    if (done == start && count <= 238) {
      put(17 + count);
    } else if (count <= 3) {
      out[trailing] |= (byte) count;
    } else {
      length(0, count - 3, 15);
    }
    System.arraycopy(input, from, out, done, count);
    done += count;
  }

  private void match(int length, int distance) {
    int d = distance - 1;
    if (length <= 8 && distance <= 2048) {
      trailing = done;
      put((length <= 4 ? 0x40 | (length - 3) << 5 : 0x80 | (length - 5) << 5) | (d & 7) << 2);
      put(d >> 3);
    } else {
      length(0x20, length - 2, 31);
      trailing = done;
      put(d << 2);
      put(d >> 6);
    }
  }

  private void length(int op, int value, int most) {
    if (value <= most) {
      put(op | value);
      return;
    }
    put(op);
    int rest = value - most;
    for (; rest > 255; rest -= 255) {
      put(0);
    }
    put(rest);
  }

  private void put(int value) {
    out[done++] = (byte) value;
  }
}
