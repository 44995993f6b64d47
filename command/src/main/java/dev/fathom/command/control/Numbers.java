// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;

/** Numbers as gdb's users and mdb's ids have them. */
final class Numbers {
  private Numbers() {}

  /** A decimal number. */
  static long decimal(Argument argument) {
    return switch (argument) {
      case Argument.Number number -> number.value();
      case Argument.Word word -> decimal(word.text());
    };
  }

  /** A decimal number. */
  static long decimal(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException _) {
      throw new UsageException("'" + text + "' is not a number");
    }
  }
}
