// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.util.Map;

/**
 * The rules that hold for a stretch of a function's code.
 *
 * @param start the first address, as linked
 * @param end the address behind the last
 * @param rules by DWARF number; a register that is not named is unspecified
 * @param returnAddress the number of the column that holds the return address
 * @param signed whether the return address was signed (AArch64's pointer authentication)
 * @param signalFrame whether the caller was interrupted and did not call (augmentation {@code S})
 */
public record CfiRow(
    long start,
    long end,
    Cfa cfa,
    Map<Integer, CfiRule> rules,
    int returnAddress,
    boolean signed,
    boolean signalFrame) {
  /** How the canonical frame address is found. */
  public sealed interface Cfa {
    /** A register's value plus {@code offset}. */
    record RegisterOffset(int register, long offset) implements Cfa {}

    /** What the expression says. */
    record Computed(DwarfExpression expression) implements Cfa {}

    /** No rule was given. */
    record Unknown() implements Cfa {}
  }

  public CfiRow {
    rules = Map.copyOf(rules);
  }

  /** The rule for a register. */
  public CfiRule rule(int register) {
    return rules.getOrDefault(register, new CfiRule.Unspecified());
  }
}
