// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Range;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.target.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel's half of the address space (Documentation/arch/x86/x86_64/mm.rst; before 6.4
 * Documentation/x86/x86_64/mm.rst).
 */
final class Regions {
  private static final int LEVELS_5 = 5;
  private static final long TEBI = 1L << 40;
  private static final long GIBI = 1L << 30;
  private static final long PAGE = 4096;

  private static final long ENTRY_AREA = 0xfffffe0000000000L;
  private static final long ESPFIX = 0xffffff0000000000L;
  private static final long EFI = 0xffffffef00000000L;
  private static final long EFI_END = 0xffffffff00000000L;
  private static final long MODULES_END = 0xffffffffff000000L;
  private static final long FIXMAP = 0xffffffffff200000L;
  private static final long VSYSCALL = 0xffffffffff600000L;

  private final KernelPlace place;
  private final LinuxProgram program;
  private final Layouts layouts;
  private final PhysicalMemory physical;
  private final DirectMap bases;

  Regions(KernelPlace place, LinuxProgram program, Layouts layouts, PhysicalMemory physical) {
    this.place = place;
    this.program = program;
    this.layouts = layouts;
    this.physical = physical;
    this.bases = DirectMap.of(place, program.ownSymbols());
  }

  /** The range, or as much of it as there are addresses: bases come from the target's memory. */
  private static Range from(long start, long length) {
    long end = start + length;
    return Long.compareUnsigned(end, start) < 0 ? new Range(start, 0) : new Range(start, end);
  }

  private boolean five() {
    return place.paging().levels() == LEVELS_5;
  }

  /** The end of physical memory. */
  private long memoryEnd() {
    long end = 0;
    for (var range : physical.ranges()) {
      end = Math.max(end, range.end());
    }
    return end;
  }

  Range directMap() {
    return from(bases.pageOffset(), memoryEnd());
  }

  /** VMALLOC_SIZE_TB: 32 TiB with four levels, 12,800 with five. */
  Range vmalloc() {
    return from(bases.vmalloc(), (five() ? 12800 : 32) * TEBI);
  }

  /** One {@code struct page} for each page of physical memory. */
  Range vmemmap() {
    return from(bases.vmemmap(), memoryEnd() / PAGE * pageStruct());
  }

  /** The size of {@code struct page}. */
  int pageStruct() {
    return layouts.size("page").orElse(64);
  }

  /** The modules' space: behind the room for the kernel's image up to the fixed mappings. */
  Range moduleSpace() {
    long image =
        place.vmcoreinfo().isPresent()
            ? place.vmcoreinfo().get().number("KERNEL_IMAGE_SIZE").orElse(GIBI)
            : GIBI;
    boolean plausible = image == GIBI || image == GIBI / 2;
    return new Range(KernelPlace.START_KERNEL_MAP + (plausible ? image : GIBI), MODULES_END);
  }

  List<Mapping> list(List<LoadedModule> modules) {
    var found = new ArrayList<Mapping>();
    add(found, new Range(0, five() ? 1L << 56 : 1L << 47), "user space");
    add(found, directMap(), "direct map of physical memory");
    add(found, vmalloc(), "vmalloc and ioremap");
    add(found, vmemmap(), "vmemmap: struct page");
    add(found, from(ENTRY_AREA, TEBI / 2), "CPU entry areas");
    add(found, from(ESPFIX, TEBI / 2), "espfix stacks");
    add(found, new Range(EFI, EFI_END), "EFI run-time services");
    add(found, place.image(), "kernel image");
    section(found, "kernel text", "_stext", "_etext");
    section(found, "kernel read-only data", "__start_rodata", "__end_rodata");
    section(found, "kernel data", "_sdata", "_edata");
    section(found, "kernel bss", "__bss_start", "__bss_stop");
    add(found, moduleSpace(), "module space");
    for (var module : modules) {
      for (var part : module.parts()) {
        add(found, part.range(), "module " + module.name() + " " + part.name());
      }
    }
    add(found, new Range(FIXMAP, VSYSCALL), "fixed mappings");
    add(found, from(VSYSCALL, PAGE), "vsyscall page");
    found.sort((a, b) -> Long.compareUnsigned(a.range().start(), b.range().start()));
    return found;
  }

  private void section(List<Mapping> found, String name, String first, String last) {
    var start = program.address(first);
    var end = program.address(last);
    if (start.isPresent()
        && end.isPresent()
        && Long.compareUnsigned(start.getAsLong(), end.getAsLong()) < 0) {
      add(found, new Range(start.getAsLong(), end.getAsLong()), name);
    }
  }

  private static void add(List<Mapping> found, Range range, String name) {
    if (!range.isEmpty()) {
      found.add(new Mapping(range, "", name));
    }
  }
}
