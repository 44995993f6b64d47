// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A handful of symbols. */
record FixtureSymbols(List<Symbol> symbols) implements SymbolTable {
  @Override
  public Optional<Located> at(long address) {
    return symbols.stream()
        .filter(s -> Long.compareUnsigned(address - s.address(), Math.max(1, s.size())) < 0)
        .findFirst()
        .map(s -> new Located(s, address - s.address()));
  }

  @Override
  public Optional<Located> perCpuAt(long offset) {
    return symbols.stream()
        .filter(s -> s.kind() == Symbol.Kind.PER_CPU)
        .filter(s -> Long.compareUnsigned(offset - s.address(), s.size()) < 0)
        .findFirst()
        .map(s -> new Located(s, offset - s.address()));
  }

  @Override
  public List<Symbol> named(String name) {
    int quote = name.lastIndexOf('`');
    var bare = name.substring(quote + 1);
    var module = quote < 0 ? "" : name.substring(0, quote);
    boolean kernel = module.equals("vmlinux") || module.equals("unix");
    return symbols.stream()
        .filter(s -> s.name().equals(bare))
        .filter(s -> quote < 0 || s.module().equals(kernel ? "" : module))
        .toList();
  }

  @Override
  public Stream<Symbol> stream() {
    return symbols.stream();
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    return symbols.stream()
        .map(Symbol::name)
        .filter(name -> name.startsWith(prefix))
        .sorted()
        .limit(limit)
        .toList();
  }
}
