// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.process;

import dev.fathom.base.LookupException;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.TypeSystem;
import java.util.function.LongSupplier;

/** A process's memory, symbols and types. */
record ProcessProgram(
    Architecture architecture,
    AddressSpace memory,
    Memory physical,
    SymbolTable symbols,
    TypeSystem types,
    LongSupplier clock)
    implements Program {
  @Override
  public Value global(String name) {
    return global(symbols.first(name).orElseThrow(() -> new LookupException("symbol", name)));
  }

  @Override
  public Value global(Symbol symbol) {
    var type =
        types
            .ofSymbol(symbol.name(), symbol.address())
            .orElseThrow(() -> new LookupException("type of the variable", symbol.name()));
    return new Value.Ref(this, types.bounded(type, symbol.size()), symbol.address());
  }

  @Override
  public long epoch() {
    return clock.getAsLong();
  }
}
