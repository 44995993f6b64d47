// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.base.Range;
import dev.fathom.model.Memory;
import java.util.List;

/**
 * Memory by virtual address as the target itself states it: /proc/vmcore's program headers, a
 * process, a gdb stub.
 */
public non-sealed interface VirtualMemory extends Capability, Memory {
  /** A run of virtual addresses backed by consecutive physical ones. */
  record Segment(Range virtual, long physical) {}

  List<Segment> segments();
}
