// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.KernelProvider;
import dev.fathom.kernel.linux.boot.DirectMapFinder;
import dev.fathom.kernel.linux.boot.UmlFinder;
import dev.fathom.kernel.objects.LoadedObjects;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.ProcessView;
import dev.fathom.target.SignalControl;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import java.util.Optional;

/** Recognises Linux by its page tables and its notes. */
public final class LinuxProvider implements KernelProvider {
  @Override
  public String name() {
    return "linux";
  }

  @Override
  public Optional<Kernel> attach(Target target, KernelOptions options) {
    var view = target.find(ProcessView.class);
    var virtual = target.find(VirtualMemory.class);
    if (view.isPresent() && virtual.isPresent() && target.architecture().equals("x86_64")) {
      return inProcess(target, view.get(), virtual.get(), options);
    }
    var physical = target.find(PhysicalMemory.class);
    var machine = machine(target.architecture());
    if (machine.isEmpty()) {
      return Optional.empty();
    }
    if (physical.isEmpty()) {
      return virtual.isPresent() && target.architecture().equals("x86_64")
          ? behindVirtual(target, machine.get(), virtual.get(), options)
          : Optional.empty();
    }
    var place = machine.get().find(target, physical.get(), options);
    return place.isEmpty()
        ? Optional.empty()
        : Optional.of(
            Bootstrap.start(
                machine.get(), target, physical.get(), place.get(), Optional.empty(), options));
  }

  /** A Linux of which nothing but its own virtual memory can be read. */
  private static Optional<Kernel> behindVirtual(
      Target target, Machine machine, VirtualMemory memory, KernelOptions options) {
    var files = options.debugFiles().settings().files();
    return DirectMapFinder.find(memory, files, options.progress())
        .map(
            found ->
                Bootstrap.start(
                    machine, target, found.physical(), found.place(), found.file(), options));
  }

  /** A Linux that runs as a process. */
  private static Optional<Kernel> inProcess(
      Target target, ProcessView view, VirtualMemory memory, KernelOptions options) {
    return UmlFinder.find(view, memory, options)
        .map(
            found -> {
              var objects =
                  new LoadedObjects(view, memory, X86_64.INSTANCE, found.place().warnings()::add);
              var machine = new UmlMachine(view, found.place(), found.physical(), objects);
              target.find(SignalControl.class).ifPresent(UmlMachine::passSignals);
              return Bootstrap.start(
                  machine, target, found.physical(), found.place(), Optional.empty(), options);
            });
  }

  private static Optional<Machine> machine(String architecture) {
    return switch (architecture) {
      case "x86_64" -> Optional.of(new X86Machine());
      case "aarch64" -> Optional.of(new Arm64Machine());
      default -> Optional.empty();
    };
  }
}
