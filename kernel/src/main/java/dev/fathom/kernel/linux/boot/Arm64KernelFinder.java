// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.aarch64.PageTables;
import dev.fathom.model.arch.aarch64.Paging;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds a 64-bit Arm kernel. Tried in turn, each result proved before it is believed:
 *
 * <ol>
 *   <li>the target's VMCOREINFO: {@code swapper_pg_dir}, {@code kimage_voffset}, {@code
 *       TCR_EL1_T1SZ} and the page size (arch/arm64/kernel/crash_core.c, since 6.9 vmcore_info.c;
 *       the first since 4.12, the third since 5.13);
 *   <li>the CPUs' TTBR1_EL1, TCR_EL1 and VBAR_EL1;
 *   <li>a VMCOREINFO found in memory by its text;
 *   <li>the header of a kernel image in memory, and in that image a page that is its {@code
 *       swapper_pg_dir}; or such a page anywhere.
 * </ol>
 *
 * The proof is that the page tables, walked, lead from {@code swapper_pg_dir}'s virtual address to
 * its physical one, which the kernel's image holds.
 */
public final class Arm64KernelFinder {
  /** Of TTBR1_EL1: bit 0 is CnP, bits 63 to 48 are an address space's number. */
  private static final long TABLE_ADDRESS = 0x0000_ffff_ffff_fffeL;

  /** With 52-bit addresses bits 5 to 2 of a TTBR hold 51 to 48 (section D24.2, TTBR1_EL1). */
  private static final int HIGH_SHIFT = 46;

  private static final long HIGH = 0x3c;

  /**
   * While user code runs, TTBR1 leads to {@code tramp_pg_dir}, which is two pages before {@code
   * swapper_pg_dir} (arch/arm64/kernel/vmlinux.lds.S, since 4.16; CONFIG_UNMAP_KERNEL_AT_EL0).
   */
  private static final int TRAMPOLINE_PAGES = 2;

  private final Target target;
  private final PhysicalMemory physical;
  private final KernelOptions options;
  private final List<String> warnings = new ArrayList<>();

  private Arm64KernelFinder(Target target, PhysicalMemory physical, KernelOptions options) {
    this.target = target;
    this.physical = physical;
    this.options = options;
  }

  /** The Linux kernel in {@code target}; empty when there is none that can be proved. */
  public static Optional<KernelPlace> find(
      Target target, PhysicalMemory physical, KernelOptions options) {
    return new Arm64KernelFinder(target, physical, options).find();
  }

  private Optional<KernelPlace> find() {
    if (options.trustVmcoreinfo()) {
      var noted = byNotes();
      if (noted.isPresent()) {
        return noted;
      }
    }
    for (var cpu : target.cpus()) {
      var place = byRegisters(cpu.registers());
      if (place.isPresent()) {
        return place;
      }
    }
    if (options.trustVmcoreinfo()) {
      var scan = new VmcoreinfoScan(physical, options.progress());
      for (var text = scan.next(); text.isPresent(); text = scan.next()) {
        var place = byVmcoreinfo(text.get(), "VMCOREINFO found in memory");
        if (place.isPresent()) {
          return place;
        }
      }
    }
    return new Arm64ImageScan(physical, options.progress())
        .find()
        .flatMap(
            found ->
                proved(
                    found.tables(),
                    found.text(),
                    Optional.empty(),
                    "page tables found by their shape"));
  }

  private Optional<KernelPlace> byNotes() {
    var notes = target.find(KernelNotes.class).flatMap(KernelNotes::vmcoreinfo);
    if (notes.isEmpty()) {
      return Optional.empty();
    }
    var place = byVmcoreinfo(Vmcoreinfo.parse("VMCOREINFO", notes.get()), "VMCOREINFO");
    if (place.isEmpty()) {
      warnings.add("the VMCOREINFO of this dump does not fit its memory and is not used");
    }
    return place;
  }

