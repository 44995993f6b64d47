// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.format.btf.Btf;
import dev.fathom.format.btf.BtfType;
import dev.fathom.format.kallsyms.ExportedSymbols;
import dev.fathom.kernel.linux.boot.KernelFinder;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.symbols.AddedSymbols;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Variables of kernels without CONFIG_KALLSYMS_ALL, whose kallsyms has functions only: those that
 * are exported to modules; the per-CPU ones, whose places BTF has ({@code .data..percpu}); those
 * that VMCOREINFO names; and the list of modules, by its shape.
 */
final class UnlistedSymbols {
  /** Exported in every kernel (init/init_task.c). */
  private static final String KNOWN = "init_task";

  /** {@code struct btf_header} up to its length (include/uapi/linux/btf.h). */
  private static final long BTF_START = 0x0000_0018_0001_eb9fL;

  private static final int BTF_HEADER = 24;

  /** Larger than any kernel's image. */
  private static final long SIZE_LIMIT = 256L << 20;

  private static final int NAME_LIMIT = 64;

  private final KernelPlace place;
  private final AddressSpace memory;
  private final ByteSource image;

  /**
   * @param image the kernel's image, from its start on
   */
  private UnlistedSymbols(KernelPlace place, ByteSource image) {
    this.place = place;
    this.memory = place.space();
    this.image = image;
  }

  /** For a kernel whose symbols lack variables; empty for any other. */
  static Optional<UnlistedSymbols> in(KernelPlace place, SymbolTable listed) {
    if (listed.first(KNOWN).isPresent() || listed.first("_stext").isEmpty()) {
      return Optional.empty();
    }
    int length = (int) Math.min(place.image().length(), SIZE_LIMIT);
    return Optional.of(
        new UnlistedSymbols(place, KernelFinder.imageBytes(place, place.image().start(), length)));
  }

