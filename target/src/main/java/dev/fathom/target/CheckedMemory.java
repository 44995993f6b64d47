// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/**
 * A stopped process's memory as its own instructions reach it: what they may not read or write is
 * not read or written here either. Not there for a process with a shadow stack, whose calls and
 * returns do more than store and load.
 */
public non-sealed interface CheckedMemory extends Capability {
  /** Fills {@code into}; false when an instruction that loads this would fault. */
  boolean read(long address, byte[] into);

  /** Stores all of {@code bytes}; false when an instruction that stores this would fault. */
  boolean write(long address, byte[] bytes);
}
