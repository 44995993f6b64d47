// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

/** Why a clause was given up, with D's number for it ({@code arg4} of {@code ERROR}). */
public enum FaultKind {
  UNKNOWN(0, "unknown"),
  BAD_ADDRESS(1, "invalid address"),
  BAD_ALIGNMENT(2, "invalid alignment"),
  ILLEGAL_OPERATION(3, "illegal operation"),
  DIVIDE_BY_ZERO(4, "divide-by-zero"),
  NO_SCRATCH(5, "out of scratch space"),
  KERNEL_PRIVILEGE(6, "invalid kernel access"),
  USER_PRIVILEGE(7, "invalid user access"),
  TUPLE_OVERFLOW(8, "tuple stack overflow"),
  BAD_STACK(9, "bad stack"),
  BAD_SIZE(10, "invalid size"),
  BAD_INDEX(11, "index out of bounds");

  private final int number;
  private final String text;

  FaultKind(int number, String text) {
    this.number = number;
    this.text = text;
  }

  public int number() {
    return number;
  }

  /** As DTrace words it. */
  public String text() {
    return text;
  }

  /** Whether the fault's value is an address, which is shown with it. */
  public boolean hasAddress() {
    return this == BAD_ADDRESS || this == BAD_ALIGNMENT || this == BAD_STACK;
  }
}
