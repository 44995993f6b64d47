// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * How to attach to a live target.
 *
 * @param stop whether to stop the target while it is looked at, where that is not needed
 * @param qmp the socket of QEMU's machine protocol, where it is not to be searched for
 * @param stub the address of QEMU's gdb stub, where it is not to be searched for
 * @param timeout how long an answer may take before the target counts as gone
 * @param givenUp asked while attaching: whether to give up, and let go what was stopped by then
 */
public record AttachOptions(
    boolean stop,
    Optional<Path> qmp,
    Optional<String> stub,
    Duration timeout,
    BooleanSupplier givenUp) {
  /** Looks without stopping, searches, and waits for ten seconds. */
  public static final AttachOptions DEFAULT =
      new AttachOptions(false, Optional.empty(), Optional.empty(), Duration.ofSeconds(10));

  /** The same without anybody who could give up. */
  public AttachOptions(boolean stop, Optional<Path> qmp, Optional<String> stub, Duration timeout) {
    this(stop, qmp, stub, timeout, () -> false);
  }

  /** The same, given up when {@code asked} says so. */
  public AttachOptions givenUpWhen(BooleanSupplier asked) {
    return new AttachOptions(stop, qmp, stub, timeout, asked);
  }
}
