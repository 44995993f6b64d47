// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A stream of bytes to and from a stub, with deadlines: a socket, or a test's script. */
interface Wire extends AutoCloseable {
  /**
   * Reads what is there, waiting for the first byte until {@code deadline} or {@link #wakeUp}.
   *
   * @param deadline a value of {@link System#nanoTime}
   * @return the number of bytes; 0 when none came in time, -1 when none will come any more
   */
  int read(ByteBuffer into, long deadline) throws IOException;

  /**
   * Writes everything.
   *
   * @return false when the deadline passed before that
   */
  boolean write(ByteBuffer from, long deadline) throws IOException;

  /** Ends a {@link #read} that waits in another thread, now or the next one. */
  void wakeUp();

  @Override
  void close() throws IOException;
}
