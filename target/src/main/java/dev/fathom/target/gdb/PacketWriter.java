// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Collects packets for one write to the socket: {@code $}, the payload, {@code #} and the sum of
 * the payload's bytes modulo 256 as two digits. In the payload {@code $ # }} and {@code *} are
 * written as {@code }} and the byte xor 0x20.
 */
final class PacketWriter {
  private byte[] bytes = new byte[4096];
  private int size;

  /** Adds a packet whose payload is Latin-1 text; bytes that the frame uses are escaped. */
  PacketWriter packet(String payload) {
    return packet(payload.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Adds a packet; bytes that the frame uses are escaped. */
  PacketWriter packet(byte[] payload) {
    room(2 * payload.length + 4);
    bytes[size++] = '$';
    int sum = 0;
    for (byte b : payload) {
      if (b == '$' || b == '#' || b == '}' || b == '*') {
        bytes[size++] = '}';
        sum += '}';
        b ^= 0x20;
      }
      bytes[size++] = b;
      sum += b;
    }
    bytes[size++] = '#';
    bytes[size++] = Hex.digit(sum >> 4);
    bytes[size++] = Hex.digit(sum);
    return this;
  }

  /** Adds a byte outside of packets: an acknowledgement, or 0x03, which interrupts. */
  PacketWriter raw(int value) {
    room(1);
    bytes[size++] = (byte) value;
    return this;
  }

  boolean isEmpty() {
    return size == 0;
  }

  /** What was collected; the writer is empty then. The buffer is good until the next packet. */
  ByteBuffer take() {
    ByteBuffer all = ByteBuffer.wrap(bytes, 0, size);
    size = 0;
    return all;
  }

  private void room(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
