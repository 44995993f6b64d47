// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** Assembles raw snappy blocks from literals and copies, or compresses simply. */
public final class SnappyWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int length;

  /** Adds a literal; its length decides the form. */
  public SnappyWriter literal(byte... bytes) {
    int n = bytes.length - 1;
    int extra = n < 60 ? 0 : n < 1 << 8 ? 1 : n < 1 << 16 ? 2 : n < 1 << 24 ? 3 : 4;
    out.write(extra == 0 ? n << 2 : (59 + extra) << 2);
    little(n, extra);
    out.writeBytes(bytes);
    length += bytes.length;
    return this;
  }

  /**
   * Adds a copy of {@code count} bytes (1 to 64) in the form with an offset of {@code offsetBytes}:
   * 1 takes only 4 to 11 bytes and distances below 2048.
   */
  public SnappyWriter copy(int count, int distance, int offsetBytes) {
    switch (offsetBytes) {
      case 1 -> {
        out.write(1 | (count - 4) << 2 | (distance >> 8) << 5);
        out.write(distance);
      }
      case 2 -> {
        out.write(2 | (count - 1) << 2);
        little(distance, 2);
      }
      case 4 -> {
        out.write(3 | (count - 1) << 2);
        little(distance, 4);
      }
      default -> throw new IllegalArgumentException("offset of " + offsetBytes + " bytes");
    }
    length += count;
    return this;
  }

  public byte[] finish() {
    var whole = new ByteArrayOutputStream();
    int rest = length;
    for (; rest > 127; rest >>>= 7) {
      whole.write((rest & 0x7f) | 0x80);
    }
    whole.write(rest);
    whole.writeBytes(out.toByteArray());
    return whole.toByteArray();
  }

  /** Compresses runs of equal bytes; all else becomes literals. */
  public static byte[] compress(byte[] data) {
    var writer = new SnappyWriter();
    int at = 0;
    int literal = 0;
    while (at < data.length) {
      int run = at + 1;
      while (run < data.length && data[run] == data[at]) {
        run++;
      }
      if (run - at > 8) {
        writer.literal(Arrays.copyOfRange(data, literal, at + 1));
        at++;
        for (; at < run; at += Math.min(64, run - at)) {
          writer.copy(Math.min(64, run - at), 1, 2);
        }
        literal = at;
      } else {
        at = run;
      }
    }
    if (literal < data.length) {
      writer.literal(Arrays.copyOfRange(data, literal, data.length));
    }
    return writer.finish();
  }

  private void little(int value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write(value >>> (8 * i));
    }
  }
}
