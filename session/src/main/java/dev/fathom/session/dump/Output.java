// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

/** Takes the bytes of a dump, each once but for headers, in almost ascending order. */
interface Output {
  /** Writes {@code bytes[from, from + count)} at {@code offset}. */
  void write(long offset, byte[] bytes, int from, int count);

  default void write(long offset, byte... bytes) {
    write(offset, bytes, 0, bytes.length);
  }

  /** Sees to it that what was written stays there should the machine stop now. */
  void sync();

  /** Ends the file, {@code size} bytes long; what was not written is zeros. */
  void finish(long size);

  /** Bytes written so far. */
  long written();
}
