// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.lang.foreign.MemorySegment;

/** Writes the target's memory; raises {@link Live#epoch}. */
public non-sealed interface MemoryWriter extends Capability {
  /** Whose addresses. */
  enum Space {
    PHYSICAL,
    /** Virtual, as the stopped CPU that the target has selected translates them. */
    VIRTUAL
  }

  /** Whether addresses of {@code space} can be written. */
  boolean writes(Space space);

  /**
   * Writes all of {@code bytes}; code is seen by the CPUs as written.
   *
   * @throws dev.fathom.base.FaultException when there is no such memory; part of it may have been
   *     written
   */
  void write(Space space, long address, MemorySegment bytes);
}
