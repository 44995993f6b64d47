// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.fathom.base.BadDataException;

/**
 * Zstandard frames (RFC 8878), by zstd-jni with one context for all blocks: a context for each
 * makes 4 KiB pages three times slower. Making the first instance loads the native library.
 */
public final class Zstd implements Decompressor, AutoCloseable {
  private final ZstdDecompressCtx context = new ZstdDecompressCtx();

  @Override
  public int decompress(byte[] input, int from, int to, byte[] output) {
    if (from == to) {
      throw new BadDataException("zstd block", 0, "empty, expected a frame");
    }
    try {
      return context.decompressByteArray(output, 0, output.length, input, from, to - from);
    } catch (ZstdException e) {
      throw new BadDataException("zstd block", 0, "corrupt: " + e.getMessage());
    }
  }

  @Override
  public void close() {
    context.close();
  }
}
