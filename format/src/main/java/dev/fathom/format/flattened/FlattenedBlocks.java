// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.flattened;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The pieces of a flattened stream, whose grammar is in {@link FlattenedImage}. */
public final class FlattenedBlocks {
  private FlattenedBlocks() {}

  /** What a stream begins with. */
  public static byte[] header() {
    ByteBuffer header = ByteBuffer.allocate(4096);
    header.put("makedumpfile".getBytes(StandardCharsets.US_ASCII));
    return header.putLong(16, 1).putLong(24, 1).array();
  }

  /** What comes before {@code count} bytes that belong at {@code offset} of the file. */
  public static byte[] block(long offset, long count) {
    return ByteBuffer.allocate(16).putLong(offset).putLong(count).array();
  }

  /** What a stream ends with. */
  public static byte[] end() {
    return block(-1, -1);
  }
}
