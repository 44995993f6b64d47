// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A kernel's symbols and others of the kernel proper that were found elsewhere. */
public final class AddedSymbols implements SymbolTable {
  private final SymbolTable base;

  /** Whether the kernel is in the lower half of the addresses, where offsets are, too. */
  private final boolean lower;

  private final Map<String, Symbol> byName = new HashMap<>();
  private final TreeMap<Long, Symbol> byAddress = new TreeMap<>(Long::compareUnsigned);

  /**
   * @param more counts where {@code base} has none of that name or around that address; a symbol of
   *     size 0 reaches to the next
   */
  public AddedSymbols(SymbolTable base, List<Symbol> more) {
    this.base = base;
    var text = base.first("_stext");
    lower = text.isPresent() && text.get().address() >= 0;
    for (var symbol : more) {
      if (base.named(symbol.name()).isEmpty()
          && byName.putIfAbsent(symbol.name(), symbol) == null) {
        byAddress.putIfAbsent(symbol.address(), symbol);
      }
    }
  }

  @Override
  public Optional<Located> at(long address) {
    var found = base.at(address);
    if (found.isPresent() || (address >= 0 && !lower)) {
      return found;
    }
    var entry = byAddress.floorEntry(address);
    if (entry == null || entry.getValue().kind() == Symbol.Kind.PER_CPU) {
      return Optional.empty();
    }
    long offset = address - entry.getKey();
    long size = entry.getValue().size();
    boolean within =
        size == 0
            ? byAddress.higherKey(address) != null || offset == 0
            : Long.compareUnsigned(offset, size) < 0;
    return within ? Optional.of(new Located(entry.getValue(), offset)) : Optional.empty();
  }

  @Override
  public Optional<Located> perCpuAt(long offset) {
    var found = base.perCpuAt(offset);
    if (found.isPresent()) {
      return found;
    }
    var entry = byAddress.floorEntry(offset);
    boolean within =
        entry != null
            && entry.getValue().kind() == Symbol.Kind.PER_CPU
            && Long.compareUnsigned(offset - entry.getKey(), entry.getValue().size()) < 0;
    return within
        ? Optional.of(new Located(entry.getValue(), offset - entry.getKey()))
        : Optional.empty();
  }

  @Override
  public List<Symbol> named(String name) {
    var found = base.named(name);
    if (!found.isEmpty()) {
      return found;
    }
    int tick = name.indexOf('`');
    var own = name.startsWith("vmlinux`") || name.startsWith("unix`");
    var added = byName.get(own ? name.substring(tick + 1) : name);
    return added == null ? List.of() : List.of(added);
  }

  @Override
  public List<Symbol> exactly(String name) {
    return base.named(name).isEmpty() ? named(name) : base.exactly(name);
  }

  @Override
  public Stream<Symbol> stream() {
    return Stream.concat(base.stream(), byName.values().stream());
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    var names = new TreeSet<>(base.completions(prefix, limit));
    for (var name : byName.keySet()) {
      if (name.startsWith(prefix)) {
        names.add(name);
      }
    }
    return new ArrayList<>(names).subList(0, Math.min(limit, names.size()));
  }
}
