// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.net.SocketAddress;
import java.util.List;
import java.util.Optional;

/**
 * Finds the memory of a guest in the process on this host that runs it; found with {@link
 * java.util.ServiceLoader}.
 */
public interface DirectMemoryProvider {
  /** The monitor for people of the program that runs the guest. */
  interface Monitor {
    /**
     * What each of {@code commands} printed.
     *
     * @throws dev.fathom.base.TargetException when it cannot be asked, now or at all
     */
    List<String> run(List<String> commands);
  }

  /**
   * The memory of the guest whose program listens on {@code address}.
   *
   * @return empty when that is not on this host, or nobody can tell
   * @throws dev.fathom.base.TargetException when it is, and cannot be read: why
   */
  Optional<DirectMemory> find(SocketAddress address, Monitor monitor);
}
