// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

/** How x86 instructions are spelled; other architectures have one way only. */
public enum Syntax {
  /** {@code movq %rsp, %rbp}: source first, as mdb, crash and the kernel's own sources have it. */
  ATT,
  /** {@code mov rbp, rsp}: destination first, as the processor manuals have it. */
  INTEL
}
