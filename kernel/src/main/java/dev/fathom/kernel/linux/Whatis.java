// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.RbNodes;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.Symbol;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** Says what an address is, from the most to the least particular. */
final class Whatis {
  /** THREAD_SIZE: 16 KiB, with KASAN 32 (arch/x86/include/asm/page_64_types.h). */
  private static final long STACK_BYTES = 16 << 10;

  private static final int NODE_LIMIT = 1024;

  private final LinuxProgram program;
  private final Memory memory;
  private final Layouts layouts;
  private final Regions regions;
  private final Pages pages;
  private final PerCpu perCpu;
  private final List<LoadedModule> modules;

  Whatis(
      LinuxProgram program,
      Layouts layouts,
      Regions regions,
      PerCpu perCpu,
      List<LoadedModule> modules) {
    this.program = program;
    this.memory = program.memory();
    this.layouts = layouts;
    this.regions = regions;
    this.pages = new Pages(program, layouts, regions);
    this.perCpu = perCpu;
    this.modules = modules;
  }

  /**
   * @param tasks every thread
   */
  List<String> of(long address, Iterator<Task> tasks) {
    var found = new ArrayList<String>();
    symbol(address, found);
    inModule(address, found);
    perCpu(address, found);
    if (regions.directMap().contains(address) || regions.vmalloc().contains(address)) {
      inTask(address, tasks, found);
    }
    if (regions.vmalloc().contains(address) || regions.moduleSpace().contains(address)) {
      inVmalloc(address, found);
    }
    if (regions.directMap().contains(address)) {
      inDirectMap(address, found);
    }
    pageStruct(address, found);
    var is = Long.toHexString(address) + " is ";
    return found.stream().map(text -> is + text).toList();
  }

  private void symbol(long address, List<String> found) {
    var symbol = program.symbols().at(address);
    if (symbol.isEmpty() || address >= 0) {
      return;
    }
    var s = symbol.get().symbol();
    if (s.kind() == Symbol.Kind.ABSOLUTE || s.kind() == Symbol.Kind.PER_CPU) {
      return;
    }
    boolean own = s.module().isEmpty();
    if (own && !inImage(address)) {
      return;
    }
    found.add(
        symbol.get().text()
            + ", in "
            + (own ? "vmlinux" : s.module())
            + "'s "
            + (s.kind() == Symbol.Kind.TEXT ? "text" : "data")
            + " segment");
  }

  private boolean inImage(long address) {
    var start = program.address("_text");
    var end = program.address("_end");
    return start.isPresent()
        && end.isPresent()
        && within(start.getAsLong(), end.getAsLong() - start.getAsLong(), address);
  }

  private void inModule(long address, List<String> found) {
    for (var module : modules) {
      for (var part : module.parts()) {
        if (part.range().contains(address)) {
          found.add(
              Long.toHexString(part.range().start())
                  + "+0x"
                  + Long.toHexString(address - part.range().start())
                  + ", in module "
                  + module.name()
                  + " ("
                  + part.name()
                  + ")");
        }
      }
      var type = layouts.size("module");
      if (type.isPresent() && within(module.address(), type.getAsInt(), address)) {
        found.add(offset(module.address(), address) + ", struct module of " + module.name());
      }
    }
  }

  private static boolean within(long start, long length, long address) {
    return Long.compareUnsigned(address - start, length) < 0;
  }

  private static String offset(long start, long address) {
    return Long.toHexString(start)
        + (address == start ? "" : "+0x" + Long.toHexString(address - start));
  }

  private void perCpu(long address, List<String> found) {
    var first = program.address("__per_cpu_start");
    var last = program.address("__per_cpu_end");
    if (first.isEmpty() || last.isEmpty()) {
      return;
    }
    for (int cpu : perCpu.possible()) {
      var base = perCpu.offset(cpu);
      if (base.isPresent()) {
        long inArea = address - base.getAsLong();
        if (Long.compareUnsigned(inArea - first.getAsLong(), last.getAsLong() - first.getAsLong())
            < 0) {
          var name = program.symbols().perCpuAt(inArea).map(Located::text);
          found.add(
              name.orElse("0x" + Long.toHexString(inArea)) + ", a per-CPU variable, of CPU " + cpu);
        }
      }
    }
  }

