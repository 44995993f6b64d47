// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A wire whose other side has said everything already, in pieces of a given size. */
final class ArrayWire implements Wire {
  private final byte[] said;
  private final int piece;
  private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
  private int at;

  ArrayWire(byte[] said, int piece) {
    this.said = said;
    this.piece = piece;
  }

  ArrayWire(String said) {
    this(said.getBytes(StandardCharsets.ISO_8859_1), Integer.MAX_VALUE);
  }

  /** What this side wrote. */
  String heard() {
    return heard.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public int read(ByteBuffer into, long deadline) {
    int count = Math.min(Math.min(piece, said.length - at), into.remaining());
    if (count == 0) {
      return -1;
    }
    into.put(said, at, count);
    at += count;
    return count;
  }

  @Override
  public boolean write(ByteBuffer from, long deadline) {
    while (from.hasRemaining()) {
      heard.write(from.get());
    }
    return true;
  }

  @Override
  public void wakeUp() {}

  @Override
  public void close() {}
}
