// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;

/**
 * Lists of address ranges, for scopes whose code is in several pieces: {@code .debug_ranges} (DWARF
 * 4, section 2.17.3) and {@code .debug_rnglists} (DWARF 5, sections 2.17.3 and 7.25).
 */
public final class RangeLists {
  /** More than any scope has. */
  static final int MAX_ENTRIES = 1 << 20;

  private RangeLists() {}

  /**
   * The list at {@code offset} of {@code .debug_ranges}. Empty ranges are left out.
   *
   * @param base the unit's base address: its {@code DW_AT_low_pc}
   * @throws dev.fathom.base.BadDataException when it is malformed
   */
  public static List<Range> ofRanges(
      ByteSource section, long offset, Encoding encoding, long base) {
    var in = section.cursor(offset, encoding.order());
    long largest = DwarfNumbers.address(encoding, -1L);
    var found = new ArrayList<Range>();
    for (int count = 0; ; count++) {
      bound(in, offset, count);
      long at = in.offset();
      long start = DwarfNumbers.unsigned(in, encoding.addressSize());
      long end = DwarfNumbers.unsigned(in, encoding.addressSize());
      if (start == 0 && end == 0) {
        return found;
      }
      if (start == largest) {
        base = end;
      } else {
        add(
            found,
            in,
            at,
            DwarfNumbers.address(encoding, base + start),
            DwarfNumbers.address(encoding, base + end));
      }
    }
  }

  /**
   * The list at {@code offset} of {@code .debug_rnglists}. Empty ranges are left out.
   *
   * @param base the unit's base address
   * @param addresses the entry of {@code .debug_addr} with a number, counted from the unit's base
   * @throws dev.fathom.base.BadDataException when it is malformed
   */
  public static List<Range> ofRnglists(
      ByteSource section, long offset, Encoding encoding, long base, LongUnaryOperator addresses) {
    var in = section.cursor(offset, encoding.order());
    int size = encoding.addressSize();
    var found = new ArrayList<Range>();
    for (int count = 0; ; count++) {
      bound(in, offset, count);
      long at = in.offset();
      int kind = in.u8();
      long start;
      long end;
      switch (kind) {
        case 0 -> { // end_of_list
          return found;
        }
        case 1 -> { // base_addressx
          base = addresses.applyAsLong(in.uleb());
          continue;
        }
        case 2 -> { // startx_endx
          start = addresses.applyAsLong(in.uleb());
          end = addresses.applyAsLong(in.uleb());
        }
        case 3 -> { // startx_length
          start = addresses.applyAsLong(in.uleb());
          end = start + in.uleb();
        }
        case 4 -> { // offset_pair
          start = base + in.uleb();
          end = base + in.uleb();
        }
        case 5 -> { // base_address
          base = DwarfNumbers.unsigned(in, size);
          continue;
        }
        case 6 -> { // start_end
          start = DwarfNumbers.unsigned(in, size);
          end = DwarfNumbers.unsigned(in, size);
        }
        case 7 -> { // start_length
          start = DwarfNumbers.unsigned(in, size);
          end = start + in.uleb();
        }
        default -> throw in.bad(at, "unknown range list entry 0x" + Integer.toHexString(kind));
      }
      add(
          found,
          in,
          at,
          DwarfNumbers.address(encoding, start),
          DwarfNumbers.address(encoding, end));
    }
  }

  /**
   * Where the list with a number starts, by the table of offsets behind the head of {@code
   * .debug_rnglists} or {@code .debug_loclists}.
   *
   * @param base the unit's {@code DW_AT_rnglists_base} or {@code DW_AT_loclists_base}
   */
  public static long offsetOf(ByteSource section, Encoding encoding, long base, long index) {
    int size = encoding.offsetSize();
    if (index < 0 || index > section.size() / size) {
      throw section.cursor(0, encoding.order()).bad(base, "no list " + index + " in this table");
    }
    return base
        + DwarfNumbers.unsigned(section.cursor(base + index * size, encoding.order()), size);
  }

  static void bound(ByteCursor in, long offset, int count) {
    if (count >= MAX_ENTRIES) {
      throw in.bad(offset, "list of more than " + MAX_ENTRIES + " entries");
    }
  }

  private static void add(List<Range> found, ByteCursor in, long at, long start, long end) {
    if (Long.compareUnsigned(end, start) < 0) {
      throw in.bad(
          at,
          "range 0x"
              + Long.toHexString(start)
              + "..0x"
              + Long.toHexString(end)
              + " ends before it starts");
    }
    if (start != end) {
      found.add(new Range(start, end));
    }
  }
}
