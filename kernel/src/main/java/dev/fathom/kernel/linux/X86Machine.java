// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Readability;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.linux.boot.KernelFinder;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.stack.LinuxStacks;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.Paging;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Linux on x86-64. */
final class X86Machine implements Machine {
  /** How this machine's page tables are read. */
  static Paging paging(KernelPlace place) {
    return ((PageTables) place.space().mmu()).paging();
  }

  @Override
  public Architecture architecture() {
    return X86_64.INSTANCE;
  }

  @Override
  public Optional<KernelPlace> find(Target target, PhysicalMemory physical, KernelOptions options) {
    return KernelFinder.find(target, physical, options);
  }

  @Override
  public Regions regions(
      KernelPlace place, LinuxProgram program, Layouts layouts, PhysicalMemory physical) {
    return new X86Regions(place, program, layouts, physical);
  }

  @Override
  public LinuxStacks stacks(
      LinuxProgram program,
      KernelPlace place,
      Supplier<List<Long>> perCpuBases,
      UnwindSource tables) {
    return LinuxStacks.x86(program, place.image(), perCpuBases, List.of(tables));
  }

  /** GS has it while the kernel runs; the other one while user code does. */
  @Override
  public List<Register> perCpuBases() {
    return List.of(X86_64.GS_BASE, X86_64.KERNEL_GS_BASE);
  }

  @Override
  public OptionalLong currentTask(Registers registers) {
    return OptionalLong.empty();
  }

  /** Whether the first gate of the CPU's interrupt descriptor table leads into the image. */
  @Override
  public Optional<Boolean> inCharge(Registers registers, KernelPlace place, Memory physical) {
    var root = registers.get(X86_64.CR3);
    var idt = registers.get(X86_64.IDT_BASE);
    if (root.isEmpty() || idt.isEmpty()) {
      return Optional.empty();
    }
    var tables =
        new PageTables(physical, root.getAsLong() & KernelFinder.CR3_KERNEL, paging(place));
    var space = new PagedMemory("kernel", physical, tables);
    return Optional.of(
        space.at(idt.getAsLong()) == Readability.READABLE
            && place.image().contains(KernelFinder.handler(space, idt.getAsLong())));
  }

  @Override
  public String placeLine() {
    return "RIP: 0010:";
  }

  @Override
  public List<Datum.Field> facts(KernelPlace place, LinuxProgram program) {
    return List.of(
        new Datum.Field("kaslr_offset", "KASLR offset", Cell.hex(kaslrOffset(place, program))),
        new Datum.Field("phys_base", "phys_base", Cell.hex(KernelFinder.physBase(place))),
        new Datum.Field("paging_levels", "paging levels", Cell.decimal(paging(place).levels())));
  }

  /** How far the kernel's text is from where it was linked for. */
  private static long kaslrOffset(KernelPlace place, LinuxProgram program) {
    if (place.vmcoreinfo().isPresent()) {
      var stated = place.vmcoreinfo().get().kernelOffset();
      if (stated.isPresent()) {
        return stated.getAsLong();
      }
    }
    return program.address("_text").orElse(place.image().start()) - KernelFinder.DEFAULT_TEXT;
  }
}
