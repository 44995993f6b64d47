// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/**
 * A guest's memory, read in the process on this host that runs the guest, whether it runs or not.
 */
public interface DirectMemory extends PhysicalMemory, AutoCloseable {
  /** The machine was reset or changed: where its memory lies is to be asked for again. */
  void invalidate();

  /**
   * Copies pages now, to be read as they are for as long as the copies are kept: a look at one
   * moment of a machine that goes on. Pages that cannot be read are left out.
   *
   * @param pages addresses of pages of 4 KiB; any address in a page stands for it
   */
  void keep(long[] pages);

  /** Gives up what {@link #keep} copied: all is read as it is then. */
  void release();

  /** Whether the process was found ended when it was read last. */
  boolean ended();

  @Override
  void close();
}
