// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.util.List;

/**
 * A stub's registers.
 *
 * @param architecture as gdb's BFD names it, {@code i386:x86-64}; empty where the stub does not say
 * @param registers ascending by number
 */
record Description(String architecture, List<Entry> registers) {
  /**
   * One register.
   *
   * @param number what {@code p} and {@code P} take
   * @param bits its width
   * @param type a name of gdb's: {@code int64}, {@code data_ptr}, {@code vec128}; may be empty
   * @param group {@code general}, {@code vector}, ... as the stub sorts it; may be empty
   */
  record Entry(String name, int number, int bits, String type, String group) {
    int bytes() {
      return (bits + 7) / 8;
    }
  }

  Description {
    registers = List.copyOf(registers);
  }
}
