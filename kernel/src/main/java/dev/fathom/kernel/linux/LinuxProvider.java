// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.kernel.linux.boot.KernelFinder;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.util.Optional;

/** Recognises Linux on x86-64 by its page tables and its notes. */
public final class LinuxProvider implements KernelProvider {
  @Override
  public String name() {
    return "linux";
  }

  @Override
  public Optional<Kernel> attach(Target target, KernelOptions options) {
    var physical = target.find(PhysicalMemory.class);
    if (physical.isEmpty() || !target.architecture().equals(X86_64.INSTANCE.name())) {
      return Optional.empty();
    }
    var place = KernelFinder.find(target, physical.get(), options);
    return place.isEmpty()
        ? Optional.empty()
        : Optional.of(Bootstrap.start(target, physical.get(), place.get(), options));
  }
}
