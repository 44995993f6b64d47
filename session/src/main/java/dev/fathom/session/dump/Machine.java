// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.Cell;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.format.kdump.Utsname;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.ImagePlace;
import dev.fathom.kernel.Kernel;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a dump says of its machine.
 *
 * @param vmcoreinfo VMCOREINFO's text, empty when there is none
 * @param cpuNotes the CPUs' notes, empty when nothing is known of them
 * @param cpus number of CPUs
 */
record Machine(
    PhysicalMemory physical,
    byte[] vmcoreinfo,
    byte[] cpuNotes,
    int cpus,
    Utsname utsname,
    long physBase,
    Optional<ImagePlace> image) {

  static Machine of(Target target, Optional<Kernel> kernel) {
    var physical =
        target
            .find(PhysicalMemory.class)
            .orElseThrow(
                () ->
                    new TargetException(
                        target.info().name() + ": its physical memory is not known"));
    if (!target.architecture().equals(X86_64.INSTANCE.name())) {
      throw new UnsupportedException(
          target.info().name() + ": dumps of " + target.architecture() + " are not written yet");
    }
    var notes = target.find(KernelNotes.class);
    byte[] text =
        kernel
            .flatMap(Kernel::dumpNotes)
            .or(() -> notes.flatMap(KernelNotes::vmcoreinfo))
            .orElse(new byte[0]);
    byte[] stated = notes.map(KernelNotes::cpuNotes).orElse(new byte[0]);
    var cpus = target.cpus();
    var info = Vmcoreinfo.parse("VMCOREINFO", text);
    long physBase =
        info.number("phys_base")
            .orElseGet(() -> notes.map(n -> n.physBase().orElse(0)).orElse(0L));
    return new Machine(
        physical,
        text,
        stated.length > 0 ? stated : CpuNotes.of(cpus),
        Math.max(cpus.size(), 1),
        utsname(target, kernel, notes),
        physBase,
        kernel.flatMap(Kernel::imagePlace));
  }

  private static Utsname utsname(
      Target target, Optional<Kernel> kernel, Optional<KernelNotes> notes) {
    Map<String, String> facts = new HashMap<>();
    if (kernel.isPresent()) {
      for (var field : kernel.get().facts()) {
        if (field.value() instanceof Cell.Text text) {
          facts.put(field.key(), text.value());
        }
      }
    }
    return new Utsname(
        kernel.map(Kernel::os).orElse(""),
        facts.getOrDefault("node", ""),
        facts.getOrDefault("release", notes.flatMap(KernelNotes::release).orElse("")),
        facts.getOrDefault("version", ""),
        facts.getOrDefault("machine", target.architecture()),
        "");
  }
}
