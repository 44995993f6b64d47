// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.target.DirectMemory;
import dev.fathom.target.DirectMemoryProvider;
import dev.fathom.target.local.HostMemory;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.OptionalLong;

/** Finds the memory of a guest whose QEMU serves a stub on this host. */
public final class QemuMemory implements DirectMemoryProvider {
  @Override
  public Optional<DirectMemory> find(SocketAddress address, Monitor monitor) {
    OptionalLong pid = Listeners.find(address);
    return pid.isEmpty() ? Optional.empty() : Optional.of(of(pid.getAsLong(), monitor));
  }

  /**
   * The memory of the guest that a process runs.
   *
   * @throws dev.fathom.base.TargetException when it cannot be read, or is not that process's
   */
  static GuestRam of(long pid, Monitor monitor) {
    HostMemory memory = HostMemory.open(pid);
    try {
      return new GuestRam(monitor, new DirectSource(memory));
    } catch (RuntimeException | Error e) {
      memory.close();
      throw e;
    }
  }
}
