// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A kernel's symbols and its modules' behind them. The modules' tables are read when something is
 * first looked up that the kernel proper does not answer; a listing of tasks never needs them. Used
 * by one thread.
 */
public final class JoinedSymbols implements SymbolTable {
  private final SymbolTable kernel;
  private final Supplier<List<ModuleSymbols>> source;
  private List<ModuleSymbols> modules;

  /**
   * @param modules called when the modules' symbols are first needed, and again after {@link
   *     #forget}
   */
  public JoinedSymbols(SymbolTable kernel, Supplier<List<ModuleSymbols>> modules) {
    this.kernel = kernel;
    this.source = modules;
  }

  /** The modules may be others now: their tables are asked for again when needed. */
  public void forget() {
    modules = null;
  }

  /** Whether the kernel is in the lower half of the addresses: it runs as a process. */
  private boolean lower() {
    var text = kernel.first("_stext");
    return text.isPresent() && text.get().address() >= 0;
  }

  /** The kernel's own symbols. */
  public SymbolTable kernel() {
    return kernel;
  }

  /** Each module's symbols. */
  public List<ModuleSymbols> modules() {
    if (modules == null) {
      modules = List.of(); // reading them may look up symbols of the kernel
      modules = List.copyOf(source.get());
    }
    return modules;
  }

  @Override
  public Optional<Located> at(long address) {
    var found = kernel.at(address);
    if (found.isPresent()) {
      return found;
    }
    if (address >= 0 && !lower()) {
      return Optional.empty(); // modules are where the kernel is, in the upper half
    }
    for (var module : modules()) {
      var inModule = module.at(address);
      if (inModule.isPresent()) {
        return inModule;
      }
    }
    return Optional.empty();
  }

  @Override
  public Optional<Located> perCpuAt(long offset) {
    var found = kernel.perCpuAt(offset);
    if (found.isPresent()) {
      return found;
    }
    for (var module : modules()) {
      var inModule = module.perCpuAt(offset);
      if (inModule.isPresent()) {
        return inModule;
      }
    }
    return Optional.empty();
  }

  @Override
  public List<Symbol> named(String name) {
    var found = new ArrayList<>(kernel.named(name));
    for (var module : modules()) {
      found.addAll(module.named(name));
    }
    return found;
  }

  @Override
  public List<Symbol> exactly(String name) {
    var found = new ArrayList<>(kernel.exactly(name));
    for (var module : modules()) {
      found.addAll(module.exactly(name));
    }
    return found;
  }

  /** {@inheritDoc} The kernel's own symbols come before all modules'. */
  @Override
  public Optional<Symbol> first(String name) {
    var found = kernel.first(name);
    if (found.isPresent()) {
      return found;
    }
    for (var module : modules()) {
      var inModule = module.first(name);
      if (inModule.isPresent()) {
        return inModule;
      }
    }
    return Optional.empty();
  }

  @Override
  public Stream<Symbol> stream() {
    return Stream.concat(kernel.stream(), modules().stream().flatMap(ModuleSymbols::stream));
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    int tick = prefix.indexOf('`');
    var found = new TreeSet<String>();
    if (tick < 0) {
      found.addAll(kernel.completions(prefix, limit));
      for (var module : modules()) {
        found.addAll(module.completions(prefix, limit));
      }
    } else {
      var wanted = prefix.substring(0, tick);
      for (var module : modules()) {
        if (module.module().equals(wanted)) {
          for (var name : module.completions(prefix.substring(tick + 1), limit)) {
            found.add(wanted + "`" + name);
          }
        }
      }
    }
    return found.stream().limit(limit).toList();
  }
}
