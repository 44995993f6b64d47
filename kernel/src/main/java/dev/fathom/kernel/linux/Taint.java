// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

/**
 * {@code tainted_mask} in words (include/linux/panic.h TAINT_*, before 5.11 kernel.h; the letters
 * of kernel/panic.c {@code taint_flags}). Bits were only ever added.
 */
final class Taint {
  /** The letter of each bit; bit 0 has {@code G} when it is clear. */
  private static final String LETTERS = "PFSRMBUDAWCIOELKXTNJ";

  private Taint() {}

  /** The letters as the kernel's own messages show them, without blanks; empty for none. */
  static String letters(long mask) {
    var text = new StringBuilder();
    for (int bit = 0; bit < LETTERS.length(); bit++) {
      if ((mask >>> bit & 1) != 0) {
        text.append(LETTERS.charAt(bit));
      } else if (bit == 0 && mask != 0) {
        text.append('G');
      }
    }
    return text.toString();
  }
}
