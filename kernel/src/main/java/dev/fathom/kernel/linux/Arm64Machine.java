// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Range;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.linux.boot.Arm64KernelFinder;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.stack.LinuxStacks;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.aarch64.PageTables;
import dev.fathom.model.arch.aarch64.Paging;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Linux on 64-bit Arm. */
final class Arm64Machine implements Machine {
  /** How this machine's page tables are read. */
  static Paging paging(KernelPlace place) {
    return ((PageTables) place.space().mmu()).paging();
  }

  @Override
  public Architecture architecture() {
    return Aarch64.INSTANCE;
  }

  @Override
  public Optional<KernelPlace> find(Target target, PhysicalMemory physical, KernelOptions options) {
    return Arm64KernelFinder.find(target, physical, options);
  }

  @Override
  public Regions regions(
      KernelPlace place, LinuxProgram program, Layouts layouts, PhysicalMemory physical) {
    return new Arm64Regions(place, program, layouts, physical);
  }

  /** There are no unwind tables: kernels keep frame records. */
  @Override
  public LinuxStacks stacks(
      LinuxProgram program,
      KernelPlace place,
      Supplier<List<Long>> perCpuBases,
      UnwindSource tables) {
    return LinuxStacks.arm64(
        program, place.image(), moduleSpaces(place), paging(place).virtualBits(), perCpuBases);
  }

  private static List<Range> moduleSpaces(KernelPlace place) {
    var spaces = new ArrayList<Range>();
    spaces.add(Arm64Regions.near(place.image()));
    if (place.vmcoreinfo().isPresent()) {
      var start = place.vmcoreinfo().get().number("MODULES_VADDR");
      var end = place.vmcoreinfo().get().number("MODULES_END");
      if (start.isPresent()
          && end.isPresent()
          && Long.compareUnsigned(start.getAsLong(), end.getAsLong()) < 0) {
        spaces.add(new Range(start.getAsLong(), end.getAsLong()));
      }
    }
    return spaces;
  }

  /** At EL2, with the host extensions, it is the other. */
  @Override
  public List<Register> perCpuBases() {
    return List.of(Aarch64.TPIDR_EL1, Aarch64.TPIDR_EL2);
  }

  /** SP_EL0 (since 4.10), but not while user code runs, whose stack pointer it then is. */
  @Override
  public OptionalLong currentTask(Registers registers) {
    var state = registers.get(Aarch64.PSTATE);
    boolean user = state.isPresent() && (state.getAsLong() & Aarch64.MODE) == 0;
    return user ? OptionalLong.empty() : registers.get(Aarch64.SP_EL0);
  }

  /** Whether the CPU's tables map the kernel as this one's do, and its vectors are in the image. */
  @Override
  public Optional<Boolean> inCharge(Registers registers, KernelPlace place, Memory physical) {
    var root = registers.get(Aarch64.TTBR1_EL1);
    var vectors = registers.get(Aarch64.VBAR_EL1);
    if (root.isEmpty() || vectors.isEmpty()) {
      return Optional.empty();
    }
    long own = ((PageTables) place.space().mmu()).root();
    long used = Arm64KernelFinder.root(root.getAsLong(), paging(place));
    return Optional.of(used == own || place.image().contains(vectors.getAsLong()));
  }

  @Override
  public String placeLine() {
    return "pc : ";
  }

  @Override
  public List<Datum.Field> facts(KernelPlace place, LinuxProgram program) {
    var paging = paging(place);
    return List.of(
        new Datum.Field("kaslr_offset", "KASLR offset", kaslrOffset(place)),
        new Datum.Field(
            "kimage_voffset",
            "kimage_voffset",
            Cell.hex(place.image().start() - place.imagePhysical())),
        new Datum.Field("page_size", "page size", Cell.decimal(1L << paging.granuleBits())),
        new Datum.Field("va_bits", "address bits", Cell.decimal(paging.virtualBits())),
        new Datum.Field("paging_levels", "paging levels", Cell.decimal(paging.levels())));
  }

  /** Only the kernel itself knows where it was linked for: that changed often. */
  private static Cell kaslrOffset(KernelPlace place) {
    var stated =
        place.vmcoreinfo().isPresent()
            ? place.vmcoreinfo().get().kernelOffset()
            : OptionalLong.empty();
    return stated.isPresent()
        ? Cell.hex(stated.getAsLong())
        : new Cell.Absent("VMCOREINFO does not state it");
  }
}
