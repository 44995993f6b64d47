// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.target.DirectMemory;
import dev.fathom.target.DirectMemoryProvider;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.OptionalLong;

/** Finds the memory of a guest whose QEMU serves a stub on this host. */
public final class QemuMemory implements DirectMemoryProvider {
  @Override
  public Optional<DirectMemory> find(SocketAddress address, Monitor monitor) {
    OptionalLong pid = Listeners.find(address);
    if (pid.isEmpty()) {
      return Optional.empty();
    }
    HostMemory memory = ProcMemory.open(pid.getAsLong());
    try {
      return Optional.of(new GuestRam(monitor, new DirectSource(memory)));
    } catch (RuntimeException | Error e) {
      memory.close();
      throw e;
    }
  }
}
