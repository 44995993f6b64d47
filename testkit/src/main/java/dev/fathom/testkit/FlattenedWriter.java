// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Writes flattened streams ({@code makedumpfile -F}). */
public final class FlattenedWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  public FlattenedWriter() {
    ByteBuffer header = ByteBuffer.allocate(4096);
    header.put("makedumpfile".getBytes(StandardCharsets.US_ASCII));
    header.putLong(16, 1).putLong(24, 1);
    out.writeBytes(header.array());
  }

  /** Adds a block. */
  public FlattenedWriter block(long offset, byte... bytes) {
    return head(offset, bytes.length).raw(bytes);
  }

  /** Adds only the header of a block. */
  public FlattenedWriter head(long offset, long count) {
    out.writeBytes(ByteBuffer.allocate(16).putLong(offset).putLong(count).array());
    return this;
  }

  /** Adds bytes as they are. */
  public FlattenedWriter raw(byte... bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /** The stream, closed with its end mark. */
  public byte[] finish() {
    head(-1, -1);
    return unfinished();
  }

  /** The stream without an end mark. */
  public byte[] unfinished() {
    return out.toByteArray();
  }

  /**
   * Cuts {@code image} into blocks of up to {@code most} bytes and writes them in an order of the
   * random source.
   */
  public static byte[] flatten(byte[] image, int most, Random random) {
    List<byte[]> blocks = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    List<Integer> offsets = new ArrayList<>();
    for (int at = 0; at < image.length; ) {
      int count = Math.min(image.length - at, 1 + random.nextInt(most));
      order.add(blocks.size());
      offsets.add(at);
      blocks.add(Arrays.copyOfRange(image, at, at + count));
      at += count;
    }
    Collections.shuffle(order, random);
    var writer = new FlattenedWriter();
    for (int i : order) {
      writer.block(offsets.get(i), blocks.get(i));
    }
    return writer.finish();
  }
}
