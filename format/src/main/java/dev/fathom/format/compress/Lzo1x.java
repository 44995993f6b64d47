// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import dev.fathom.base.BadDataException;

/**
 * LZO1X, the output of every {@code lzo1x_*_compress}: instructions that copy literals from the
 * input and matches from what was written before, up to an end marker. The stream is described in
 * Linux {@code Documentation/staging/lzo.rst}; run-length bit streams (version 1, zram only) are
 * not part of it. With {@code S} the number of literals that follow a match (0 to 3):
 *
 * <pre>
 *   first byte 18..255           byte - 17 literals (up to 3 count as those after a match)
 *   0000LLLL after no literals   3 + L literals (L = 0: 18 + 255 per zero byte + the byte after)
 *   0000DDSS H after 1-3 literals  match of 2 at H * 4 + D + 1
 *   0000DDSS H after 4 or more   match of 3 at H * 4 + D + 2049
 *   0001HLLL  DDDDDDSS DDDDDDDD  match of 2 + L (L = 0: 9 + ...) at 16384 + H * 16384 + D; D = H = 0 ends
 *   001LLLLL  DDDDDDSS DDDDDDDD  match of 2 + L (L = 0: 33 + ...) at D + 1
 *   01LDDDSS H                   match of 3 + L at H * 8 + D + 1
 *   1LLDDDSS H                   match of 5 + L at H * 8 + D + 1
 * </pre>
 */
public final class Lzo1x implements Decompressor {
  private static final String SOURCE = "LZO block";

  /** State after a run of at least four literals. */
  private static final int LONG_RUN = 4;

  private byte[] in = {};
  private byte[] out = {};
  private int at;
  private int start;
  private int end;
  private int done;

  @Override
  public int decompress(byte[] input, int from, int to, byte[] output) {
    in = input;
    out = output;
    at = from;
    start = from;
    end = to;
    done = 0;
    try {
      decode();
      return done;
    } finally {
      in = out = new byte[0];
    }
  }

  private void decode() {
    int state = 0;
    if (at < end && (in[at] & 0xff) > 17) {
      int count = (in[at++] & 0xff) - 17;
      literals(count);
      state = Math.min(count, LONG_RUN);
    }
    while (true) {
      int op = next();
      int length;
      int distance;
      int trailing = op & 3;
      if (op >= 64) {
        length = op >= 128 ? 5 + (op >> 5 & 3) : 3 + (op >> 5 & 1);
        distance = (next() << 3) + (op >> 2 & 7) + 1;
      } else if (op >= 32) {
        length = 2 + length(op & 31, 31);
        int word = word();
        distance = (word >> 2) + 1;
        trailing = word & 3;
      } else if (op >= 16) {
        length = 2 + length(op & 7, 7);
        int word = word();
        distance = 16384 + ((op & 8) << 11) + (word >> 2);
        trailing = word & 3;
        if (distance == 16384) {
          finish(length);
          return;
        }
      } else if (state == 0) {
        literals(3 + length(op, 15));
        state = LONG_RUN;
        continue;
      } else if (state == LONG_RUN) {
        length = 3;
        distance = (next() << 2) + (op >> 2) + 2049;
      } else {
        length = 2;
        distance = (next() << 2) + (op >> 2) + 1;
      }
      match(length, distance);
      literals(trailing);
      state = trailing;
    }
  }

  private void finish(int length) {
    if (length != 3) {
      throw bad("end marker with length " + length + ", expected 3");
    }
    if (at != end) {
      throw bad((end - at) + " bytes after the end marker, expected none");
    }
  }

  /** A length field: itself, or when 0 {@code base} plus 255 for every zero byte plus the next. */
  private int length(int field, int base) {
    if (field != 0) {
      return field;
    }
    int length = base;
    int more = next();
    while (more == 0) {
      length += 255;
      more = next();
    }
    return length + more;
  }

  private int next() {
    if (at >= end) {
      throw bad("block ends before its end marker");
    }
    return in[at++] & 0xff;
  }

  private int word() {
    int low = next();
    return low | next() << 8;
  }

  private void literals(int count) {
    if (count > end - at) {
      throw bad("run of " + count + " literals, but only " + (end - at) + " bytes are left");
    }
    room(count);
    if (count < 16) {
      for (int i = 0; i < count; i++) {
        out[done + i] = in[at + i];
      }
    } else {
      System.arraycopy(in, at, out, done, count);
    }
    at += count;
    done += count;
  }

  private void match(int length, int distance) {
    if (distance > done) {
      throw bad("match at distance " + distance + ", but only " + done + " bytes were written");
    }
    room(length);
    if (length >= 16 && distance >= length) {
      System.arraycopy(out, done - distance, out, done, length);
    } else {
      for (int i = done; i < done + length; i++) {
        out[i] = out[i - distance];
      }
    }
    done += length;
  }

  private void room(int count) {
    if (count > out.length - done) {
      throw bad("holds more than " + out.length + " bytes");
    }
  }

  private BadDataException bad(String what) {
    return new BadDataException(SOURCE, at - start, what);
  }
}
