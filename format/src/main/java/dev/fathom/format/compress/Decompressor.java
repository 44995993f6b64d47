// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.compress;

/**
 * Decodes one kind of compressed block. Instances keep scratch state to be reused: one thread each.
 * Nothing is allocated in proportion to what the input claims; corrupt input never does worse than
 * a {@link dev.fathom.base.BadDataException} whose source is the kind of block and whose offset
 * counts from the block's start.
 */
public interface Decompressor {
  /**
   * Decodes the block {@code input[from, to)} into {@code output} from index 0.
   *
   * @return the number of bytes written, at most {@code output.length}
   * @throws dev.fathom.base.BadDataException when the block is corrupt or holds more than {@code
   *     output} takes
   */
  int decompress(byte[] input, int from, int to, byte[] output);
}
