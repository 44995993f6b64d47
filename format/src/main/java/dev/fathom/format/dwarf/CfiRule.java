// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

/** How a register of the caller is found (DWARF 5, section 6.4.1). */
public sealed interface CfiRule {
  /** Nothing is said of it. */
  record Unspecified() implements CfiRule {}

  /** Its value is lost. */
  record Undefined() implements CfiRule {}

  /** It was not changed. */
  record SameValue() implements CfiRule {}

  /** It was saved in memory at CFA + {@code offset}. */
  record Offset(long offset) implements CfiRule {}

  /** It is CFA + {@code offset}. */
  record ValOffset(long offset) implements CfiRule {}

  /** It is in another register, by DWARF number. */
  record InRegister(int number) implements CfiRule {}

  /** It was saved in memory where the expression says; the CFA is on its stack at the start. */
  record AtExpression(DwarfExpression expression) implements CfiRule {}

  /** It is what the expression says. */
  record ValExpression(DwarfExpression expression) implements CfiRule {}
}
