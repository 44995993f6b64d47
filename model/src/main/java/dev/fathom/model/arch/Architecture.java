// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import dev.fathom.model.Layout;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.Registers;
import java.util.Optional;

/** The facts of one CPU architecture. */
public interface Architecture {
  /** Lower-case name as in Linux's {@code uname -m}: {@code x86_64}, {@code aarch64}. */
  String name();

  Layout layout();

  RegisterFile registers();

  /** A new decoder of instruction lengths and branches. */
  FlowDecoder flowDecoder();

  /**
   * What the instruction at the start of {@code code} does, for instructions that can be carried
   * out exactly; empty for all others.
   *
   * @param code from the instruction's first byte on; may end in the middle of it
   * @param pc its virtual address
   * @param loads what it can load; empty where it may not load or store, other than on the stack
   */
  default Optional<Effect> emulate(
      byte[] code, long pc, Registers registers, Optional<Loads> loads) {
    return Optional.empty();
  }
}
