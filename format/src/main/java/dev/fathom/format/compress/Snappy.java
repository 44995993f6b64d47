// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import dev.fathom.base.BadDataException;

/**
 * Raw snappy blocks (snappy's {@code format_description.txt}): the length as a varint, then
 * elements that begin with a tag byte whose two low bits select a literal or a copy with an offset
 * of 1, 2 or 4 bytes.
 */
public final class Snappy implements Decompressor {
  private static final String SOURCE = "snappy block";

  @Override
  public int decompress(byte[] input, int from, int to, byte[] output) {
    int at = from;
    long stated = 0;
    for (int shift = 0; ; shift += 7) {
      if (at >= to || shift > 28) {
        throw bad(at - from, "no valid length at the start");
      }
      int b = input[at++];
      stated |= (b & 0x7fL) << shift;
      if (b >= 0) {
        break;
      }
    }
    if (stated > output.length) {
      throw bad(0, "holds " + stated + " bytes, expected at most " + output.length);
    }
    int size = (int) stated;
    int done = 0;
    while (at < to) {
      int tag = input[at++] & 0xff;
      int kind = tag & 3;
      int extra = kind == 0 ? literalExtra(tag) : kind == 3 ? 4 : kind;
      if (extra > to - at) {
        throw bad(at - 1 - from, "block ends inside an element");
      }
      int field = little(input, at, extra);
      at += extra;
      if (kind == 0) {
        int count = (extra == 0 ? tag >> 2 : field) + 1;
        if (count <= 0 || count > to - at || count > size - done) {
          throw bad(
              at - from, "literal of " + Integer.toUnsignedLong(count) + " bytes does not fit");
        }
        copyLiteral(input, at, output, done, count);
        at += count;
        done += count;
      } else {
        int count = kind == 1 ? 4 + (tag >> 2 & 7) : 1 + (tag >> 2);
        int distance = kind == 1 ? (tag >> 5) << 8 | field : field;
        if (distance <= 0 || distance > done || count > size - done) {
          throw bad(
              at - from,
              "copy of "
                  + count
                  + " bytes at distance "
                  + Integer.toUnsignedLong(distance)
                  + " after "
                  + done
                  + " of "
                  + size
                  + " bytes");
        }
        copyMatch(output, done, distance, count);
        done += count;
      }
    }
    if (done != size) {
      throw bad(to - from, "block ends after " + done + " bytes, expected " + size);
    }
    return done;
  }

  private static int literalExtra(int tag) {
    return Math.max(0, (tag >> 2) - 59);
  }

  private static int little(byte[] input, int at, int count) {
    int value = 0;
    for (int i = count - 1; i >= 0; i--) {
      value = value << 8 | (input[at + i] & 0xff);
    }
    return value;
  }

  private static void copyLiteral(byte[] input, int at, byte[] output, int done, int count) {
    if (count >= 16) {
      System.arraycopy(input, at, output, done, count);
    } else {
      for (int i = 0; i < count; i++) {
        output[done + i] = input[at + i];
      }
    }
  }

  private static void copyMatch(byte[] output, int done, int distance, int count) {
    if (count >= 16 && distance >= count) {
      System.arraycopy(output, done - distance, output, done, count);
    } else {
      for (int i = done; i < done + count; i++) {
        output[i] = output[i - distance];
      }
    }
  }

  private static BadDataException bad(int offset, String what) {
    return new BadDataException(SOURCE, offset, what);
  }
}
