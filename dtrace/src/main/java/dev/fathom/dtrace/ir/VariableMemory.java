// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.OptionalInt;

/**
 * Kernel addresses that stand for what is in D's global arrays and structures: {@code &a[1]}. They
 * are in no kernel's address space.
 */
public final class VariableMemory {
  private static final long START = 0x5fa1_0000_0000_0000L;

  /** Bits of the offset in a variable; more than the largest has. */
  private static final int OFFSET_BITS = 32;

  private VariableMemory() {}

  /** Where a variable begins. */
  public static long address(int variable) {
    return START + ((long) variable << OFFSET_BITS);
  }

  /**
   * The variable at an address.
   *
   * @param count how many variables there are
   */
  public static OptionalInt variable(long address, int count) {
    long number = (address - START) >> OFFSET_BITS;
    return number >= 0 && number < count ? OptionalInt.of((int) number) : OptionalInt.empty();
  }

  /** The offset in its variable. */
  public static long offset(long address) {
    return (address - START) & ((1L << OFFSET_BITS) - 1);
  }
}
