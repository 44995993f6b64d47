// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Range;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.target.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/** The kernel's half of the address space. */
abstract class Regions {
  private final KernelPlace place;
  private final LinuxProgram program;
  private final Layouts layouts;
  private final PhysicalMemory physical;

  Regions(KernelPlace place, LinuxProgram program, Layouts layouts, PhysicalMemory physical) {
    this.place = place;
    this.program = program;
    this.layouts = layouts;
    this.physical = physical;
  }

  /** Where all physical memory is mapped. */
  abstract Range directMap();

  abstract Range vmalloc();

  /** One {@code struct page} for each page of physical memory. */
  abstract Range vmemmap();

  abstract Range moduleSpace();

  /** The physical address that {@link #directMap} and {@link #vmemmap} begin with. */
  abstract long physicalBase();

  /** The number of bits of an address within a page. */
  abstract int pageShift();

  /** Adds the regions that only this architecture has. */
  abstract void addOwn(List<Mapping> found);

  /** The range, or as much of it as there are addresses: bases come from the target's memory. */
  static Range from(long start, long length) {
    long end = start + length;
    return Long.compareUnsigned(end, start) < 0 ? new Range(start, 0) : new Range(start, end);
  }

  /** The end of physical memory. */
  final long memoryEnd() {
    long end = 0;
    for (var range : physical.ranges()) {
      end = Math.max(end, range.end());
    }
    return end;
  }

  /** The size of {@code struct page}. */
  final int pageStruct() {
    return layouts.size("page").orElse(64);
  }

  final List<Mapping> list(List<LoadedModule> modules) {
    var found = new ArrayList<Mapping>();
    add(found, directMap(), "direct map of physical memory");
    add(found, vmalloc(), "vmalloc and ioremap");
    add(found, vmemmap(), "vmemmap: struct page");
    add(found, place.image(), "kernel image");
    section(found, "kernel text", "_stext", "_etext");
    section(found, "kernel read-only data", "__start_rodata", "__end_rodata");
    section(found, "kernel data", "_sdata", "_edata");
    section(found, "kernel bss", "__bss_start", "__bss_stop");
    add(found, moduleSpace(), "module space");
    addOwn(found);
    for (var module : modules) {
      for (var part : module.parts()) {
        add(found, part.range(), "module " + module.name() + " " + part.name());
      }
    }
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

  static void add(List<Mapping> found, Range range, String name) {
    if (!range.isEmpty()) {
      found.add(new Mapping(range, "", name));
    }
  }
}
