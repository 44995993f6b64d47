// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.TypeSystem;

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

  /** Raised by each resume or write; whatever was cached under an older number is stale. */
  long epoch();
}
