// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Range;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.boot.UmlMemory;
import dev.fathom.kernel.linux.data.Layouts;
import java.util.List;

/**
 * The address space of a User Mode Linux: that of a process (arch/um/include/asm/pgtable.h).
 * Physical memory is seen from the start of the image on; modules are in vmalloc space.
 */
final class UmlRegions extends Regions {
  /** {@code VMALLOC_OFFSET}: the room between memory and vmalloc space. */
  private static final long VMALLOC_OFFSET = 8L << 20;

  private final UmlMemory memory;
  private final List<Mapping> host;

  /**
   * @param host the process's mappings that are not the kernel's
   */
  UmlRegions(
      KernelPlace place,
      LinuxProgram program,
      Layouts layouts,
      UmlMemory memory,
      List<Mapping> host) {
    super(place, program, layouts, memory);
    this.memory = memory;
    this.host = host;
  }

  @Override
  Range directMap() {
    return Range.of(memory.base(), memory.size());
  }

  /** Up to where the process's own objects begin, which differs from process to process. */
  @Override
  Range vmalloc() {
    long start = (memory.base() + memory.size() + VMALLOC_OFFSET) & -VMALLOC_OFFSET;
    long end = start;
    for (var mapping : host) {
      if (Long.compareUnsigned(mapping.range().start(), start) > 0) {
        end = mapping.range().start();
        break;
      }
    }
    return new Range(start, end);
  }

  /** {@code mem_map} is in the direct map. */
  @Override
  Range vmemmap() {
    return new Range(0, 0);
  }

  @Override
  Range moduleSpace() {
    return vmalloc();
  }

  @Override
  long physicalBase() {
    return 0;
  }

  @Override
  int pageShift() {
    return 12;
  }

  @Override
  void addOwn(List<Mapping> found) {
    found.addAll(host);
  }
}
