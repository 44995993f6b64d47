// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Range;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.linux.boot.KernelFinder;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.target.PhysicalMemory;
import java.util.List;

/**
 * The kernel's half of the address space (Documentation/arch/x86/x86_64/mm.rst; before 6.4
 * Documentation/x86/x86_64/mm.rst).
 */
final class X86Regions extends Regions {
  private static final int LEVELS_5 = 5;
  private static final long TEBI = 1L << 40;
  private static final long GIBI = 1L << 30;
  private static final int PAGE_SHIFT = 12;
  private static final long PAGE = 1L << PAGE_SHIFT;

  private static final long ENTRY_AREA = 0xfffffe0000000000L;
  private static final long ESPFIX = 0xffffff0000000000L;
  private static final long EFI = 0xffffffef00000000L;
  private static final long EFI_END = 0xffffffff00000000L;
  private static final long MODULES_END = 0xffffffffff000000L;
  private static final long FIXMAP = 0xffffffffff200000L;
  private static final long VSYSCALL = 0xffffffffff600000L;

  private final KernelPlace place;
  private final DirectMap bases;

  X86Regions(KernelPlace place, LinuxProgram program, Layouts layouts, PhysicalMemory physical) {
    super(place, program, layouts, physical);
    this.place = place;
    this.bases = DirectMap.of(place, program.ownSymbols());
  }

  private boolean five() {
    return X86Machine.paging(place).levels() == LEVELS_5;
  }

  @Override
  Range directMap() {
    return from(bases.pageOffset(), memoryEnd());
  }

  /** VMALLOC_SIZE_TB: 32 TiB with four levels, 12,800 with five. */
  @Override
  Range vmalloc() {
    return from(bases.vmalloc(), (five() ? 12800 : 32) * TEBI);
  }

  @Override
  Range vmemmap() {
    return from(bases.vmemmap(), memoryEnd() / PAGE * pageStruct());
  }

  /** The modules' space: behind the room for the kernel's image up to the fixed mappings. */
  @Override
  Range moduleSpace() {
    long image =
        place.vmcoreinfo().isPresent()
            ? place.vmcoreinfo().get().number("KERNEL_IMAGE_SIZE").orElse(GIBI)
            : GIBI;
    boolean plausible = image == GIBI || image == GIBI / 2;
    return new Range(KernelFinder.START_KERNEL_MAP + (plausible ? image : GIBI), MODULES_END);
  }

  @Override
  long physicalBase() {
    return 0;
  }

  @Override
  int pageShift() {
    return PAGE_SHIFT;
  }

  @Override
  void addOwn(List<Mapping> found) {
    add(found, new Range(0, five() ? 1L << 56 : 1L << 47), "user space");
    add(found, from(ENTRY_AREA, TEBI / 2), "CPU entry areas");
    add(found, from(ESPFIX, TEBI / 2), "espfix stacks");
    add(found, new Range(EFI, EFI_END), "EFI run-time services");
    add(found, new Range(FIXMAP, VSYSCALL), "fixed mappings");
    add(found, from(VSYSCALL, PAGE), "vsyscall page");
  }
}
