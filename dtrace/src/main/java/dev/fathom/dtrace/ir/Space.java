// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

/** Which memory an address belongs to. */
public enum Space {
  /**
   * The kernel's; also scratch memory ({@link Expr.Load}), which has addresses of its own there.
   */
  KERNEL,
  /** That of the process that is on the CPU. */
  USER
}
