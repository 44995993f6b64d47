// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How to attach to a live target.
 *
 * @param stop whether to stop the target while it is looked at, where that is not needed
 * @param qmp the socket of QEMU's machine protocol, where it is not to be searched for
 * @param stub the address of QEMU's gdb stub, where it is not to be searched for
 * @param timeout how long an answer may take before the target counts as gone
 */
public record AttachOptions(
    boolean stop, Optional<Path> qmp, Optional<String> stub, Duration timeout) {
  /** Looks without stopping, searches, and waits for ten seconds. */
  public static final AttachOptions DEFAULT =
      new AttachOptions(false, Optional.empty(), Optional.empty(), Duration.ofSeconds(10));
}
