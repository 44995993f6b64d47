// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongUnaryOperator;

/**
 * Where an object is while different parts of the code run: {@code .debug_loc} (DWARF 4, section
 * 2.6.2), GNU's form of it in split DWARF 4, and {@code .debug_loclists} (DWARF 5, sections 2.6.2
 * and 7.29).
 *
 * @param fallback where it is for addresses that no entry names
 */
public record LocationList(List<Entry> entries, Optional<DwarfExpression> fallback) {
  /** For the addresses of {@code range}, as linked, the object is where {@code expression} says. */
  public record Entry(Range range, DwarfExpression expression) {}

  public LocationList {
    entries = List.copyOf(entries);
  }

  /** The expression that holds at {@code pc}; without one the object is nowhere. */
  public Optional<DwarfExpression> at(long pc) {
    for (var entry : entries) {
      if (entry.range().contains(pc)) {
        return Optional.of(entry.expression());
      }
    }
    return fallback;
  }

  /**
   * The expression that holds before the first instruction of a function at {@code pc}: gcc writes
   * an empty range for it where another holds as soon as the function's body begins.
   */
  public Optional<DwarfExpression> atEntry(long pc) {
    for (var entry : entries) {
      if (entry.range().isEmpty() && entry.range().start() == pc) {
        return Optional.of(entry.expression());
      }
    }
    return at(pc);
  }

  /**
   * The list at {@code offset} of {@code .debug_loc}.
   *
   * @param base the unit's base address: its {@code DW_AT_low_pc}
   * @throws dev.fathom.base.BadDataException when it is malformed
   */
  public static LocationList ofLoc(ByteSource section, long offset, Encoding encoding, long base) {
    var in = section.cursor(offset, encoding.order());
    long largest = DwarfNumbers.address(encoding, -1L);
    var found = new ArrayList<Entry>();
    for (int count = 0; ; count++) {
      RangeLists.bound(in, offset, count);
      long start = DwarfNumbers.unsigned(in, encoding.addressSize());
      long end = DwarfNumbers.unsigned(in, encoding.addressSize());
      if (start == 0 && end == 0) {
        return new LocationList(found, Optional.empty());
      }
      if (start == largest) {
        base = end;
      } else {
        var expression = expression(section, in, in.u16(), encoding);
        add(
            found,
            DwarfNumbers.address(encoding, base + start),
            DwarfNumbers.address(encoding, base + end),
            expression);
      }
    }
  }

  /**
   * The list at {@code offset} of {@code .debug_loc.dwo}, as GCC writes it for split DWARF 4.
   *
   * @param addresses the entry of {@code .debug_addr} with a number, counted from the unit's base
   */
  public static LocationList ofSplitLoc(
      ByteSource section, long offset, Encoding encoding, long base, LongUnaryOperator addresses) {
    var in = section.cursor(offset, encoding.order());
    var found = new ArrayList<Entry>();
    for (int count = 0; ; count++) {
      RangeLists.bound(in, offset, count);
      long at = in.offset();
      int kind = in.u8();
      long start;
      long end;
      switch (kind) {
        case 0 -> { // GNU_end_of_list_entry
          return new LocationList(found, Optional.empty());
        }
        case 1 -> { // GNU_base_address_selection_entry
          base = addresses.applyAsLong(in.uleb());
          continue;
        }
        case 2 -> { // GNU_start_end_entry
          start = addresses.applyAsLong(in.uleb());
          end = addresses.applyAsLong(in.uleb());
        }
        case 3 -> { // GNU_start_length_entry
          start = addresses.applyAsLong(in.uleb());
          end = start + in.u32();
        }
        case 4 -> { // GNU_offset_pair_entry
          start = base + in.u32();
          end = base + in.u32();
        }
        default -> throw unknown(in, at, kind);
      }
      add(found, start, end, expression(section, in, in.u16(), encoding));
    }
  }

  /**
   * The list at {@code offset} of {@code .debug_loclists}.
   *
   * @param base the unit's base address
   * @param addresses the entry of {@code .debug_addr} with a number, counted from the unit's base
   */
  public static LocationList ofLoclists(
      ByteSource section, long offset, Encoding encoding, long base, LongUnaryOperator addresses) {
    var in = section.cursor(offset, encoding.order());
    int size = encoding.addressSize();
    var found = new ArrayList<Entry>();
    Optional<DwarfExpression> fallback = Optional.empty();
    for (int count = 0; ; count++) {
      RangeLists.bound(in, offset, count);
      long at = in.offset();
      int kind = in.u8();
      long start;
      long end;
      switch (kind) {
        case 0 -> { // end_of_list
          return new LocationList(found, fallback);
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
        case 5 -> { // default_location
          fallback = Optional.of(expression(section, in, in.uleb(), encoding));
          continue;
        }
        case 6 -> { // base_address
          base = DwarfNumbers.unsigned(in, size);
          continue;
        }
        case 7 -> { // start_end
          start = DwarfNumbers.unsigned(in, size);
          end = DwarfNumbers.unsigned(in, size);
        }
        case 8 -> { // start_length
          start = DwarfNumbers.unsigned(in, size);
          end = start + in.uleb();
        }
        case 9 -> { // GNU_view_pair: which of several lines at one address; not used
          in.uleb();
          in.uleb();
          continue;
        }
        default -> throw unknown(in, at, kind);
      }
      var expression = expression(section, in, in.uleb(), encoding);
      add(
          found,
          DwarfNumbers.address(encoding, start),
          DwarfNumbers.address(encoding, end),
          expression);
    }
  }

  private static RuntimeException unknown(ByteCursor in, long at, int kind) {
    return in.bad(at, "unknown location list entry 0x" + Integer.toHexString(kind));
  }

  private static DwarfExpression expression(
      ByteSource section, ByteCursor in, long length, Encoding encoding) {
    long at = in.offset();
    DwarfNumbers.length(in, at, length, "expression");
    in.skip(length);
    return new DwarfExpression(section, at, length, encoding);
  }

  /** An entry that ends before it starts holds nowhere. */
  private static void add(List<Entry> found, long start, long end, DwarfExpression expression) {
    if (Long.compareUnsigned(start, end) <= 0) {
      found.add(new Entry(new Range(start, end), expression));
    }
  }
}
