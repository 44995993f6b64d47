// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;
import java.util.Optional;

/** What is done at the probe. */
public sealed interface Stmt {
  /** Evaluates for the effect on variables or scratch memory. */
  record Evaluate(Expr expression) implements Stmt {}

  record If(Expr test, List<Stmt> yes, List<Stmt> no) implements Stmt {
    public If {
      yes = List.copyOf(yes);
      no = List.copyOf(no);
    }
  }

  /**
   * Adds the values to the firing's record, for the clause's action of that number.
   *
   * @param action index into {@link Clause#actions()}
   * @param values as many as {@link Action#shapes()}, of their types
   */
  record Emit(int action, List<Expr> values) implements Stmt {
    public Emit {
      values = List.copyOf(values);
    }
  }

  /**
   * Feeds an aggregation.
   *
   * @param value absent for {@code count()} alone
   * @param increment the weight of {@code quantize} and its like; absent means 1
   */
  record Aggregate(int aggregation, List<Expr> keys, Optional<Expr> value, Optional<Expr> increment)
      implements Stmt {
    public Aggregate {
      keys = List.copyOf(keys);
    }
  }

  /** From here on the clause's record belongs to that speculation. */
  record Speculate(Expr id) implements Stmt {}

  /** Frees the speculation and emits the {@link Action.Commit} or {@link Action.Discard}. */
  record EndSpeculation(int action, Expr id) implements Stmt {}

  /** Emits the {@link Action.Exit} and lets no probe but {@code END} fire from here on. */
  record Exit(int action, Expr status) implements Stmt {}

  enum Destruction {
    /** Signal number. */
    RAISE("raise", 1),
    STOP("stop", 0),
    BREAKPOINT("breakpoint", 0),
    PANIC("panic", 0),
    /** Nanoseconds. */
    CHILL("chill", 1),
    /** The value that the probed function returns instead of running. */
    RETURN("return", 1);

    private final String text;
    private final int parameters;

    Destruction(String text, int parameters) {
      this.text = text;
      this.parameters = parameters;
    }

    public String text() {
      return text;
    }

    public int parameters() {
      return parameters;
    }
  }

  /** Changes the target, which only {@code -w} allows. */
  record Destroy(Destruction what, List<Expr> arguments) implements Stmt {
    public Destroy {
      arguments = List.copyOf(arguments);
    }
  }
}
