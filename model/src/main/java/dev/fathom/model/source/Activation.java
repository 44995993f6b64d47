// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.source;

import dev.fathom.model.type.CType;
import java.util.List;
import java.util.Optional;

/** A function at work at an address: the one that the code belongs to, or one inlined into it. */
public interface Activation {
  /** Its name as the source has it, or its symbol; {@code ??} where it has none. */
  String function();

  /** What it takes and returns; empty where that cannot be told. */
  default Optional<CType> type() {
    return Optional.empty();
  }

  /** Whether it was inlined: it has no stack frame of its own, but that of the next one out. */
  boolean inlined();

  /**
   * Where it stands: for the innermost the line of the address, for others that of the call which
   * was inlined.
   */
  Optional<SourceLine> line();

  /** The first address of its code. */
  long entry();

  /** Its parameters, in order. */
  List<Variable> parameters();

  /**
   * The variable of that name that is declared outside of functions in the same source file, or in
   * what that includes: in the function the name means this one, whatever others have the name.
   * Empty where the file has none, or does not say where it is.
   */
  Optional<Variable> ofFile(String name);

  /** Its variables that are in scope at the address, those of the innermost block first. */
  List<Variable> locals();
}
