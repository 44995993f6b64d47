// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

/**
 * Encodes one kind of compressed block. Instances keep scratch state to be reused: one thread each.
 */
public interface Compressor extends AutoCloseable {
  /**
   * Encodes the block {@code input[from, to)} into {@code output} from {@code at} on, where there
   * are at least {@link #room} bytes.
   *
   * @return the number of bytes written, which may be more than the block has
   */
  int compress(byte[] input, int from, int to, byte[] output, int at);

  /** The most bytes that {@code length} bytes of any content become with any compressor here. */
  static int room(int length) {
    return length + length / 6 + 64;
  }

  @Override
  void close();
}
