// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.util.Optional;

/** Recognises Linux by its page tables and its notes. */
public final class LinuxProvider implements KernelProvider {
  @Override
  public String name() {
    return "linux";
  }

  @Override
  public Optional<Kernel> attach(Target target, KernelOptions options) {
    var physical = target.find(PhysicalMemory.class);
    var machine = machine(target.architecture());
    if (physical.isEmpty() || machine.isEmpty()) {
      return Optional.empty();
    }
    var place = machine.get().find(target, physical.get(), options);
    return place.isEmpty()
        ? Optional.empty()
        : Optional.of(Bootstrap.start(machine.get(), target, physical.get(), place.get(), options));
  }

  private static Optional<Machine> machine(String architecture) {
    return switch (architecture) {
      case "x86_64" -> Optional.of(new X86Machine());
      case "aarch64" -> Optional.of(new Arm64Machine());
      default -> Optional.empty();
    };
  }
}
