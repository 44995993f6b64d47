// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

/**
 * The registers of stopped x86-64 threads in which functions take and return numbers with a
 * fraction.
 */
public non-sealed interface FloatingRegisters extends Capability {
  /** Bytes of a vector register: of wider ones the low half. */
  int VECTOR_BYTES = 16;

  /** Bytes of a number of 80 bits. */
  int FLOATING_BYTES = 10;

  /**
   * XMM0 to XMM15, the least significant byte first.
   *
   * @param cpu a {@link Cpu#id}
   * @throws dev.fathom.base.TargetException when there is no such thread, or it does not stand
   * @throws dev.fathom.base.UnsupportedException when the target does not tell them
   */
  byte[] vector(int cpu, int number);

  /** Sets XMM0 to XMM15; throws as {@link #vector}. */
  void setVector(int cpu, int number, byte[] bytes);

  /** ST0 to ST7 of the x87, the least significant byte first; throws as {@link #vector}. */
  byte[] floating(int cpu, int number);
}
