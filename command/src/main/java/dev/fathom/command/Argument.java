// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

/** One argument of a command as typed. */
public sealed interface Argument {
  /** A word, its quotes removed. */
  record Word(String text) implements Argument {}

  /** The value of {@code $[expression]}. */
  record Number(long value) implements Argument {}

  /** The argument as text; a number in hexadecimal with {@code 0x}. */
  default String text() {
    return switch (this) {
      case Word word -> word.text();
      case Number number -> "0x" + Long.toHexString(number.value());
    };
  }
}
