// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import java.util.zip.Deflater;

/** Zlib streams (RFC 1950) at the fastest level, by the JDK's deflater. */
public final class ZlibCompressor implements Compressor {
  private final Deflater deflater = new Deflater(Deflater.BEST_SPEED);

  @Override
  public int compress(byte[] input, int from, int to, byte[] output, int at) {
    deflater.reset();
    deflater.setInput(input, from, to - from);
    deflater.finish();
    int done = at;
    while (!deflater.finished()) {
      done += deflater.deflate(output, done, output.length - done);
    }
    return done - at;
  }

  @Override
  public void close() {
    deflater.close();
  }
}
