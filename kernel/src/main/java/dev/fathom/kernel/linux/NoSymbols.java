// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The symbols of a kernel that carries none. */
final class NoSymbols implements SymbolTable {
  @Override
  public Optional<Located> at(long address) {
    return Optional.empty();
  }

  @Override
  public List<Symbol> named(String name) {
    return List.of();
  }

  @Override
  public Optional<Symbol> first(String name) {
    return Optional.empty();
  }

  @Override
  public Stream<Symbol> stream() {
    return Stream.empty();
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    return List.of();
  }
}
