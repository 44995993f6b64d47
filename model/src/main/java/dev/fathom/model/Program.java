// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.base.EvalException;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.TypeSystem;
import java.util.Optional;

/**
 * Everything needed to make sense of a target's memory: address space, symbols, types, CPU facts.
 */
public interface Program {
  Architecture architecture();

  /** The kernel's virtual address space. */
  AddressSpace memory();

  Memory physical();

  SymbolTable symbols();

  TypeSystem types();

  /**
   * The variable called {@code name}, typed by debug information or, where there is none, by what
   * the kernel model knows.
   *
   * @throws dev.fathom.base.LookupException when there is no such symbol or its type is not known
   */
  Value global(String name);

  /**
   * The variable with a symbol, which need not be the first of its name.
   *
   * @throws dev.fathom.base.LookupException when its type is not known
   */
  default Value global(Symbol symbol) {
    return global(symbol.qualified());
  }

  /**
   * The variable of that name of which each thread has its own, in one thread.
   *
   * @param thread registers of the thread
   * @throws dev.fathom.base.EvalException when there is such a variable but it cannot be shown
   */
  default Optional<Value> threadLocal(String name, Registers thread) {
    return Optional.empty();
  }

  /**
   * Where in a thread's storage something is.
   *
   * @param inObject an address in the object whose storage it is
   * @param offset its place in that
   * @throws EvalException when that cannot be told
   */
  default long threadLocal(long inObject, long offset, Registers thread) {
    throw new EvalException("thread-local variables are those of processes");
  }

  /** Raised by each resume or write; whatever was cached under an older number is stale. */
  long epoch();
}
