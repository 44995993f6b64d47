// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.BadDataException;
import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.ChainNodes;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.MapleEntries;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.PagedMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.PrimitiveIterator;

/**
 * A process's memory: {@code struct mm_struct} with its mappings in {@code mm_mt}, a maple tree
 * (since 6.1), or in the list that begins with {@code mmap} (before).
 */
final class UserMemory {
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int EXECUTE = 4;

  /** VM_MAYSHARE: what /proc/PID/maps shows as {@code s}. */
  private static final int SHARED = 0x80;

  private static final int NAME_LIMIT = 64;

  private final KernelPlace place;
  private final LinuxProgram program;
  private final Memory memory;
  private final Layouts layouts;

  UserMemory(KernelPlace place, LinuxProgram program, Layouts layouts) {
    this.place = place;
    this.program = program;
    this.memory = program.memory();
    this.layouts = layouts;
  }

  /** The address of a task's {@code mm_struct}; empty for kernel threads and the dead. */
  OptionalLong mm(long task) {
    long mm = layouts.need("task_struct", "mm").at(memory, task);
    return mm == 0 ? OptionalLong.empty() : OptionalLong.of(mm);
  }

  /** The address space of a task. */
  Optional<AddressSpace> space(long task) {
    var mm = mm(task);
    if (mm.isEmpty()) {
      return Optional.empty();
    }
    long pgd = layouts.need("mm_struct", "pgd").at(memory, mm.getAsLong());
    var root = program.memory().physical(pgd);
    return root.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new PagedMemory(
                "user",
                program.physical(),
                place.space().mmu().user(program.physical(), root.getAsLong())));
  }

  /** The addresses of the {@code vm_area_struct}s of an {@code mm_struct}, by address. */
  PrimitiveIterator.OfLong areas(long mm, Walker.Notes notes) {
    var tree = layouts.find("mm_struct", "mm_mt");
    return tree.isPresent()
        ? MapleEntries.of(program.types(), memory, mm + tree.get().offset(), notes)
        : new ChainNodes(
            memory,
            mm + layouts.need("mm_struct", "mmap").offset(),
            layouts.need("vm_area_struct", "vm_next").offset(),
            notes);
  }

  /** The mappings of a task. */
  List<Mapping> mappings(long task, Walker.Notes notes) {
    var found = new ArrayList<Mapping>();
    var mm = mm(task);
    if (mm.isEmpty()) {
      return found;
    }
    var naming = new Naming(mm.getAsLong());
    var areas = areas(mm.getAsLong(), notes);
    while (areas.hasNext()) {
      long area = areas.nextLong();
      try {
        found.add(mapping(area, naming));
      } catch (FathomException e) {
        notes.note("mapping at 0x" + Long.toHexString(area) + ": " + e.getMessage());
      }
    }
    return found;
  }

  private Mapping mapping(long area, Naming naming) {
    long start = layouts.need("vm_area_struct", "vm_start").at(memory, area);
    long end = layouts.need("vm_area_struct", "vm_end").at(memory, area);
    if (Long.compareUnsigned(end, start) < 0) {
      throw new BadDataException(
          "vm_area_struct", area, "ends at 0x" + Long.toHexString(end) + " before its start");
    }
    // vm_flags is a union with __vm_flags since 6.3.
    long flags = layouts.need("vm_area_struct", "vm_flags", "__vm_flags").at(memory, area);
    var protection =
        ((flags & READ) != 0 ? "r" : "-")
            + ((flags & WRITE) != 0 ? "w" : "-")
            + ((flags & EXECUTE) != 0 ? "x" : "-")
            + ((flags & SHARED) != 0 ? "s" : "p");
    return new Mapping(new Range(start, end), protection, naming.of(area, start, end));
  }

  /** Names mappings as fs/proc/task_mmu.c does. */
  private final class Naming {
    private final Paths paths;
    private final long brkStart;
    private final long brk;
    private final long stack;
    private final long vdso;
    private final long owner;

    Naming(long mm) {
      owner = mm;
      paths = new Paths(memory, layouts);
      brkStart = layouts.need("mm_struct", "start_brk").at(memory, mm);
      brk = layouts.need("mm_struct", "brk").at(memory, mm);
      stack = layouts.need("mm_struct", "start_stack").at(memory, mm);
      var place = layouts.find("mm_struct", "context.vdso");
      vdso = place.isPresent() ? place.get().at(memory, mm) : 0;
    }

    String of(long area, long start, long end) {
      try {
        long file = layouts.need("vm_area_struct", "vm_file").at(memory, area);
        if (file != 0) {
          return paths.ofFile(file);
        }
        if (start == vdso) {
          return "[vdso]";
        }
        var special = special(area);
        if (special.isPresent()) {
          return special.get();
        }
      } catch (FathomException e) {
        return "? (" + e.getMessage() + ")";
      }
      if (Long.compareUnsigned(start, brk) <= 0 && Long.compareUnsigned(end, brkStart) >= 0) {
        return "[heap]";
      }
      return new Range(start, end).contains(stack) ? "[stack]" : "";
    }

    /**
     * The variable {@code special_mapping_vmops}; without a symbol for it what the mapping of the
     * vDSO, which is such a one, has.
     */
    private OptionalLong specialOperations() {
      var known = program.address("special_mapping_vmops");
      if (known.isPresent() || vdso == 0) {
        return known;
      }
      var areas = areas(owner, _ -> {});
      while (areas.hasNext()) {
        long area = areas.nextLong();
        if (layouts.need("vm_area_struct", "vm_start").at(memory, area) == vdso) {
          return OptionalLong.of(layouts.need("vm_area_struct", "vm_ops").at(memory, area));
        }
      }
      return OptionalLong.empty();
    }

    /** {@code struct vm_special_mapping} of [vvar] and the like: named since 3.16. */
    private Optional<String> special(long area) {
      var operations = layouts.need("vm_area_struct", "vm_ops").at(memory, area);
      var known = specialOperations();
      var name = layouts.find("vm_special_mapping", "name");
      if (known.isEmpty() || operations != known.getAsLong() || name.isEmpty()) {
        return Optional.empty();
      }
      long mapping = layouts.need("vm_area_struct", "vm_private_data").at(memory, area);
      return Optional.of(memory.cString(name.get().at(memory, mapping), NAME_LIMIT));
    }
  }
}
