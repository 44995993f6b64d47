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
 * @param readOnly whether the target is only read, whatever else it could do
 * @param program the file that a process is taken to run, where its own is not to be used
 */
public record AttachOptions(
    boolean stop,
    Optional<Path> qmp,
    Optional<String> stub,
    Duration timeout,
    BooleanSupplier givenUp,
    boolean readOnly,
    Optional<Path> program) {
  /** Looks without stopping, searches, and waits for ten seconds. */
  public static final AttachOptions DEFAULT =
      new AttachOptions(false, Optional.empty(), Optional.empty(), Duration.ofSeconds(10));

  /** The same without anybody who could give up. */
  public AttachOptions(boolean stop, Optional<Path> qmp, Optional<String> stub, Duration timeout) {
    this(stop, qmp, stub, timeout, () -> false, false, Optional.empty());
  }

  /**
   * The same for a process that is only read.
   *
   * @param file the program that it is taken to run; empty for its own
   */
  public AttachOptions reading(Optional<Path> file) {
    return new AttachOptions(stop, qmp, stub, timeout, givenUp, true, file);
  }

  /** The same, given up when {@code asked} says so. */
  public AttachOptions givenUpWhen(BooleanSupplier asked) {
    return new AttachOptions(stop, qmp, stub, timeout, asked, readOnly, program);
  }
}
