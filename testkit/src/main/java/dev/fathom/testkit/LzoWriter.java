// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * Assembles LZO1X streams from literals and matches, choosing the instruction as real compressors
 * do; every instruction that exists can be had by choosing length and distance.
 */
public final class LzoWriter {
  private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
  private byte[] out = new byte[256];
  private int size;

  /** Where the last match keeps the number of literals that follow it; -1 before the first. */
  private int trailingAt = -1;

  public LzoWriter literals(byte... bytes) {
    pending.writeBytes(bytes);
    return this;
  }

  /**
   * Adds a match of at least 3 bytes, at a distance of at most 49151; or of 2 bytes, which needs
   * one to three literals since the last match and a distance of at most 1024.
   */
  public LzoWriter match(int length, int distance) {
    int state = flush();
    int d = distance - 1;
    if (state >= 1 && state <= 3 && length == 2 && distance <= 1024) {
      trailingAt = size;
      put((d & 3) << 2);
      put(d >> 2);
    } else if (state == 4 && length == 3 && distance > 2048 && distance <= 3072) {
      trailingAt = size;
      put(((distance - 2049) & 3) << 2);
      put((distance - 2049) >> 2);
    } else if (length >= 3 && length <= 8 && distance <= 2048) {
      trailingAt = size;
      put((length <= 4 ? 0x40 | (length - 3) << 5 : 0x80 | (length - 5) << 5) | (d & 7) << 2);
      put(d >> 3);
    } else if (length < 3) {
      throw new IllegalArgumentException("match of " + length + " bytes at " + distance);
    } else if (distance <= 16384) {
      length(0x20, length - 2, 31);
      trailingAt = size;
      put(d << 2);
      put(d >> 6);
    } else {
      int far = distance - 16384;
      length(0x10 | (far >> 14) << 3, length - 2, 7);
      trailingAt = size;
      put(far << 2);
      put((far & 0x3fff) >> 6);
    }
    return this;
  }

  /** The stream with its end marker. */
  public byte[] finish() {
    flush();
    put(0x11);
    put(0);
    put(0);
    return Arrays.copyOf(out, size);
  }

  /** Compresses {@code data} greedily with a small hash table. */
  public static byte[] compress(byte[] data) {
    var writer = new LzoWriter();
    var seen = new int[1 << 12];
    Arrays.fill(seen, -1);
    int at = 0;
    while (at < data.length) {
      int length = 0;
      int from = -1;
      if (at + 3 < data.length) {
        int hash = ((data[at] & 0xff) * 31 + (data[at + 1] & 0xff)) * 31 + (data[at + 2] & 0xff);
        from = seen[hash & 0xfff];
        seen[hash & 0xfff] = at;
        while (from >= 0
            && at - from < 49151
            && at + length < data.length
            && data[from + length] == data[at + length]) {
          length++;
        }
      }
      if (length >= 4) {
        writer.match(length, at - from);
        at += length;
      } else {
        writer.literals(data[at++]);
      }
    }
    return writer.finish();
  }

  /** Writes the literals since the last match; returns the decoder's state after them. */
  private int flush() {
    byte[] literals = pending.toByteArray();
    pending.reset();
    int count = literals.length;
    if (count == 0) {
      return 0;
    }
    if (size == 0 && count <= 238) {
      put(17 + count);
    } else if (count <= 3) {
      out[trailingAt] |= (byte) count;
    } else {
      length(0, count - 3, 15);
    }
    for (byte b : literals) {
      put(b);
    }
    return Math.min(count, 4);
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
    if (size == out.length) {
      out = Arrays.copyOf(out, 2 * size);
    }
    out[size++] = (byte) value;
  }
}
