// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.Paging;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Cpu;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds an x86-64 kernel. Tried in turn, each result proved before it is believed:
 *
 * <ol>
 *   <li>the target's VMCOREINFO: {@code swapper_pg_dir} and {@code phys_base};
 *   <li>the CPUs' CR3: page tables that map their interrupt descriptor table and a kernel image;
 *   <li>a VMCOREINFO found in memory by its text;
 *   <li>a page of memory that looks like {@code swapper_pg_dir} and maps itself in a kernel image.
 * </ol>
 *
 * The proof of 1 and 3 is that the page tables, walked, lead from {@code swapper_pg_dir}'s virtual
 * address to its physical one, and that {@code init_uts_ns} read through them holds the release
 * that VMCOREINFO names.
 */
public final class KernelFinder {
  /**
   * {@code __START_KERNEL_map}: where a kernel without KASLR maps physical address 0
   * (arch/x86/include/asm/page_64_types.h).
   */
  public static final long START_KERNEL_MAP = 0xffff_ffff_8000_0000L;

  /** {@code __START_KERNEL} as every distribution configures it: 16 MiB above the above. */
  public static final long DEFAULT_TEXT = START_KERNEL_MAP + 0x100_0000L;

  /** KERNEL_IMAGE_SIZE with KASLR: the image and its random offset stay within 1 GiB. */
  private static final long IMAGE_SPACE = 1L << 30;

  /** CR3 less the bits of PCID, and less the one that tells PTI's user tables from the kernel's. */
  public static final long CR3_KERNEL = RootScan.ADDRESS & ~0x1000L;

  private final Target target;
  private final PhysicalMemory physical;
  private final KernelOptions options;
  private final List<String> warnings = new ArrayList<>();

  private KernelFinder(Target target, PhysicalMemory physical, KernelOptions options) {
    this.target = target;
    this.physical = physical;
    this.options = options;
  }

  /** The Linux kernel in {@code target}; empty when there is none that can be proved. */
  public static Optional<KernelPlace> find(
      Target target, PhysicalMemory physical, KernelOptions options) {
    return new KernelFinder(target, physical, options).find();
  }

  /** The kernel's variable {@code phys_base}: add it to an image address less the map's start. */
  public static long physBase(KernelPlace place) {
    return place.imagePhysical() - (place.image().start() - START_KERNEL_MAP);
  }

  private Optional<KernelPlace> find() {
    if (options.trustVmcoreinfo()) {
      var noted = byNotes();
      if (noted.isPresent()) {
        return noted;
      }
    }
    var byCpu = byCpuState();
    if (byCpu.isPresent()) {
      return byCpu;
    }
    if (options.trustVmcoreinfo()) {
      var scanned = new VmcoreinfoScan(physical, options.progress());
      while (true) {
        var text = scanned.next();
        if (text.isEmpty()) {
          break;
        }
        var place = byVmcoreinfo(text.get(), "VMCOREINFO found in memory");
        if (place.isPresent()) {
          return place;
        }
      }
    }
    return new RootScan(physical, options.progress())
        .find()
        .flatMap(
            found ->
                proved(
                    tables(found.root(), found.levels(), found.smeMask()),
                    Optional.empty(),
                    "page tables found by their shape"));
  }

  private Optional<KernelPlace> byNotes() {
    var notes = target.find(KernelNotes.class);
    if (notes.isEmpty()) {
      return Optional.empty();
    }
    var text = notes.get().vmcoreinfo();
    if (text.isEmpty()) {
      return Optional.empty();
    }
    var info = Vmcoreinfo.parse("VMCOREINFO", text.get());
    var place = byVmcoreinfo(info, "VMCOREINFO");
    if (place.isEmpty()) {
      warnings.add("the VMCOREINFO of this dump does not fit its memory and is not used");
    }
    return place;
  }

  private Optional<KernelPlace> byVmcoreinfo(Vmcoreinfo info, String how) {
    try {
      var swapper = info.symbol("swapper_pg_dir");
      if (swapper.isEmpty()) {
        return Optional.empty();
      }
      long smeMask = info.number("sme_mask").orElse(0);
      var bases = new ArrayList<Long>();
      info.number("phys_base").ifPresent(bases::add);
      target
          .find(KernelNotes.class)
          .map(KernelNotes::physBase)
          .ifPresent(b -> b.ifPresent(bases::add));
      for (long base : bases) {
        long root = swapper.getAsLong() - START_KERNEL_MAP + base;
        for (int levels : levels(info)) {
          var tables = tables(root, levels, smeMask);
          var translated = tables.physical(swapper.getAsLong());
          if (translated.isPresent()
              && translated.getAsLong() == root
              && releaseAgrees(info, new PagedMemory("kernel", physical, tables))) {
            return proved(tables, Optional.of(info), how);
          }
        }
      }
      return Optional.empty();
    } catch (FathomException e) {
      warnings.add("VMCOREINFO is not used: " + e.getMessage());
      return Optional.empty();
    }
  }

  private static int[] levels(Vmcoreinfo info) {
    var five = info.number("pgtable_l5_enabled");
    if (five.isPresent()) {
      return five.getAsLong() == 1 ? new int[] {5} : new int[] {4};
    }
    return new int[] {4, 5};
  }

  private PageTables tables(long root, int levels, long smeMask) {
    return new PageTables(physical, root, new Paging(levels, smeMask, Paging.NotPresent.LINUX));
  }

