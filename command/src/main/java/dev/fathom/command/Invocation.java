// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.session.Session;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One call of a command: where it is called, with what, and what it may ask of the interpreter.
 * Also takes the remarks of walkers.
 */
public interface Invocation extends Walker.Notes {
  Session session();

  default Kernel kernel() {
    return session().kernel();
  }

  default Program program() {
    return kernel().program();
  }

  /** Variables, settings and the known commands; lives as long as the session. */
  Environment environment();

  /** The command's options and operands. */
  Arguments args();

  /** The arguments before options were looked for, for commands with a grammar of their own. */
  List<Argument> rawArguments();

  /** The current address. */
  long dot();

  /** Whether an address was typed in front or comes through a pipe. */
  boolean hasAddress();

  /**
   * The address in front.
   *
   * @throws dev.fathom.base.UsageException when there is none
   */
  long address();

  /**
   * The address in front or from the pipe as a value: of the type that the command accepts, else as
   * it came; an address that was typed is an immediate {@code uintptr_t}.
   */
  Optional<Value> value();

  /**
   * As {@link #value()}.
   *
   * @throws dev.fathom.base.UsageException when there is none
   */
  Value object();

  /**
   * What comes through the pipe, coerced as {@link #value()}; the address typed in front when there
   * is no pipe; else nothing. Lazy.
   */
  Stream<Value> input();

  /** Whether the input comes from a pipe. */
  boolean piped();

  /** Whether the output goes to another command: then values flow and tables do not. */
  boolean toPipe();

  /** Whether the call is one of several: a count was given or the input comes from a pipe. */
  boolean loop();

  /** Whether the call is not the second or a later one of a loop: tables begin only then. */
  boolean first();

  /**
   * Says that the result is not complete: why it ended early, what had to be left out. The command
   * line counts as failed.
   */
  @Override
  void note(String text);

  /** A remark for the user about a result that is all there. */
  void remark(String text);

  /** A warning for the user. */
  void warn(String text);

  /** An error for the user after which the command goes on; the command line counts as failed. */
  void fail(String text);

  /**
   * Something was left out of the result; shown in sum at the end of the command line, which counts
   * as failed.
   */
  void lost(String what, long count);

  /**
   * To be called in long loops that produce nothing; the interpreter itself asks between items.
   *
   * @throws dev.fathom.base.EvalException when the user asked to stop
   */
  @Override
  void checkInterrupt();

  /**
   * States how many bytes the call covered: {@code +} is that far from dot, and the next call of a
   * loop starts there.
   */
  void advance(long bytes);

  /** Moves dot, once this call is over. */
  void moveDot(long address);

  /** The value of an expression in mdb's language at the current dot. */
  long evaluate(String expression);

  /** The value of an expression in mdb's language at dot {@code at}. */
  long evaluate(String expression, long at);

  /**
   * A number as an option's or operand's argument: as typed, in the current radix, or an
   * expression.
   */
  long number(Argument argument);

  /**
   * Runs {@code text} as if it had been typed. What it produces is returned as it comes; values are
   * shown at once unless {@link #toPipe()}.
   */
  Stream<Item> execute(String text);
}
