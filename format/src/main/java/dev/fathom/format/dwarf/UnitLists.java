// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.Range;
import java.util.List;
import java.util.Optional;

/** Where an entry's code is and where its object is, whatever form and section say it in. */
public final class UnitLists {
  private UnitLists() {}

  /**
   * The addresses of an entry's code: {@code DW_AT_ranges}, or from {@code DW_AT_low_pc} to {@code
   * DW_AT_high_pc}; none when it has neither.
   *
   * @throws dev.fathom.base.BadDataException when they are malformed
   */
  public static List<Range> ranges(Die die) {
    var unit = die.unit();
    var list = die.attribute(At.RANGES);
    if (list.isPresent()) {
      return ranges(unit, list.get());
    }
    var low = die.address(At.LOW_PC);
    var high = die.highPc();
    if (low.isEmpty() || high.isEmpty() || low.getAsLong() == high.getAsLong()) {
      return List.of();
    }
    if (Long.compareUnsigned(high.getAsLong(), low.getAsLong()) < 0) {
      throw unit.bad(
          die.offset(),
          "code from 0x"
              + Long.toHexString(low.getAsLong())
              + " to 0x"
              + Long.toHexString(high.getAsLong()));
    }
    return List.of(new Range(low.getAsLong(), high.getAsLong()));
  }

  private static List<Range> ranges(Unit unit, FormValue list) {
    long base = unit.baseAddress().orElse(0);
    if (unit.version() < 5) {
      var section = unit.addresses().need(".debug_ranges", unit);
      return RangeLists.ofRanges(section, unit.rangesBase() + list.value(), unit.encoding(), base);
    }
    var section = unit.dwarf().need(".debug_rnglists", unit);
    long offset =
        list.form() == Form.RNGLISTX
            ? RangeLists.offsetOf(section, unit.encoding(), unit.rnglistsBase(), list.value())
            : unit.rangeListsStart() + list.value();
    return RangeLists.ofRnglists(section, offset, unit.encoding(), base, unit::indexedAddress);
  }

  /**
   * Where an object is, by an attribute that is an expression or leads to a list; empty when the
   * entry does not have it, or as a constant.
   *
   * @throws dev.fathom.base.BadDataException when it is malformed
   */
  public static Optional<LocationList> location(Die die, int attribute) {
    var value = die.attribute(attribute);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    var unit = die.unit();
    if (value.get().isBlock()) {
      return Optional.of(new LocationList(List.of(), Optional.of(expression(unit, value.get()))));
    }
    long base = unit.baseAddress().orElse(0);
    var encoding = unit.encoding();
    if (unit.version() >= 5) {
      var section = unit.dwarf().need(".debug_loclists", unit);
      boolean byNumber = value.get().form() == Form.LOCLISTX;
      if (!byNumber && !value.get().isSectionOffset()) {
        return Optional.empty();
      }
      long offset =
          byNumber
              ? RangeLists.offsetOf(section, encoding, unit.loclistsBase(), value.get().value())
              : unit.locationsStart() + value.get().value();
      return Optional.of(
          LocationList.ofLoclists(section, offset, encoding, base, unit::indexedAddress));
    }
    if (!value.get().isSectionOffset()) {
      return Optional.empty();
    }
    var section = unit.dwarf().need(".debug_loc", unit);
    long offset = unit.locationsStart() + value.get().value();
    return Optional.of(
        unit.skeleton().isPresent()
            ? LocationList.ofSplitLoc(section, offset, encoding, base, unit::indexedAddress)
            : LocationList.ofLoc(section, offset, encoding, base));
  }

  /** The expression of an attribute that is one. */
  public static Optional<DwarfExpression> expression(Die die, int attribute) {
    var value = die.attribute(attribute);
    return value.isPresent() && value.get().isBlock()
        ? Optional.of(expression(die.unit(), value.get()))
        : Optional.empty();
  }

  private static DwarfExpression expression(Unit unit, FormValue value) {
    return new DwarfExpression(unit.section(), value.value(), value.length(), unit.encoding());
  }
}