  /** Whether init_uts_ns.name.release is the release that VMCOREINFO names. */
  static boolean releaseAgrees(Vmcoreinfo info, PagedMemory space) {
    var uts = info.symbol("init_uts_ns");
    var release = info.osRelease();
    if (uts.isEmpty() || release.isEmpty()) {
      return true;
    }
    // VMCOREINFO states where the name is since 5.11, when it came first; until then a kref stood
    // before it.
    var stated = info.offset("uts_namespace.name");
    for (long name : stated.isPresent() ? new long[] {stated.getAsLong()} : new long[] {4, 0}) {
      // struct new_utsname: sysname, nodename and release, each of 65 bytes.
      long at = uts.getAsLong() + name + 130;
      if (space.at(at) != Readability.READABLE || space.cString(at, 65).equals(release.get())) {
        return true;
      }
    }
    return false;
  }

  private Optional<KernelPlace> byCpuState() {
    for (var cpu : target.cpus()) {
      var cr3 = cpu.registers().get(X86_64.CR3);
      if (cr3.isEmpty()) {
        continue;
      }
      var ranges = physical.ranges();
      long smeMask =
          ranges.isEmpty() ? 0 : RootScan.smeMask(cr3.getAsLong(), ranges.getLast().end());
      long kernels = cr3.getAsLong() & CR3_KERNEL & ~smeMask;
      var place = byRoot(cpu, kernels, smeMask);
      long own = cr3.getAsLong() & RootScan.ADDRESS & ~smeMask;
      if (place.isEmpty() && own != kernels) {
        // Where PTI is off, since 6.16, or not built in, bit 12 is part of the address.
        place = byRoot(cpu, own, smeMask);
      }
      if (place.isPresent()) {
        return place;
      }
    }
    return Optional.empty();
  }

  private Optional<KernelPlace> byRoot(Cpu cpu, long root, long smeMask) {
    for (int levels : levels(cpu)) {
      var tables = tables(root, levels, smeMask);
      if (idtPointsAtImage(cpu, tables)) {
        var place = proved(tables, Optional.empty(), KernelPlace.BY_CPUS);
        if (place.isPresent()) {
          return place;
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The same place behind the kernel's own page tables: a process's, which a CPU had, go with the
   * process.
   *
   * @param root the virtual address of {@code init_top_pgt}
   */
  public static KernelPlace rooted(KernelPlace place, Memory physical, long root) {
    if (!(place.space().mmu() instanceof PageTables tables)) {
      return place;
    }
    var at = tables.physical(root);
    if (at.isEmpty() || at.getAsLong() == tables.root()) {
      return place;
    }
    var own = new PageTables(physical, at.getAsLong(), tables.paging());
    return own.physical(root).equals(at)
        ? new KernelPlace(
            new PagedMemory("kernel", physical, own),
            place.image(),
            place.imagePhysical(),
            place.vmcoreinfo(),
            place.how(),
            place.warnings())
        : place;
  }

  private static int[] levels(Cpu cpu) {
    OptionalLong cr4 = cpu.registers().get(X86_64.CR4);
    if (cr4.isPresent()) {
      return (cr4.getAsLong() & Paging.CR4_LA57) != 0 ? new int[] {5} : new int[] {4};
    }
    return new int[] {4, 5};
  }

  /**
   * Whether the first gate of the CPU's interrupt descriptor table (Intel SDM volume 3, section
   * 6.14.1) leads into the range of kernel images; true when the table's place is not known.
   */
  private boolean idtPointsAtImage(Cpu cpu, PageTables tables) {
    var idt = cpu.registers().get(X86_64.IDT_BASE);
    if (idt.isEmpty() || idt.getAsLong() == 0) {
      return true;
    }
    var space = new PagedMemory("kernel", physical, tables);
    if (space.at(idt.getAsLong()) != Readability.READABLE) {
      return false;
    }
    long handler = handler(space, idt.getAsLong());
    return inImageSpace(handler) && tables.physical(handler).isPresent();
  }

  /** Where the gate at an address leads. */
  public static long handler(PagedMemory space, long gate) {
    return space.u16(gate) | (long) space.u16(gate + 6) << 16 | space.u32(gate + 8) << 32;
  }

  private static boolean inImageSpace(long address) {
    return Long.compareUnsigned(address - START_KERNEL_MAP, IMAGE_SPACE) < 0;
  }

  /** What these page tables map as the kernel's image; empty when they map none. */
  private Optional<KernelPlace> proved(PageTables tables, Optional<Vmcoreinfo> info, String how) {
    var image = ImageMapping.find(tables);
    return image.map(
        found ->
            new KernelPlace(
                new PagedMemory("kernel", physical, tables),
                new Range(found.start(), found.end()),
                found.physical(),
                info,
                how,
                List.copyOf(warnings)));
  }

  /** A view of the kernel's image by offset from its start; missing pages read as zeros. */
  public static ByteSource imageBytes(KernelPlace place, long start, int length) {
    var block = new byte[length];
    var all = MemorySegment.ofArray(block);
    int done = 0;
    while (done < length) {
      int got = place.space().read(start + done, all.asSlice(done));
      done += got;
      if (done < length) {
        done = (int) Math.min(length, ((start + done + 4096) & -4096L) - start);
      }
    }
    return ByteSource.of("kernel image", block);
  }
}
