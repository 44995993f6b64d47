// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.process;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.ProcessView;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import java.util.Optional;

/** Takes every process of Linux that no kernel was recognised in. */
public final class ProcessProvider implements KernelProvider {
  @Override
  public String name() {
    return "process";
  }

  @Override
  public Optional<Kernel> attach(Target target, KernelOptions options) {
    var view = target.find(ProcessView.class);
    var memory = target.find(VirtualMemory.class);
    var architecture = architecture(target.architecture());
    return view.isPresent() && memory.isPresent() && architecture.isPresent()
        ? Optional.of(
            new ProcessKernel(
                target, view.get(), memory.get(), architecture.get(), options.index()))
        : Optional.empty();
  }

  private static Optional<Architecture> architecture(String name) {
    return switch (name) {
      case "x86_64" -> Optional.of(X86_64.INSTANCE);
      case "aarch64" -> Optional.of(Aarch64.INSTANCE);
      default -> Optional.empty();
    };
  }
}
