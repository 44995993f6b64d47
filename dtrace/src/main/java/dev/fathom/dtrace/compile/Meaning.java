// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.ir.Builtin;

/** What a name in an expression stands for. */
sealed interface Meaning {
  /** As the resolve pass shows it. */
  String text();

  /**
   * A D variable.
   *
   * @param defines whether this place brings it about
   */
  record Variable(Scope.Declared declared, boolean defines) implements Meaning {
    @Override
    public String text() {
      return switch (declared.scope()) {
            case GLOBAL -> "global";
            case THREAD -> "thread-local";
            case CLAUSE -> "clause-local";
          }
          + (defines ? ", defined here" : "");
    }
  }

  record Inlined(Scope.Inline inline) implements Meaning {
    @Override
    public String text() {
      return "inline";
    }
  }

  /** A parameter of an inline or a translator. */
  record Parameter(String name) implements Meaning {
    @Override
    public String text() {
      return "parameter";
    }
  }

  record BuiltIn(Builtin builtin) implements Meaning {
    @Override
    public String text() {
      return "built-in";
    }
  }

  /** {@code arg0} to {@code arg9}. */
  record Argument(int index) implements Meaning {
    @Override
    public String text() {
      return "argument";
    }
  }

  /** {@code args}. */
  record Arguments() implements Meaning {
    @Override
    public String text() {
      return "typed arguments";
    }
  }

  /** {@code uregs}. */
  record Registers() implements Meaning {
    @Override
    public String text() {
      return "registers";
    }
  }

  record Enumerator(TypeTable.EnumConstant constant) implements Meaning {
    @Override
    public String text() {
      return "enumerator " + constant.value();
    }
  }

  /**
   * A symbol of the kernel.
   *
   * @param name with its module, if one was given
   */
  record KernelSymbol(String name) implements Meaning {
    @Override
    public String text() {
      return "kernel symbol";
    }
  }
}
