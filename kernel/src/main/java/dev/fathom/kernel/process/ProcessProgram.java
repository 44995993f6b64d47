// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.process;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.kernel.objects.ThreadStorage;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.TypeSystem;
import java.util.Optional;
import java.util.function.LongSupplier;

/** A process's memory, symbols, types and variables of threads. */
record ProcessProgram(
    Architecture architecture,
    AddressSpace memory,
    Memory physical,
    SymbolTable symbols,
    TypeSystem types,
    ThreadStorage storage,
    LongSupplier clock)
    implements Program {
  /** C has it as an {@code int} in each thread (C11, sections 7.5 and 7.1.4). */
  private static final String ERRNO = "errno";

  private static final IntType INT = new IntType("int", 4, true, false);

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
  public Optional<Value> threadLocal(String name, Registers thread) {
    var described = types.inThread(name);
    if (described.isPresent()) {
      var it = described.get();
      return Optional.of(
          new Value.Ref(this, it.type(), threadLocal(it.object(), it.offset(), thread)));
    }
    return storage.named(name).map(found -> undescribed(name, found, thread));
  }

  /** A variable that only a symbol table has. */
  private Value undescribed(String name, ThreadStorage.Found found, Registers thread) {
    long address = threadLocal(found.object().start(), found.offset(), thread);
    var type = name.equals(ERRNO) ? Optional.<CType>of(INT) : types.ofSymbol(name);
    return new Value.Ref(
        this,
        type.orElseThrow(
            () ->
                new EvalException(
                    "the type of '"
                        + name
                        + "' is not known: cast its address, as in *(TYPE *)0x"
                        + Long.toHexString(address))),
        address);
  }

  @Override
  public long threadLocal(long inObject, long offset, Registers thread) {
    return storage.address(inObject, offset, thread);
  }

  @Override
  public long epoch() {
    return clock.getAsLong();
  }
}
