// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

import dev.fathom.base.BadDataException;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Zlib streams (RFC 1950), by the JDK's inflater. */
public final class Zlib implements Decompressor, AutoCloseable {
  private static final String SOURCE = "zlib block";

  private final Inflater inflater = new Inflater();
  private final byte[] overflow = new byte[1];

  @Override
  public int decompress(byte[] input, int from, int to, byte[] output) {
    inflater.reset();
    inflater.setInput(input, from, to - from);
    try {
      int done = 0;
      // The inflater's result is 0 only when it is finished, needs input, or has no room.
      for (int n = 1; n > 0 && done < output.length; done += n) {
        n = inflater.inflate(output, done, output.length - done);
      }
      if (!inflater.finished() && inflater.inflate(overflow) > 0) {
        throw new BadDataException(
            SOURCE, inflater.getBytesRead(), "holds more than " + output.length + " bytes");
      }
      if (!inflater.finished()) {
        throw new BadDataException(
            SOURCE, inflater.getBytesRead(), "block ends before its stream does");
      }
      return done;
    } catch (DataFormatException e) {
      throw new BadDataException(SOURCE, inflater.getBytesRead(), "corrupt: " + e.getMessage());
    }
  }

  @Override
  public void close() {
    inflater.close();
  }
}
