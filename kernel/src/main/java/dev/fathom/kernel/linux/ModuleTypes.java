// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.format.btf.Btf;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.ListNodes;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.symbols.BtfTypeSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The types of loaded modules: split BTF, which the kernel keeps in the list {@code btf_modules}
 * (kernel/bpf/btf.c, since 5.11; {@code struct module} itself forgets it once loaded). Read when a
 * name is asked for that the kernel proper does not know.
 */
final class ModuleTypes implements TypeSource {
  private static final int NAME_LIMIT = 64;

  private final AddressSpace memory;
  private final SymbolTable symbols;
  private final Layouts layouts;
  private final BtfTypeSource base;
  private final List<String> warnings;
  private final Map<String, BtfTypeSource> read = new HashMap<>();
  private List<BtfTypeSource> sources;

  ModuleTypes(
      AddressSpace memory,
      SymbolTable symbols,
      Layouts layouts,
      BtfTypeSource base,
      List<String> warnings) {
    this.memory = memory;
    this.symbols = symbols;
    this.layouts = layouts;
    this.base = base;
    this.warnings = warnings;
  }

  /** The list of modules may have changed; the types of those that are still there are kept. */
  void forget() {
    sources = null;
  }

  @Override
  public String name() {
    return "btf of modules";
  }

  @Override
  public Optional<CType> find(TypeName name) {
    Optional<CType> declared = Optional.empty();
    for (var source : sources()) {
      var found = source.find(name);
      if (found.isPresent()) {
        if (!(found.get() instanceof OpaqueType)) {
          return found;
        }
        declared = found;
      }
    }
    return declared;
  }

  @Override
  public Optional<CType> ofSymbol(String symbol) {
    for (var source : sources()) {
      var found = source.ofSymbol(symbol);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  @Override
  public Stream<CType> stream() {
    return sources().stream().flatMap(BtfTypeSource::stream);
  }

  @Override
  public Stream<Named> typeNames() {
    return sources().stream().flatMap(BtfTypeSource::typeNames);
  }

  @Override
  public Map<String, EnumType> enumerators() {
    var found = new HashMap<String, EnumType>();
    sources().forEach(source -> source.enumerators().forEach(found::putIfAbsent));
    return found;
  }

  private List<BtfTypeSource> sources() {
    if (sources == null) {
      var found = new ArrayList<BtfTypeSource>();
      try {
        read(found);
      } catch (FathomException e) {
        warnings.add("types of modules: " + e.getMessage());
      }
      sources = List.copyOf(found);
    }
    return sources;
  }

  private void read(List<BtfTypeSource> found) {
    var head = symbols.first("btf_modules");
    if (head.isEmpty() || layouts.find("btf_module", "btf").isEmpty()) {
      return; // CONFIG_DEBUG_INFO_BTF_MODULES is off, or the kernel is older.
    }
    int link = layouts.need("btf_module", "list").offset();
    var nodes = ListNodes.forward(memory, head.get().address(), warnings::add);
    while (nodes.hasNext()) {
      long entry = nodes.nextLong() - link;
      try {
        long btf = layouts.need("btf_module", "btf").at(memory, entry);
        var name = memory.cString(btf + layouts.need("btf", "name").offset(), NAME_LIMIT);
        long data = layouts.need("btf", "data").at(memory, btf);
        long size = layouts.need("btf", "data_size").at(memory, btf);
        var key = name + " " + data + " " + size;
        var source = read.get(key);
        if (source == null) {
          var bytes = KernelTables.bytes("BTF of " + name, memory, data, size);
          source = BtfTypeSource.ofModule(name, Btf.parseSplit(bytes, base.btf()), base);
          read.put(key, source);
        }
        found.add(source);
      } catch (FathomException e) {
        warnings.add("types of a module: " + e.getMessage());
      }
    }
  }
}
