// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.gdb;

import java.util.Optional;

/** What a {@link FakeStub} does wrong. Called by the stub's own thread. */
@FunctionalInterface
public interface Mischief {
  /** Nothing wrong. */
  Mischief NONE = (request, count, frame) -> Optional.of(frame);

  /**
   * What to send instead of a reply.
   *
   * @param request the packet that is answered, without its frame
   * @param count how many replies were sent before it, repeated ones too
   * @param frame the right reply, framed
   * @return the bytes to send, as they are; empty to hang up
   */
  Optional<byte[]> instead(String request, int count, byte[] frame);
}
