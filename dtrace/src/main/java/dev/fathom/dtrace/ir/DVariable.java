// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;

/**
 * A D variable of the program.
 *
 * @param id its index in {@link IrProgram#variables()}
 * @param type of its value
 * @param keys empty for a scalar, else the types of an associative array's keys
 */
public record DVariable(int id, String name, Scope scope, IrType type, List<IrType> keys) {
  public enum Scope {
    /** One for all CPUs and threads. */
    GLOBAL(""),
    /** One for each thread, {@code self->}. */
    THREAD("self->"),
    /** One for each firing, shared by its clauses, {@code this->}. */
    CLAUSE("this->");

    private final String prefix;

    Scope(String prefix) {
      this.prefix = prefix;
    }

    public String prefix() {
      return prefix;
    }
  }

  public DVariable {
    keys = List.copyOf(keys);
  }

  /** The name as it is written in D. */
  public String text() {
    return scope.prefix() + name;
  }
}
