// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.format.kallsyms.ModuleKallsyms;
import dev.fathom.format.orc.Orc;
import dev.fathom.format.orc.OrcLayout;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.linux.LoadedModule.Part;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.ListNodes;
import dev.fathom.model.AddressSpace;
import dev.fathom.symbols.ModuleSymbols;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The list {@code modules} (kernel/module/main.c), newest first, and what each {@code struct
 * module} (include/linux/module.h) says of its memory and tables:
 *
 * <ul>
 *   <li>{@code mem[]} since 6.4, indexed by {@code enum mod_mem_type};
 *   <li>{@code core_layout}, 4.5 to 6.3, and {@code init_layout}.
 * </ul>
 */
final class Modules {
  /** More pieces than {@code enum mod_mem_type} has kinds. */
  private static final int PART_LIMIT = 16;

  private static final int NAME_LIMIT = 64;
  private static final int SYMBOL_BYTES = 24;
  private static final int SYMBOL_LIMIT = 1 << 20;
  private static final int STRINGS_LIMIT = 64 << 20;
  private static final int LONGEST_NAME = 512;

  /** MODULE_STATE_UNFORMED: memory and tables are not there yet. */
  private static final int UNFORMED = 3;

  private final LinuxProgram program;
  private final AddressSpace memory;
  private final Layouts layouts;

  Modules(LinuxProgram program, Layouts layouts) {
    this.program = program;
    this.memory = program.memory();
    this.layouts = layouts;
  }

  /** The modules that can be read; {@code notes} is told of the others. */
  List<LoadedModule> list(Walker.Notes notes) {
    var modules = new ArrayList<LoadedModule>();
    var head = program.address("modules");
    if (head.isEmpty()) {
      return modules;
    }
    try {
      int link = layouts.need("module", "list").offset();
      var nodes = ListNodes.forward(memory, head.getAsLong(), notes);
      while (nodes.hasNext()) {
        long address = nodes.nextLong() - link;
        try {
          modules.add(read(address));
        } catch (FathomException e) {
          notes.note("module at 0x" + Long.toHexString(address) + ": " + e.getMessage());
        }
      }
    } catch (FathomException e) {
      notes.note("modules: " + e.getMessage());
    }
    return modules;
  }

  private LoadedModule read(long address) {
    var name = memory.cString(address + layouts.need("module", "name").offset(), NAME_LIMIT);
    int state = (int) layouts.need("module", "state").at(memory, address);
    return new LoadedModule(address, name, state, state == UNFORMED ? List.of() : parts(address));
  }

  private List<Part> parts(long address) {
    var parts = new ArrayList<Part>();
    var base = layouts.find("module_memory", "base");
    var size = layouts.find("module_memory", "size");
    var stride = layouts.size("module_memory");
    var mem = layouts.find("module", "mem");
    if (mem.isPresent() && base.isPresent() && size.isPresent() && stride.isPresent()) {
      int count = Math.min(mem.get().bytes() / Math.max(1, stride.getAsInt()), PART_LIMIT);
      for (int i = 0; i < count; i++) {
        long at = address + mem.get().offset() + (long) i * stride.getAsInt();
        addPart(parts, partName(i), base.get().at(memory, at), size.get().at(memory, at));
      }
    } else {
      for (var layout : new String[] {"core", "init"}) {
        addPart(
            parts,
            layout,
            layouts.need("module", layout + "_layout.base").at(memory, address),
            layouts.need("module", layout + "_layout.size").at(memory, address));
      }
    }
    return parts;
  }

  private static void addPart(List<Part> parts, String name, long base, long size) {
    // A module lies in the upper half and does not wrap around.
    if (base < 0 && base + size < 0 && size > 0 && size <= 1 << 30) {
      parts.add(new Part(name, Range.of(base, size)));
    }
  }

  /** {@code enum mod_mem_type}. */
  private static String partName(int type) {
    return switch (type) {
      case 0 -> "text";
      case 1 -> "data";
      case 2 -> "rodata";
      case 3 -> "ro_after_init";
      case 4 -> "init text";
      case 5 -> "init data";
      case 6 -> "init rodata";
      default -> "part " + type;
    };
  }

  /** A member of {@code struct module} as a number, where this kernel has it. */
  Optional<Long> number(LoadedModule module, String... paths) {
    return layouts.find("module", paths).map(f -> f.at(memory, module.address()));
  }

  /** A module's symbols, from {@code module->kallsyms}. */
  ModuleSymbols symbols(LoadedModule module) {
    long table = symbolTable(module);
    long symtab = layouts.need("mod_kallsyms", "symtab").at(memory, table);
    long count = layouts.need("mod_kallsyms", "num_symtab").at(memory, table);
    long strtab = layouts.need("mod_kallsyms", "strtab").at(memory, table);
    if (count < 0 || count > SYMBOL_LIMIT) {
      throw tooMany(module.name(), "symbols", count);
    }
    var symbols =
        KernelTables.bytes("symbols of " + module.name(), memory, symtab, count * SYMBOL_BYTES);
    var strings = strings(module.name(), strtab, symbols.bytes(0, (int) symbols.size()));
    // typetab: since 5.2.
    var types =
        layouts.find("mod_kallsyms", "typetab").map(f -> f.at(memory, table)).filter(p -> p != 0);
    return ModuleSymbols.of(
        module.name(),
        module.ranges(),
        ModuleKallsyms.read(
            symbols,
            strings,
            types.map(
                p -> KernelTables.bytes("symbol types of " + module.name(), memory, p, count))));
  }

  private long symbolTable(LoadedModule module) {
    long table = layouts.need("module", "kallsyms").at(memory, module.address());
    return table != 0 ? table : module.address() + layouts.need("module", "core_kallsyms").offset();
  }

  private static BadDataException tooMany(String module, String what, long count) {
    return new BadDataException(
        "module " + module, 0, "has " + Long.toUnsignedString(count) + " " + what);
  }

  private ByteSource strings(String module, long strtab, byte[] symbols) {
    long last = 0;
    for (int at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
      long name = 0;
      for (int i = 3; i >= 0; i--) {
        name = name << 8 | (symbols[at + i] & 0xff);
      }
      last = Math.max(last, name);
    }
    if (last > STRINGS_LIMIT) {
      throw tooMany(module, "bytes of names", last);
    }
    var tail = memory.cString(strtab + last, LONGEST_NAME);
    long length = last + tail.getBytes(StandardCharsets.UTF_8).length + 1;
    return KernelTables.bytes("symbol names of " + module, memory, strtab, length);
  }

  /** A module's ORC tables, when it has some. */
  Optional<Orc> orc(LoadedModule module, OrcLayout layout) {
    var count = number(module, "arch.num_orcs");
    var ip = number(module, "arch.orc_unwind_ip");
    var entries = number(module, "arch.orc_unwind");
    if (count.isEmpty() || ip.isEmpty() || entries.isEmpty() || count.get() == 0) {
      return Optional.empty();
    }
    return Optional.of(
        Orc.parse(
            KernelTables.bytes(
                "ORC addresses of " + module.name(), memory, ip.get(), count.get() * 4),
            ip.get(),
            KernelTables.bytes("ORC of " + module.name(), memory, entries.get(), count.get() * 6),
            layout));
  }
}
