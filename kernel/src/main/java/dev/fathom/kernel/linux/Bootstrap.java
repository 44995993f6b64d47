// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.linux.boot.ImageBuildId;
import dev.fathom.kernel.linux.boot.KernelFile;
import dev.fathom.kernel.linux.boot.KernelFinder;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.symbols.BtfTypeSource;
import dev.fathom.symbols.JoinedSymbols;
import dev.fathom.symbols.ModuleSymbols;
import dev.fathom.symbols.index.BuildIdNotes;
import dev.fathom.symbols.index.TableIndex;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes a kernel of the place where it was found: symbols, then types, then the rest. */
final class Bootstrap {
  private Bootstrap() {}

  /**
   * @param file what the kernel was loaded from, where it is known
   */
  static LinuxKernel start(
      Machine machine,
      Target target,
      PhysicalMemory physical,
      KernelPlace found,
      Optional<KernelFile> file,
      KernelOptions options) {
    var index = index(found, file, options);
    var tables = new KernelTables(found, index, file);
    var warnings = new ArrayList<>(found.warnings());
    SymbolTable own = new NoSymbols();
    try {
      var table = tables.symbols(warnings);
      if (table.isPresent()) {
        own = table.get();
      } else {
        warnings.add("no kallsyms found in the kernel's image: there are no symbols");
      }
    } catch (FathomException e) {
      warnings.add("no symbols: " + e.getMessage());
    }
    own = machine.withOwnTable(own);
    var root = own.first("init_top_pgt");
    var place =
        root.isPresent() ? KernelFinder.rooted(found, physical, root.get().address()) : found;
    var space = place.space();
    // The model asks for the kernel's own types only, so that it never has to read the modules'.
    var ownTypes = new TypeSystem(space.layout().wordBytes());
    var types = new TypeSystem(space.layout().wordBytes());
    var layouts = new Layouts(ownTypes);
    var moduleTypes = Optional.<ModuleTypes>empty();
    try {
      var unlisted = UnlistedSymbols.in(place, own);
      var btf = tables.btf(space, own);
      if (btf.isEmpty() && unlisted.isPresent()) {
        btf = unlisted.get().btf().map(index::btf);
      }
      var source = btf.map(table -> BtfTypeSource.of(table, space.layout().wordBytes()));
      source.ifPresent(ownTypes::add);
      if (unlisted.isPresent()) {
        own = unlisted.get().with(own, btf, layouts, warnings);
      }
      if (source.isPresent()) {
        types.add(source.get());
        moduleTypes = Optional.of(new ModuleTypes(space, own, layouts, source.get(), warnings));
        types.add(moduleTypes.get());
      }
    } catch (FathomException e) {
      warnings.add("no types: " + e.getMessage());
    }
    var modules = new ModuleTables(warnings);
    var symbols = new JoinedSymbols(own, modules::symbols);
    var live = target.find(Live.class);
    var program =
        new LinuxProgram(
            machine,
            space,
            physical,
            symbols,
            types,
            () -> live.isPresent() ? live.get().epoch() : 0);
    modules.of(new Modules(program, layouts));
    boolean bare = ownTypes.sources().isEmpty();
    if (bare) {
      addTypes(machine, program, ownTypes, warnings);
    }
    return new LinuxKernel(
        target, physical, place, program, layouts, tables, modules, moduleTypes, bare, warnings);
  }

  /** The types of a kernel without BTF. */
  private static void addTypes(
      Machine machine, LinuxProgram program, TypeSystem ownTypes, List<String> warnings) {
    try {
      var found = machine.typesWithoutBtf(program);
      if (found.isPresent()) {
        ownTypes.add(found.get());
        program.types().add(found.get());
        warnings.add(
            LinuxKernel.NO_BTF
                + ": what is known of struct task_struct was found by what must"
                + " hold of tasks, and nothing of other structures");
        return;
      }
    } catch (FathomException e) {
      warnings.add("no types: " + e.getMessage());
    }
    warnings.add(
        LinuxKernel.NO_BTF
            + " (it is older than 5.2, or CONFIG_DEBUG_INFO_BTF is off):"
            + " types are not known, so tasks, modules and stacks cannot be listed");
  }

  /**
   * The index of this kernel, where its build-id is known: its file has it, VMCOREINFO since 5.9,
   * and the image itself.
   */
  private static TableIndex index(
      KernelPlace place, Optional<KernelFile> file, KernelOptions options) {
    if (options.index().isEmpty()) {
      return TableIndex.none();
    }
    var folder = options.index().get();
    return file.map(KernelFile::buildId)
        .or(() -> place.vmcoreinfo().flatMap(Vmcoreinfo::buildId))
        .or(() -> buildId(place, new BuildIdNotes(folder)))
        .map(id -> TableIndex.of(folder, id))
        .orElseGet(TableIndex::none);
  }

  /** The build-id that stands in the image. */
  private static Optional<String> buildId(KernelPlace place, BuildIdNotes known) {
    for (var note : known.known()) {
      if (ImageBuildId.isAt(place, note)) {
        return Optional.of(note.id());
      }
    }
    var found = ImageBuildId.find(place);
    found.ifPresent(known::keep);
    return found.map(BuildIdNotes.Note::id);
  }

  /** Reads modules when they are first needed. */
  static final class ModuleTables {
    private final List<String> warnings;
    private Modules modules;
    private final Map<String, ModuleSymbols> tables = new HashMap<>();
    private List<LoadedModule> loaded;

    private ModuleTables(List<String> warnings) {
      this.warnings = warnings;
    }

    private void of(Modules reader) {
      modules = reader;
    }

    /** The list may have changed; the tables of modules that are as they were are kept. */
    void forget() {
      loaded = null;
    }

    Modules reader() {
      return modules;
    }

    List<LoadedModule> loaded() {
      if (loaded == null) {
        loaded = List.copyOf(modules.list(warnings::add));
      }
      return loaded;
    }

    List<ModuleSymbols> symbols() {
      var found = new ArrayList<ModuleSymbols>();
      var current = loaded();
      var kept = new HashMap<>(tables);
      tables.clear();
      for (var module : current) {
        if (module.parts().isEmpty()) {
          continue;
        }
        try {
          var key = module.name() + " " + module.address() + " " + module.state();
          var table = kept.get(key);
          if (table == null || !table.ranges().equals(module.ranges())) {
            table = modules.symbols(module);
          }
          tables.put(key, table);
          found.add(table);
        } catch (FathomException e) {
          warnings.add("no symbols of module " + module.name() + ": " + e.getMessage());
        }
      }
      return found;
    }
  }
}
