// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.local;

import java.lang.foreign.MemorySegment;

/** The memory of a process on this host, by its own addresses. */
public interface HostMemory extends AutoCloseable {
  /**
   * The memory of a process, for large reads of memory that is mostly untouched.
   *
   * @throws dev.fathom.base.TargetException when there is no such process, or this user may not
   *     read its memory
   */
  static HostMemory open(long pid) {
    return PagemapMemory.over(pid, ProcMemory.open(pid));
  }

  /**
   * Copies bytes from {@code address} on into {@code into} until it is full or the next byte cannot
   * be read.
   *
   * @return the number of bytes copied
   * @throws dev.fathom.base.TargetException when the process has ended
   */
  int read(long address, MemorySegment into);

  /** Whether the process was found ended by a read. */
  boolean ended();

  @Override
  void close();
}
