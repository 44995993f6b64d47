// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Range;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.model.arch.x86_64.PagedMemory;
import dev.fathom.model.arch.x86_64.Paging;
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

  /**
   * {@code __START_KERNEL_map}: where a kernel without KASLR maps physical address 0
   * (arch/x86/include/asm/page_64_types.h).
   */
  public static final long START_KERNEL_MAP = 0xffff_ffff_8000_0000L;

  /** {@code __START_KERNEL} as every distribution configures it: 16 MiB above the above. */
  public static final long DEFAULT_TEXT = START_KERNEL_MAP + 0x100_0000L;

  /** How this machine's page tables are read, user ones too. */
  public Paging paging() {
    return space.tables().paging();
  }

  /** The kernel's variable {@code phys_base}: add it to an image address less the map's start. */
  public long physBase() {
    return imagePhysical - (image.start() - START_KERNEL_MAP);
  }
}
