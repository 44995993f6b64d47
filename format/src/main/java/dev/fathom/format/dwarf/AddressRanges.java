// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code .debug_aranges}: which unit's code is where (DWARF 5, section 6.1.2). Compilers may leave
 * it out for any unit, so an address that is not in it may be in a unit that is not named by it.
 *
 * <pre>
 *   set   = length version unit offset, address size, segment selector size, padding
 *           (address length)... 0 0
 * </pre>
 *
 * @param entries in the section's order; empty ranges are left out
 */
public record AddressRanges(List<Entry> entries) {
  /** More than any file has. */
  private static final int MAX_ENTRIES = 1 << 22;

  /**
   * Code of a unit.
   *
   * @param unit the offset of the unit in {@code .debug_info}
   */
  public record Entry(Range range, long unit) {}

  public AddressRanges {
    entries = List.copyOf(entries);
  }

  /** Reads the section; empty when it is malformed, since all it says is also said elsewhere. */
  public static Optional<AddressRanges> read(ByteSource section, ByteOrder order) {
    try {
      var found = new ArrayList<Entry>();
      long at = 0;
      while (at < section.size()) {
        at = readSet(section, order, at, found);
      }
      return Optional.of(new AddressRanges(found));
    } catch (BadDataException e) {
      return Optional.empty(); // The units themselves are asked instead.
    }
  }

  /** Reads one set; where the next one is. */
  private static long readSet(ByteSource section, ByteOrder order, long start, List<Entry> found) {
    var in = section.cursor(start, order);
    long length = in.u32();
    int offsetSize = 4;
    if (length == 0xffffffffL) {
      length = in.u64();
      offsetSize = 8;
    }
    DwarfNumbers.length(in, start, length, "set of address ranges");
    long end = in.offset() + length;
    int version = in.u16();
    if (version != 2) {
      throw in.bad(start, "set of address ranges of version " + version + ", expected 2");
    }
    long unit = DwarfNumbers.unsigned(in, offsetSize);
    int size = in.u8();
    int selector = in.u8();
    if (selector != 0) {
      throw in.bad(start, "segment selectors of " + selector + " bytes, expected 0");
    }
    // The tuples are aligned to their own size, counted from the set's start.
    if (size != 2 && size != 4 && size != 8) {
      throw in.bad(start, "addresses of " + size + " bytes, expected 2, 4 or 8");
    }
    long tuple = 2L * size;
    long head = in.offset() - start;
    in.skip((tuple - head % tuple) % tuple);
    while (in.offset() + tuple <= end) {
      long address = DwarfNumbers.unsigned(in, size);
      long bytes = DwarfNumbers.unsigned(in, size);
      if (address == 0 && bytes == 0) {
        break;
      }
      if (bytes != 0 && Long.compareUnsigned(address + bytes, address) > 0) {
        found.add(new Entry(Range.of(address, bytes), unit));
      }
      if (found.size() > MAX_ENTRIES) {
        throw in.bad(start, "more than " + MAX_ENTRIES + " address ranges");
      }
    }
    return end;
  }
}
