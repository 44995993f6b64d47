// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.orc;

/**
 * The layouts of the bit-fields of an entry (arch/x86/include/asm/orc_types.h), by the first kernel
 * that has each.
 */
public enum OrcLayout {
  /**
   * 4.14 to 4.17: type in bits 8 and 9; an entry without sp_reg ends the stack or says that nothing
   * is known.
   */
  V4_14,
  /** 4.18 to 6.2: type in bits 8 and 9, end in bit 10. */
  V4_18,
  /** 6.3: type in bits 8 and 9, signal in bit 10, end in bit 11. */
  V6_3,
  /** 6.4 and later: type in bits 8 to 10 with new numbers, signal in bit 11. */
  V6_4,
  /** As {@link #V6_4}, with the registers numbered anew; first seen in 7.2. */
  V7_2
}
