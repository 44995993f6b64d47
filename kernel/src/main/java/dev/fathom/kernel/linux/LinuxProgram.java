// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.LookupException;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.symbols.JoinedSymbols;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/** A Linux kernel's memory, symbols and types. */
final class LinuxProgram implements Program {
  private final Machine machine;
  private final AddressSpace memory;
  private final Memory physical;
  private final JoinedSymbols symbols;
  private final TypeSystem types;
  private final LongSupplier epoch;
  private PerCpu perCpu;

  LinuxProgram(
      Machine machine,
      AddressSpace memory,
      Memory physical,
      JoinedSymbols symbols,
      TypeSystem types,
      LongSupplier epoch) {
    this.machine = machine;
    this.memory = memory;
    this.physical = physical;
    this.symbols = symbols;
    this.types = types;
    this.epoch = epoch;
  }

  /** Modules and CPUs may be others now. */
  void forget() {
    symbols.forget();
    types.forget();
    perCpu = null;
  }

  /** What is particular to its architecture. */
  Machine machine() {
    return machine;
  }

  @Override
  public Architecture architecture() {
    return machine.architecture();
  }

  @Override
  public AddressSpace memory() {
    return memory;
  }

  @Override
  public Memory physical() {
    return physical;
  }

  @Override
  public SymbolTable symbols() {
    return symbols;
  }

  @Override
  public TypeSystem types() {
    return types;
  }

  /** The kernel's CPUs and where each keeps its variables; read when first asked for. */
  PerCpu perCpu() {
    if (perCpu == null) {
      perCpu = PerCpu.of(this);
    }
    return perCpu;
  }

  /** As the interface says; a per-CPU variable is the first CPU's. */
  @Override
  public Value global(String name) {
    return global(symbols.first(name).orElseThrow(() -> new LookupException("symbol", name)));
  }

  @Override
  public Value global(Symbol symbol) {
    var type =
        typeOf(symbol)
            .orElseThrow(() -> new LookupException("type of the variable", symbol.name()));
    long address =
        symbol.kind() == Symbol.Kind.PER_CPU
            ? symbol.address() + perCpu().firstOffset()
            : symbol.address();
    return new Value.Ref(this, type, address);
  }

  @Override
  public long epoch() {
    return epoch.getAsLong();
  }

  /** The kernel's own symbols, without its modules'. */
  SymbolTable ownSymbols() {
    return symbols.kernel();
  }

  private Optional<CType> typeOf(Symbol symbol) {
    var known =
        symbol.kind() == Symbol.Kind.PER_CPU
            ? types.ofSymbol(symbol.name())
            : types.ofSymbol(symbol.name(), symbol.address());
    if (known.isPresent()) {
      return known;
    }
    var stated = Globals.typeOf(symbol.name());
    if (stated.isEmpty()) {
      return Optional.empty();
    }
    var text = stated.get();
    if (!text.endsWith("[]")) {
      return Optional.of(types.parse(text));
    }
    var element = types.parse(text.substring(0, text.length() - 2).strip());
    long count = element.bytes() == 0 ? 0 : symbol.size() / element.bytes();
    return Optional.of(types.arrayOf(element, count));
  }

  /** The address of the kernel's own symbol {@code name}. */
  OptionalLong address(String name) {
    var symbol = symbols.kernel().first(name);
    return symbol.isPresent() ? OptionalLong.of(symbol.get().address()) : OptionalLong.empty();
  }

  /**
   * The address of the kernel's own symbol {@code name}.
   *
   * @throws LookupException when this kernel has none
   */
  long needAddress(String name) {
    return symbols
        .kernel()
        .first(name)
        .orElseThrow(() -> new LookupException("symbol", name))
        .address();
  }
}
