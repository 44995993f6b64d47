// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.command.Environment;
import dev.fathom.kernel.Kernel;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Computes expressions. All numbers are unsigned 64-bit ones; only {@code %} divides as signed
 * numbers, as mdb does.
 */
final class Evaluator {
  private final Kernel kernel;
  private final Program program;
  private final Environment environment;
  private final Position position;
  private final Consumer<String> perCpuNames;

  /**
   * @param perCpuNames told of per-CPU variables that are named without a CPU
   */
  Evaluator(
      Kernel kernel, Environment environment, Position position, Consumer<String> perCpuNames) {
    this.kernel = kernel;
    this.program = kernel.program();
    this.environment = environment;
    this.position = position;
    this.perCpuNames = perCpuNames;
  }

  long evaluate(Expr expression) {
    return switch (expression) {
      case Expr.Number n -> n.value();
      case Expr.Digits d -> digits(d.text());
      case Expr.Name n -> symbol(n.text()).orElseThrow(() -> unknownSymbol(n.text()));
      case Expr.PerCpu p -> perCpu(p.variable(), p.cpu());
      case Expr.Variable v -> environment.variables().get(v.name());
      case Expr.Dot _ -> position.dot();
      case Expr.Next _ -> next();
      case Expr.Previous _ -> previous();
      case Expr.LastAddress _ -> position.lastAddress();
      case Expr.Load l -> load(evaluate(l.address()), l.size());
      case Expr.Unary u -> {
        long value = evaluate(u.operand());
        yield switch (u.operator()) {
          case NEGATE -> -value;
          case COMPLEMENT -> ~value;
          case NOT -> value == 0 ? 1 : 0;
        };
      }
      case Expr.Binary b -> binary(b.operator(), evaluate(b.left()), evaluate(b.right()));
    };
  }

  private long next() {
    long result = position.dot() + position.increment();
    if (Long.compareUnsigned(result, position.dot()) < 0) {
      throw new EvalException("'+' would cause '.' to overflow");
    }
    return result;
  }

  private long previous() {
    if (Long.compareUnsigned(position.increment(), position.dot()) > 0) {
      throw new EvalException("'^' would cause '.' to underflow");
    }
    return position.dot() - position.increment();
  }

  private long digits(String text) {
    if (text.charAt(0) > '9') {
      var symbol = symbol(text);
      if (symbol.isPresent()) {
        return symbol.getAsLong();
      }
    }
    return parseNumber(text, environment.settings().radix());
  }

  private OptionalLong symbol(String name) {
    var found = program.symbols().first(name);
    if (found.isEmpty()) {
      return OptionalLong.empty();
    }
    if (found.get().kind() == Symbol.Kind.PER_CPU) {
      perCpuNames.accept(name);
    }
    return OptionalLong.of(found.get().address());
  }

  private EvalException unknownSymbol(String name) {
    return new EvalException(
        "failed to dereference symbol '"
            + name
            + "': unknown symbol name"
            + NearMisses.exact(environment, name));
  }

  private long perCpu(String name, int cpu) {
    var symbol = program.symbols().first(name).orElseThrow(() -> unknownSymbol(name));
    if (symbol.kind() != Symbol.Kind.PER_CPU) {
      throw new EvalException("'" + name + "' is not a per-CPU variable");
    }
    return kernel
        .perCpu(symbol.address(), cpu)
        .orElseThrow(() -> new EvalException("there is no CPU " + cpu));
  }

  private long load(long address, int size) {
    try {
      return program
          .memory()
          .unsigned(address, size == 0 ? program.memory().layout().wordBytes() : size);
    } catch (FaultException e) {
      throw new EvalException(
          "failed to dereference symbol: "
              + e.reason().text()
              + " 0x"
              + Long.toHexString(e.address()));
    }
  }

  private static long binary(Expr.BinaryOperator operator, long left, long right) {
    return switch (operator) {
      case OR -> left | right;
      case XOR -> left ^ right;
      case AND -> left & right;
      case EQUAL -> left == right ? 1 : 0;
      case UNEQUAL -> left != right ? 1 : 0;
      case SHIFT_LEFT -> Long.compareUnsigned(right, 63) > 0 ? 0 : left << (int) right;
      case SHIFT_RIGHT -> Long.compareUnsigned(right, 63) > 0 ? 0 : left >>> (int) right;
      case ADD -> left + right;
      case SUBTRACT -> left - right;
      case MULTIPLY -> left * right;
      case DIVIDE -> {
        checkDivisor(right);
        if (left == Long.MIN_VALUE && right == -1) {
          throw new EvalException("divide overflow");
        }
        yield left / right;
      }
      case MODULO -> {
        checkDivisor(right);
        yield Long.remainderUnsigned(left, right);
      }
      case ROUND_UP -> {
        checkDivisor(right);
        long above = Long.remainderUnsigned(left, right);
        yield above == 0 ? left : left - above + right;
      }
    };
  }

  private static void checkDivisor(long divisor) {
    if (divisor == 0) {
      throw new EvalException("attempted to divide by zero");
    }
  }

  /**
   * An unsigned 64-bit number.
   *
   * @throws EvalException for a digit that the base does not have, and for more than 64 bits
   */
  static long parseNumber(String digits, int base) {
    for (int i = 0; i < digits.length(); i++) {
      if (Character.digit(digits.charAt(i), base) < 0) {
        throw new EvalException(
            "invalid digit '" + digits.charAt(i) + "' in base " + base + " number: " + digits);
      }
    }
    try {
      return Long.parseUnsignedLong(digits, base);
    } catch (NumberFormatException e) {
      throw new EvalException("number is larger than 64 bits: " + digits);
    }
  }
}
