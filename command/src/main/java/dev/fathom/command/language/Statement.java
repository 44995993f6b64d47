// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/**
 * One statement.
 *
 * @param stages the pipeline; empty when only an address or count was typed
 * @param tail where the output goes instead of to the user
 */
record Statement(
    Optional<Expr> address, Optional<Expr> count, List<Stage> stages, Optional<Tail> tail) {
  /** One command of a pipeline. */
  sealed interface Stage {}

  /**
   * A format verb: {@code / \ @ ? =}.
   *
   * @param items empty for the default format
   */
  record Verb(char verb, List<FormatItem> items) implements Stage {}

  /** A format verb with a letter that searches ({@code l L M}) or writes ({@code v w z W Z}). */
  record Cells(char verb, char letter, List<Arg> arguments) implements Stage {}

  /** A command by name. */
  record Run(Grammar grammar, String name, List<Arg> arguments) implements Stage {}

  /** An argument before its expression is evaluated. */
  sealed interface Arg {}

  record WordArg(String text) implements Arg {}

  record ExprArg(Expr expression) implements Arg {}

  /** A piece of a format. */
  sealed interface FormatItem {}

  record FormatChar(char character) implements FormatItem {}

  record FormatCount(Expr count) implements FormatItem {}

  record FormatText(String text) implements FormatItem {}

  /** Where output goes. */
  sealed interface Tail {}

  /** To a shell command's standard input. */
  record ToShell(String command) implements Tail {}

  /** To a file. */
  record ToFile(String path, boolean append) implements Tail {}
}
