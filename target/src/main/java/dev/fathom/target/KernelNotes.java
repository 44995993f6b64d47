// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.util.Optional;

/** What the writer of a dump noted about the kernel. */
public non-sealed interface KernelNotes extends Capability {
  /** The VMCOREINFO text. */
  Optional<byte[]> vmcoreinfo();

  /** {@code phys_base} as a kdump sub-header states it; often 0 when the writer did not know it. */
  java.util.OptionalLong physBase();

  /**
   * The CPUs' notes as they stand in the dump: a little-endian region of ELF notes, padded to 4
   * bytes; empty when there are none, or when they are known in another form only.
   */
  default byte[] cpuNotes() {
    return new byte[0];
  }

  /** The kernel release in the header's utsname. */
  Optional<String> release();
}
