// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Names for addresses. */
public interface SymbolTable {
  /** The symbol that contains {@code address}. */
  Optional<Located> at(long address);

  /** The per-CPU variable that contains {@code offset} bytes into each CPU's area. */
  default Optional<Located> perCpuAt(long offset) {
    return Optional.empty();
  }

  /**
   * Every symbol of that name, the kernel's own first. {@code module`name} asks for one module's
   * (the kernel's own is {@code vmlinux} or, as mdb users type it, {@code unix}).
   */
  List<Symbol> named(String name);

  /**
   * Those of {@link #named} whose name is {@code name} with all that it is in: not, for {@code
   * base}, what a namespace or class of C++ has under that name.
   */
  default List<Symbol> exactly(String name) {
    return named(name);
  }

  /** All symbols, in no particular order. */
  Stream<Symbol> stream();

  /** Up to {@code limit} names that start with {@code prefix}, for completion, in order. */
  List<String> completions(String prefix, int limit);

  /** The first symbol named {@code name}; of one table one of {@link #exactly} if it has any. */
  default Optional<Symbol> first(String name) {
    var found = named(name);
    return found.isEmpty() ? Optional.empty() : Optional.of(found.getFirst());
  }

  /** {@code symbol+offset} or, without a symbol, {@code 0x…}. */
  default String text(long address) {
    return at(address).map(Located::text).orElseGet(() -> "0x" + Long.toHexString(address));
  }
}