  /** The BTF in the image, found by its header; the largest, as others are of modules. */
  Optional<ByteSource> btf() {
    long best = 0;
    long bestAt = -1;
    byte[] bytes = image.bytes(0, (int) image.size());
    var words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at <= bytes.length - BTF_HEADER; at += 4) {
      if (words.getLong(at) == BTF_START) {
        long types = Integer.toUnsignedLong(words.getInt(at + 12));
        long strings = Integer.toUnsignedLong(words.getInt(at + 20));
        long stringsAt = Integer.toUnsignedLong(words.getInt(at + 16));
        long length = BTF_HEADER + stringsAt + strings;
        boolean sensible = types <= stringsAt && length <= bytes.length - at;
        if (sensible && length > best) {
          best = length;
          bestAt = at;
        }
      }
    }
    return bestAt < 0
        ? Optional.empty()
        : Optional.of(ByteSource.of("BTF", image.bytes(bestAt, (int) best)));
  }

  /**
   * The kernel's symbols and those that they lack.
   *
   * @param layouts of the kernel's own types
   */
  SymbolTable with(SymbolTable listed, Optional<Btf> btf, Layouts layouts, List<String> warnings) {
    var found = new ArrayList<Symbol>();
    var exports = new HashMap<String, Long>();
    for (var export : ExportedSymbols.find(image, place.image().start(), KNOWN)) {
      exports.putIfAbsent(export.name(), export.address());
    }
    if (exports.isEmpty()) {
      warnings.add(
          "kallsyms has no variables (CONFIG_KALLSYMS_ALL is off) and no table of exported symbols"
              + " was found: tasks and CPUs cannot be listed");
      return listed;
    }
    if (btf.isPresent()) {
      perCpu(btf.get(), exports, found);
    }
    exports.forEach((name, address) -> found.add(data(name, address)));
    place
        .vmcoreinfo()
        .ifPresent(
            info -> {
              for (var key : info.values().keySet()) {
                if (key.startsWith("SYMBOL(") && key.endsWith(")")) {
                  var name = key.substring(7, key.length() - 1);
                  info.symbol(name).ifPresent(address -> found.add(data(name, address)));
                }
              }
            });
    modules(layouts).ifPresent(address -> found.add(data("modules", address)));
    return new AddedSymbols(listed, found);
  }

  private static Symbol data(String name, long address) {
    return new Symbol(name, address, 0, Symbol.Kind.DATA, 'D', "");
  }

  /**
   * The variables of {@code .data..percpu}, whose start is where an exported one is less its offset
   * there; all that are exported must agree.
   */
  private static void perCpu(Btf btf, Map<String, Long> exports, List<Symbol> found) {
    for (int id = btf.firstId(); id < btf.endId(); id++) {
      if (btf.kind(id) != Btf.DATASEC || !btf.name(id).equals(".data..percpu")) {
        continue;
      }
      if (btf.type(id) instanceof BtfType.DataSec section) {
        var start = start(btf, section, exports);
        if (start.isPresent()) {
          for (var variable : section.variables()) {
            found.add(
                new Symbol(
                    btf.name(variable.type()),
                    start.get() + variable.offset(),
                    variable.size(),
                    Symbol.Kind.PER_CPU,
                    'D',
                    ""));
          }
          found.add(new Symbol("__per_cpu_start", start.get(), 0, Symbol.Kind.PER_CPU, 'D', ""));
          found.add(
              new Symbol(
                  "__per_cpu_end", start.get() + section.size(), 0, Symbol.Kind.PER_CPU, 'D', ""));
        }
      }
    }
  }

  private static Optional<Long> start(Btf btf, BtfType.DataSec section, Map<String, Long> exports) {
    Long start = null;
    for (var variable : section.variables()) {
      var exported = exports.get(btf.name(variable.type()));
      if (exported != null) {
        long told = exported - variable.offset();
        if (start != null && start != told) {
          return Optional.empty();
        }
        start = told;
      }
    }
    return Optional.ofNullable(start);
  }

  /**
   * The head of the list of modules: two words in the image that lead to the first and the last
   * {@code struct module}, which lead back.
   */
  private Optional<Long> modules(Layouts layouts) {
    var list = layouts.find("module", "list");
    var name = layouts.find("module", "name");
    if (list.isEmpty() || name.isEmpty()) {
      return Optional.empty();
    }
    var words = ByteBuffer.wrap(image.bytes(0, (int) image.size())).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at <= words.limit() - 16; at += 8) {
      long next = words.getLong(at);
      long previous = words.getLong(at + 8);
      long head = place.image().start() + at;
      if (mayBeModule(next)
          && mayBeModule(previous)
          && leadsBack(next + 8, head)
          && leadsBack(previous, head)
          && isName(next - list.get().offset() + name.get().offset())
          && isName(previous - list.get().offset() + name.get().offset())
          && isInItself(next - list.get().offset(), layouts)) {
        return Optional.of(head);
      }
    }
    return Optional.empty();
  }

  private boolean mayBeModule(long address) {
    return address < 0 && (address & 7) == 0 && !place.image().contains(address) && address != -1;
  }

  private boolean leadsBack(long address, long head) {
    try {
      return memory.u64(address) == head;
    } catch (FaultException _) {
      return false; // No list then.
    }
  }

  /** Whether there is a name as modules have: letters, digits, underlines. */
  private boolean isName(long address) {
    try {
      var text = memory.cString(address, NAME_LIMIT);
      return !text.isEmpty()
          && text.chars().allMatch(c -> c == '_' || c == '-' || Character.isLetterOrDigit(c));
    } catch (FathomException _) {
      return false; // No module then.
    }
  }

  /** Whether the structure lies in its module's own memory. */
  private boolean isInItself(long module, Layouts layouts) {
    var base = layouts.find("module", "core_layout.base");
    var size = layouts.find("module", "core_layout.size");
    if (base.isEmpty() || size.isEmpty()) {
      return true;
    }
    try {
      long start = base.get().at(memory, module);
      return Long.compareUnsigned(module - start, size.get().at(memory, module)) < 0;
    } catch (FaultException | BadDataException _) {
      return false; // No module then.
    }
  }
}
