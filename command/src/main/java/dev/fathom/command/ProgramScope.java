// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.kernel.Kernel;
import dev.fathom.lang.Scope;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.VoidType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Names in C expressions: variables and functions of the program, registers of one thread. */
public class ProgramScope implements Scope {
  private static final IntType UNSIGNED_LONG = new IntType("unsigned long", 8, false, false);

  private final Kernel kernel;
  private final Supplier<Optional<Registers>> registers;

  /**
   * @param registers what {@code $name} names, asked for when one is needed
   */
  public ProgramScope(Kernel kernel, Supplier<Optional<Registers>> registers) {
    this.kernel = kernel;
    this.registers = registers;
  }

  @Override
  public Program program() {
    return kernel.program();
  }

  @Override
  public Optional<Value> variable(String name) {
    return program().symbols().first(name).map(symbol -> typed(program(), symbol));
  }

  @Override
  public Optional<Value> dollar(String name) {
    return registers
        .get()
        .flatMap(r -> r.file().named(name).map(r::get))
        .filter(OptionalLong::isPresent)
        .map(bits -> number(bits.getAsLong()));
  }

  @Override
  public long perCpu(long offset, int cpu) {
    return kernel
        .perCpu(offset, cpu)
        .orElseThrow(() -> new EvalException("there is no CPU " + cpu));
  }

  /** A number as an expression has it. */
  protected final Value number(long bits) {
    return new Value.Imm(program(), UNSIGNED_LONG, bits);
  }

  private static Value typed(Program program, Symbol symbol) {
    try {
      return program.global(symbol.name());
    } catch (LookupException e) {
      if (symbol.kind() == Symbol.Kind.TEXT) {
        return new Value.Ref(
            program, new FunctionType(() -> VoidType.VOID, List::of, true), symbol.address());
      }
      throw new EvalException(
          "the type of '"
              + symbol.name()
              + "' is not known: cast its address, as in *(TYPE *)0x"
              + Long.toHexString(symbol.address()));
    }
  }
}
