// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/**
 * A guest's memory, read in the process on this host that runs the guest, whether it runs or not.
 */
public interface DirectMemory extends PhysicalMemory, AutoCloseable {
  /** The machine was reset or changed: where its memory lies is to be asked for again. */
  void invalidate();

  /** Whether the process was found ended when it was read last. */
  boolean ended();

  @Override
  void close();
}
