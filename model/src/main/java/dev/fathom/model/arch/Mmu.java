// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import java.util.OptionalLong;

/**
 * Translates virtual addresses by page tables in physical memory. What was read is kept: {@link
 * #forget} it when the target has run. Used by one thread.
 */
public interface Mmu {
  /**
   * Looks for the page of {@code virtual} without allocating; {@link #found} and {@link #room} are
   * valid until the next call and only if this returned true.
   */
  boolean find(long virtual);

  /** The physical address that {@link #find} found. */
  long found();

  /** How many bytes from {@link #found} on surely lie in the same page. */
  long room();

  /** The physical address behind {@code virtual}, when it has one. */
  default OptionalLong physical(long virtual) {
    return find(virtual) ? OptionalLong.of(found()) : OptionalLong.empty();
  }

  /**
   * Why an address cannot be read as far as the tables tell; {@link Readability#READABLE} when
   * there is a page, which may still be missing from the target.
   */
  Readability readability(long virtual);

  /** Drops everything that was read: the target has run or was written to. */
  void forget();

  /**
   * The same machine with the page tables of a process.
   *
   * @param physical memory by physical address
   * @param root the physical address of the process's root table
   */
  Mmu user(Memory physical, long root);
}
