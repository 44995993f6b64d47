// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import com.github.luben.zstd.ZstdCompressCtx;

/** Zstandard frames (RFC 8878) at level 1, by zstd-jni with one context for all blocks. */
public final class ZstdCompressor implements Compressor {
  private final ZstdCompressCtx context = new ZstdCompressCtx().setLevel(1);

  @Override
  public int compress(byte[] input, int from, int to, byte[] output, int at) {
    return context.compressByteArray(output, at, output.length - at, input, from, to - from);
  }

  @Override
  public void close() {
    context.close();
  }
}