  private Optional<KernelPlace> byVmcoreinfo(Vmcoreinfo info, String how) {
    try {
      var swapper = info.symbol("swapper_pg_dir");
      var text = info.symbol("_stext");
      var distance = info.number("kimage_voffset");
      var pageSize = info.pageSize();
      if (swapper.isEmpty() || text.isEmpty() || distance.isEmpty() || pageSize.isEmpty()) {
        return Optional.empty();
      }
      int granule = Long.numberOfTrailingZeros(pageSize.getAsLong());
      long root = swapper.getAsLong() - distance.getAsLong();
      for (int bits : virtualBits(info, granule)) {
        for (var tables : tables(root, granule, bits)) {
          var translated = tables.physical(swapper.getAsLong());
          if (translated.isPresent()
              && translated.getAsLong() == root
              && KernelFinder.releaseAgrees(info, space(tables))) {
            return proved(tables, text.getAsLong(), Optional.of(info), how);
          }
        }
      }
      return Optional.empty();
    } catch (FathomException e) {
      warnings.add("VMCOREINFO is not used: " + e.getMessage());
      return Optional.empty();
    }
  }

  /** What the text states, else all that are possible with this granule. */
  private static List<Integer> virtualBits(Vmcoreinfo info, int granule) {
    var found = new ArrayList<Integer>();
    var size = info.number("TCR_EL1_T1SZ");
    if (size.isPresent() && size.getAsLong() >= 12 && size.getAsLong() <= 39) {
      found.add(64 - (int) size.getAsLong());
    }
    found.addAll(Arm64ImageScan.virtualBits(granule));
    return found;
  }

  /**
   * The tables behind a root. A kernel for 52 bits with granules of 64 KiB on a CPU for 48 uses the
   * last 64 entries of its table (ttbr1 is offset, arch/arm64/include/asm/assembler.h).
   */
  private List<PageTables> tables(long root, int granule, int bits) {
    var found = new ArrayList<PageTables>();
    if (granule == 12 || granule == 14 || granule == 16) {
      var paging = new Paging(granule, bits, granule != 16 && bits == 52, true);
      found.add(new PageTables(physical, root, paging));
      if (granule == 16 && bits == 48) {
        found.add(new PageTables(physical, root + (1024 - 64) * 8, paging));
      }
    }
    return found;
  }

  private Optional<KernelPlace> byRegisters(Registers registers) {
    var ttbr = registers.get(Aarch64.TTBR1_EL1);
    var tcr = registers.get(Aarch64.TCR_EL1);
    if (ttbr.isEmpty() || tcr.isEmpty()) {
      return Optional.empty();
    }
    var paging = Paging.of(tcr.getAsLong(), true);
    if (paging.isEmpty()) {
      return Optional.empty();
    }
    long root = root(ttbr.getAsLong(), paging.get());
    long page = 1L << paging.get().granuleBits();
    for (long at : new long[] {root, root + TRAMPOLINE_PAGES * page}) {
      var tables = new PageTables(physical, at, paging.get());
      var image = Arm64Image.around(tables, at);
      if (image.isPresent()) {
        return proved(tables, image.get().start(), Optional.empty(), KernelPlace.BY_CPUS);
      }
    }
    return Optional.empty();
  }

  /** The table's address in a value of TTBR1_EL1. */
  public static long root(long ttbr, Paging paging) {
    boolean high = paging.largeAddresses() || paging.granuleBits() == 16;
    return high
        ? (ttbr & TABLE_ADDRESS & -64) | ((ttbr & HIGH) << HIGH_SHIFT)
        : ttbr & TABLE_ADDRESS;
  }

  private PagedMemory space(PageTables tables) {
    return new PagedMemory("kernel", physical, tables);
  }

  /**
   * The place of the kernel whose image holds an address.
   *
   * @param text an address in the kernel's image
   */
  private Optional<KernelPlace> proved(
      PageTables tables, long text, Optional<Vmcoreinfo> info, String how) {
    var image = Arm64Image.at(tables, text);
    return image.map(
        found ->
            new KernelPlace(
                space(tables),
                new Range(found.start(), found.end()),
                found.physical(),
                info,
                how,
                List.copyOf(warnings)));
  }
}
