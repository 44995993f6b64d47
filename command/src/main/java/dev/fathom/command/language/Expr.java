// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

/** An expression of mdb's language. */
sealed interface Expr {
  /** A number whose base was stated, or a character constant. */
  record Number(long value) implements Expr {}

  /**
   * A word of hexadecimal digits: a number in the current radix or, when it begins with a letter
   * and there is a symbol of that name, that symbol.
   */
  record Digits(String text) implements Expr {}

  /** A symbol, perhaps qualified as {@code object`symbol}. */
  record Name(String text) implements Expr {}

  /** {@code symbol:3}: a per-CPU variable's instance for a CPU. */
  record PerCpu(String variable, int cpu) implements Expr {}

  /** {@code <name}. */
  record Variable(String name) implements Expr {}

  /** {@code .}. */
  record Dot() implements Expr {}

  /** {@code +}: dot plus the increment. */
  record Next() implements Expr {}

  /** {@code ^}: dot minus the increment. */
  record Previous() implements Expr {}

  /** {@code &}: the address used last. */
  record LastAddress() implements Expr {}

  /**
   * What stands in memory at {@code address}.
   *
   * @param size in bytes; 0 for a pointer
   */
  record Load(Expr address, int size) implements Expr {}

  record Unary(UnaryOperator operator, Expr operand) implements Expr {}

  record Binary(BinaryOperator operator, Expr left, Expr right) implements Expr {}

  enum UnaryOperator {
    NEGATE,
    COMPLEMENT,
    NOT
  }

  /** Lowest first; {@code level} grows with how tightly an operator binds. */
  enum BinaryOperator {
    OR("|", 1),
    XOR("^", 2),
    AND("&", 3),
    EQUAL("==", 4),
    UNEQUAL("!=", 4),
    SHIFT_LEFT("<<", 5),
    SHIFT_RIGHT(">>", 5),
    ADD("+", 6),
    SUBTRACT("-", 6),
    MULTIPLY("*", 7),
    DIVIDE("%", 7),
    ROUND_UP("#", 7),
    MODULO("%%", 8);

    private final String token;
    private final int level;

    BinaryOperator(String token, int level) {
      this.token = token;
      this.level = level;
    }

    String token() {
      return token;
    }

    int level() {
      return level;
    }
  }
}