  private void inTask(long address, Iterator<Task> tasks, List<String> found) {
    var stack = layouts.find("task_struct", "stack");
    var size = layouts.size("task_struct");
    if (stack.isEmpty() || size.isEmpty()) {
      return;
    }
    while (tasks.hasNext()) {
      var task = tasks.next();
      long object = task.object().address();
      var who = "of thread " + task.idText() + " (" + task.name() + ")";
      try {
        if (within(object, size.getAsInt(), address)) {
          found.add(offset(object, address) + ", struct task_struct " + who);
        }
        long base = stack.get().at(memory, object);
        if (within(base, STACK_BYTES, address)) {
          found.add(
              offset(base, address)
                  + ", on the kernel stack "
                  + who
                  + " at "
                  + Long.toHexString(object));
        }
      } catch (FathomException _) {
        continue; // That task is not in the dump; another may own the address.
      }
    }
  }

  private void inVmalloc(long address, List<String> found) {
    try {
      var area = area(address);
      area.ifPresent(found::add);
    } catch (FathomException e) {
      found.add("in the vmalloc region (its areas: " + e.getMessage() + ")");
      return;
    }
  }

  /**
   * The vmalloc area around an address: {@code vmap_nodes} since 6.9, each with a tree; before, one
   * tree {@code vmap_area_root}.
   */
  private Optional<String> area(long address) {
    var nodes = program.address("vmap_nodes");
    var stride = layouts.size("vmap_node");
    var busy = layouts.find("vmap_node", "busy.root");
    if (nodes.isPresent() && stride.isPresent() && busy.isPresent()) {
      long first = memory.u64(nodes.getAsLong());
      long count = memory.u32(program.needAddress("nr_vmap_nodes"));
      for (int i = 0; i < Math.min(count, NODE_LIMIT); i++) {
        var area = areaIn(first + (long) i * stride.getAsInt() + busy.get().offset(), address);
        if (area.isPresent()) {
          return area;
        }
      }
      return Optional.empty();
    }
    return areaIn(program.needAddress("vmap_area_root"), address);
  }

  private Optional<String> areaIn(long root, long address) {
    int link = layouts.need("vmap_area", "rb_node").offset();
    var nodes = new RbNodes(memory, root, _ -> {});
    while (nodes.hasNext()) {
      long area = nodes.nextLong() - link;
      long start = layouts.need("vmap_area", "va_start").at(memory, area);
      long end = layouts.need("vmap_area", "va_end").at(memory, area);
      if (Long.compareUnsigned(address - start, end - start) < 0) {
        return Optional.of(
            offset(start, address)
                + ", in a vmalloc area of "
                + (end - start)
                + " bytes"
                + caller(layouts.need("vmap_area", "vm").at(memory, area)));
      }
    }
    return Optional.empty();
  }

  private String caller(long vmStruct) {
    if (vmStruct == 0) {
      return "";
    }
    long caller = layouts.need("vm_struct", "caller").at(memory, vmStruct);
    return caller == 0 ? "" : " by " + program.symbols().text(caller);
  }

  private void inDirectMap(long address, List<String> found) {
    long physical = address - regions.directMap().start() + regions.physicalBase();
    pages.slabObject(address, physical).ifPresent(found::add);
    found.add(
        "direct map of physical 0x" + Long.toHexString(physical) + flags(pages.page(physical)));
  }

  private String flags(long page) {
    try {
      var names = pages.flags(page);
      return ", page "
          + Long.toHexString(page)
          + (names.isEmpty() ? "" : " (" + String.join("|", names) + ")");
    } catch (FathomException e) {
      return ""; // Not every physical address has a struct page.
    }
  }

  private void pageStruct(long address, List<String> found) {
    var physical = pages.physical(address);
    if (physical.isPresent()) {
      long page = pages.page(physical.getAsLong());
      found.add(
          offset(page, address)
              + ", struct page of physical 0x"
              + Long.toHexString(physical.getAsLong()));
    }
  }
}
