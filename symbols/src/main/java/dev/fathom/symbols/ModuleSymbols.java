// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.base.Range;
import dev.fathom.format.kallsyms.ModuleKallsyms;
import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The symbols of one loaded Linux module. A symbol without a size ends where the next one or the
 * range begins to end.
 */
public final class ModuleSymbols implements SymbolTable {
  private final String module;
  private final List<Range> ranges;

  /** By address, without the marks of assembler and linker. */
  private final Symbol[] sorted;

  private final Map<String, List<Symbol>> names;

  private ModuleSymbols(
      String module, List<Range> ranges, Symbol[] sorted, Map<String, List<Symbol>> names) {
    this.module = module;
    this.ranges = ranges;
    this.sorted = sorted;
    this.names = names;
  }

  /**
   * @param module the module's name
   * @param ranges the virtual addresses that the module takes; a symbol outside them is the offset
   *     of a per-CPU variable
   */
  public static ModuleSymbols of(String module, List<Range> ranges, ModuleKallsyms table) {
    var proper = new ArrayList<Symbol>(table.count());
    var marks = new ArrayList<Symbol>();
    for (int i = 0; i < table.count(); i++) {
      var symbol = symbol(module, ranges, table, i);
      (table.isMark(i) ? marks : proper).add(symbol);
    }
    proper.sort((a, b) -> Long.compareUnsigned(a.address(), b.address()));
    var sorted = proper.toArray(Symbol[]::new);
    for (int i = 0; i < sorted.length; i++) {
      if (sorted[i].size() == 0) {
        var s = sorted[i];
        long end = endOf(sorted, i, ranges);
        sorted[i] =
            new Symbol(s.name(), s.address(), end - s.address(), s.kind(), s.letter(), module);
      }
    }
    var names = new HashMap<String, List<Symbol>>();
    for (var symbol : sorted) {
      names.computeIfAbsent(symbol.name(), _ -> new ArrayList<>(1)).add(symbol);
    }
    for (var symbol : marks) {
      names.computeIfAbsent(symbol.name(), _ -> new ArrayList<>(1)).add(symbol);
    }
    return new ModuleSymbols(module, List.copyOf(ranges), sorted, names);
  }

  private static Symbol symbol(String module, List<Range> ranges, ModuleKallsyms table, int i) {
    long address = table.address(i);
    char letter = table.type(i);
    boolean inside = false;
    for (var range : ranges) {
      inside |= range.contains(address);
    }
    var kind =
        switch (letter) {
          case 't', 'T', 'w', 'W' -> Symbol.Kind.TEXT;
          case 'a', 'A' -> inside ? Symbol.Kind.DATA : Symbol.Kind.ABSOLUTE;
          default -> inside ? Symbol.Kind.DATA : Symbol.Kind.PER_CPU;
        };
    return new Symbol(table.name(i), address, table.size(i), kind, letter, module);
  }

  /**
   * Where symbol {@code i}, which has no size, ends: at the next higher address or at the end of
   * its range.
   */
  private static long endOf(Symbol[] sorted, int i, List<Range> ranges) {
    long address = sorted[i].address();
    for (var range : ranges) {
      if (range.contains(address)) {
        for (int next = i + 1;
            next < sorted.length && range.contains(sorted[next].address());
            next++) {
          if (sorted[next].address() != address) {
            return sorted[next].address();
          }
        }
        return range.end();
      }
    }
    return address;
  }

  public String module() {
    return module;
  }

  /** The virtual addresses that the module takes. */
  public List<Range> ranges() {
    return ranges;
  }

  /**
   * The symbol that contains {@code address}; in the gap behind a symbol's end still that symbol,
   * as the kernel does.
   */
  @Override
  public Optional<Located> at(long address) {
    for (var range : ranges) {
      if (range.contains(address)) {
        return at(address, range);
      }
    }
    return Optional.empty();
  }

  private Optional<Located> at(long address, Range range) {
    int low = 0;
    int high = sorted.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(sorted[middle].address(), address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    while (high > 0 && sorted[high - 1].address() == sorted[high].address()) {
      high--;
    }
    return high < 0 || !range.contains(sorted[high].address())
        ? Optional.empty()
        : Optional.of(new Located(sorted[high], address - sorted[high].address()));
  }

  /** The per-CPU variable around an offset; what is behind its end is another module's. */
  @Override
  public Optional<Located> perCpuAt(long offset) {
    for (var symbol : sorted) {
      if (symbol.kind() == Symbol.Kind.PER_CPU
          && Long.compareUnsigned(offset - symbol.address(), symbol.size()) < 0) {
        return Optional.of(new Located(symbol, offset - symbol.address()));
      }
    }
    return Optional.empty();
  }

  @Override
  public List<Symbol> named(String name) {
    int tick = name.indexOf('`');
    if (tick >= 0 && !name.substring(0, tick).equals(module)) {
      return List.of();
    }
    return List.copyOf(names.getOrDefault(name.substring(tick + 1), List.of()));
  }

  @Override
  public Stream<Symbol> stream() {
    return names.values().stream().flatMap(List::stream);
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    var found = new TreeSet<String>();
    for (var name : names.keySet()) {
      if (name.startsWith(prefix)) {
        found.add(name);
      }
    }
    return found.stream().limit(limit).toList();
  }
}
