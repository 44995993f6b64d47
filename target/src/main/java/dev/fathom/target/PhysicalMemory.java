// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.base.Range;
import dev.fathom.model.Memory;
import java.util.List;

/** The machine's memory by physical address. */
public non-sealed interface PhysicalMemory extends Capability, Memory {
  /** The ranges that may hold memory, ascending; single pages in them may be missing. */
  List<Range> ranges();
}
