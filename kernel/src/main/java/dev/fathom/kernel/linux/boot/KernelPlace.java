// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Range;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.model.arch.PagedMemory;
import java.util.List;
import java.util.Optional;

/**
 * Where a Linux kernel is in a target's memory.
 *
 * @param space the kernel's virtual memory, behind {@code swapper_pg_dir} or a table with the same
 *     kernel half
 * @param image the virtual addresses that the kernel's image is mapped at, from {@code _text} on,
 *     in whole pages
 * @param imagePhysical the physical address of the image's first byte
 * @param vmcoreinfo the kernel's own notes, where they were found and proved right
 * @param how the way that led here, for the user
 * @param warnings what the user should know
 */
public record KernelPlace(
    PagedMemory space,
    Range image,
    long imagePhysical,
    Optional<Vmcoreinfo> vmcoreinfo,
    String how,
    List<String> warnings) {
  /** The way of those that CPUs led to. */
  static final String BY_CPUS = "CPU state";

  /** Whether a CPU ran under this kernel when it was found. */
  public boolean wasRunning() {
    return how.equals(BY_CPUS);
  }
}
