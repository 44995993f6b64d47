// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.Memory;
import java.util.List;
import java.util.Optional;

/** The machine's memory by physical address. */
public non-sealed interface PhysicalMemory extends Capability, Memory {
  /** The ranges that may hold memory, ascending; single pages in them may be missing. */
  List<Range> ranges();

  /** Where there is no memory, it says where the nearest is. */
  @Override
  default FaultException fault(long address) {
    FaultException fault = Memory.super.fault(address);
    if (fault.reason() != Readability.UNMAPPED) {
      return fault;
    }
    Optional<Range> below = Optional.empty();
    Optional<Range> above = Optional.empty();
    for (Range range : ranges()) {
      if (range.contains(address)) {
        return fault;
      }
      if (Long.compareUnsigned(range.start(), address) < 0) {
        below = Optional.of(range);
      } else if (above.isEmpty()) {
        above = Optional.of(range);
      }
    }
    var near = new StringBuilder();
    below.ifPresent(range -> near.append(" below it at ").append(text(range)));
    above.ifPresent(
        range ->
            near.append(near.isEmpty() ? "" : ",").append(" above it at ").append(text(range)));
    return near.isEmpty()
        ? fault
        : new FaultException(
            fault.space(),
            address,
            Readability.UNMAPPED,
            "not RAM but a device's registers, or nothing; RAM is" + near);
  }

  private static String text(Range range) {
    return "0x" + Long.toHexString(range.start()) + "-0x" + Long.toHexString(range.end() - 1);
  }
}
