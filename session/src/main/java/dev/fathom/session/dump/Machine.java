// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.Cell;
import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.format.elf.ElfNoteWriter;
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
 * @param notes the CPUs' notes, where anything is known of them, and VMCOREINFO, where there is one
 * @param vmcoreinfo where VMCOREINFO's text is among the notes
 * @param cpus number of CPUs
 */
record Machine(
    PhysicalMemory physical,
    byte[] notes,
    Range vmcoreinfo,
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
        info.number("phys_base").orElseGet(() -> notes.map(n -> n.physBase().orElse(0)).orElse(0L));
    var writer = new ElfNoteWriter().region(stated.length > 0 ? stated : CpuNotes.of(cpus));
    if (text.length > 0) {
      writer.add("VMCOREINFO", 0, text);
    }
    return new Machine(
        physical,
        writer.bytes(),
        Range.of(writer.descriptorAt(), text.length),
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
