// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import dev.fathom.model.Layout;
import dev.fathom.model.RegisterFile;

/** The facts of one CPU architecture. */
public interface Architecture {
  /** Lower-case name as in Linux's {@code uname -m}: {@code x86_64}, {@code aarch64}. */
  String name();

  Layout layout();

  RegisterFile registers();

  /** A new decoder of instruction lengths and branches. */
  FlowDecoder flowDecoder();
}
