// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.format.orc.Orc;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.symbols.OrcUnwindSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The ORC tables of the kernel and of its modules, each read when an address in it comes up. */
final class OrcSources implements UnwindSource {
  private final KernelPlace place;
  private final LinuxProgram program;
  private final KernelTables tables;
  private final Bootstrap.ModuleTables modules;
  private final List<String> warnings;
  private Optional<OrcUnwindSource> own = Optional.empty();
  private boolean read;
  private Optional<UnwindSource> supplement = Optional.empty();
  private final Map<Long, Optional<OrcUnwindSource>> ofModules = new HashMap<>();

  /**
   * @param warnings told once of tables that are missing or cannot be read
   */
  OrcSources(
      KernelPlace place,
      LinuxProgram program,
      KernelTables tables,
      Bootstrap.ModuleTables modules,
      List<String> warnings) {
    this.place = place;
    this.program = program;
    this.tables = tables;
    this.modules = modules;
    this.warnings = warnings;
  }

  /** The modules may be others now; the kernel's own table stays. */
  void forget() {
    ofModules.clear();
  }

  @Override
  public String name() {
    return "orc";
  }

  @Override
  public Frame.How how() {
    return Frame.How.ORC;
  }

  /** Asks {@code other} for what the tables do not tell. */
  void supplement(UnwindSource other) {
    supplement = Optional.of(other);
  }

  /**
   * ORC's rules say where the frame ends, the return address and the frame pointer are, also in
   * assembly and where the stack was switched; call frame information knows the other registers.
   * Both count from the same address.
   */
  @Override
  public Optional<UnwindRow> rowAt(long pc) {
    var row = ownRowAt(pc);
    if (supplement.isEmpty() || (row.isPresent() && row.get().kind() != UnwindRow.Kind.CALL)) {
      return row;
    }
    var other = supplement.get().rowAt(pc);
    if (row.isEmpty() || other.isEmpty()) {
      return row.isPresent() ? row : other;
    }
    var rules = new HashMap<>(other.get().rules());
    rules.values().removeIf(rule -> !(rule instanceof Rule.AtCfa || rule instanceof Rule.Same));
    rules.putAll(row.get().rules());
    return Optional.of(new UnwindRow(row.get().cfa(), rules, row.get().kind()));
  }

  private Optional<UnwindRow> ownRowAt(long pc) {
    if (place.image().contains(pc)) {
      var source = own();
      return source.isPresent() ? source.get().rowAt(pc) : Optional.empty();
    }
    for (var module : modules.loaded()) {
      if (module.contains(pc)) {
        var source = ofModules.get(module.address());
        if (source == null) {
          source = open(module);
          ofModules.put(module.address(), source);
        }
        return source.isPresent() ? source.get().rowAt(pc) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  private Optional<OrcUnwindSource> own() {
    if (!read) {
      read = true;
      try {
        own = tables.orc(program.memory(), program.ownSymbols()).map(OrcUnwindSource::of);
        if (own.isEmpty()) {
          warnings.add(
              "this kernel has no ORC tables (it is older than 4.14, or CONFIG_UNWINDER_ORC is"
                  + " off): stacks are followed by frame pointers and by scanning");
        }
      } catch (FathomException e) {
        warnings.add("no unwind tables: " + e.getMessage());
      }
    }
    return own;
  }

  private Optional<OrcUnwindSource> open(LoadedModule module) {
    var layout = own().map(OrcUnwindSource::orc).map(Orc::layout);
    if (layout.isEmpty()) {
      return Optional.empty();
    }
    try {
      return modules
          .reader()
          .orc(module, layout.get())
          .map(orc -> OrcUnwindSource.ofModule(module.name(), orc));
    } catch (FathomException e) {
      warnings.add("no unwind tables of module " + module.name() + ": " + e.getMessage());
      return Optional.empty();
    }
  }
}
