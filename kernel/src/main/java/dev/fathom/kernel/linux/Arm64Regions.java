// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.arch.aarch64.Paging;
import dev.fathom.target.PhysicalMemory;
import java.util.List;
import java.util.OptionalLong;

/**
 * The kernel's half of the address space of 64-bit Arm (Documentation/arch/arm64/memory.rst; before
 * 6.4 Documentation/arm64/memory.rst). VMCOREINFO states most bounds since 5.19; {@code
 * memstart_addr} has the physical address that the direct map begins with.
 */
final class Arm64Regions extends Regions {
  private static final long GIBI = 1L << 30;

  /** How far from the kernel's image its modules can be, with CONFIG_RANDOMIZE_MODULE_REGION. */
  private static final long REACH = 4 * GIBI;

  private final KernelPlace place;
  private final LinuxProgram program;
  private final Paging paging;
  private final long base;
  private final long pageOffset;

  Arm64Regions(KernelPlace place, LinuxProgram program, Layouts layouts, PhysicalMemory physical) {
    super(place, program, layouts, physical);
    this.place = place;
    this.program = program;
    this.paging = Arm64Machine.paging(place);
    long first = physical.ranges().isEmpty() ? 0 : physical.ranges().getFirst().start();
    this.base = stated("PHYS_OFFSET").orElse(variable("memstart_addr").orElse(first));
    this.pageOffset = pageOffset(first);
  }

  private OptionalLong stated(String number) {
    return place.vmcoreinfo().isPresent()
        ? place.vmcoreinfo().get().number(number)
        : OptionalLong.empty();
  }

  private OptionalLong variable(String name) {
    var symbol = program.address(name);
    try {
      return symbol.isPresent()
          ? OptionalLong.of(program.memory().u64(symbol.getAsLong()))
          : symbol;
    } catch (FaultException _) {
      return OptionalLong.empty(); // Not in the dump.
    }
  }

  /**
   * Where the direct map begins: with the half of the address space that the kernel was configured
   * for, until 5.3 in its middle.
   *
   * @param first the first physical address with memory
   */
  private long pageOffset(long first) {
    long configured = stated("VA_BITS").orElse(paging.virtualBits());
    for (long bits : new long[] {configured, paging.virtualBits(), 52, paging.virtualBits() - 1}) {
      if (bits > 0 && bits < 64) {
        long start = -1L << bits;
        var behind = program.memory().physical(first - base + start);
        if (behind.isPresent() && behind.getAsLong() == first) {
          return start;
        }
      }
    }
    return -1L << paging.virtualBits();
  }

  private Range stated(String from, String to) {
    var start = stated(from);
    var end = stated(to);
    return start.isPresent()
            && end.isPresent()
            && Long.compareUnsigned(start.getAsLong(), end.getAsLong()) < 0
        ? new Range(start.getAsLong(), end.getAsLong())
        : new Range(0, 0);
  }

  @Override
  Range directMap() {
    return from(pageOffset, memoryEnd() - base);
  }

  @Override
  Range vmalloc() {
    return stated("VMALLOC_START", "VMALLOC_END");
  }

  @Override
  Range vmemmap() {
    var start = stated("VMEMMAP_START");
    return start.isPresent()
        ? from(start.getAsLong(), ((memoryEnd() - base) >>> pageShift()) * pageStruct())
        : new Range(0, 0);
  }

  /** MODULES_VADDR to MODULES_END; else as far from the image as calls reach. */
  @Override
  Range moduleSpace() {
    var stated = stated("MODULES_VADDR", "MODULES_END");
    return stated.isEmpty() ? near(place.image()) : stated;
  }

  /** The addresses around the image that modules may be at. */
  static Range near(Range image) {
    return new Range(image.start() - REACH, image.end() + REACH);
  }

  @Override
  long physicalBase() {
    return base;
  }

  @Override
  int pageShift() {
    return paging.granuleBits();
  }

  @Override
  void addOwn(List<Mapping> found) {
    add(found, new Range(0, 1L << paging.virtualBits()), "user space");
  }
}
