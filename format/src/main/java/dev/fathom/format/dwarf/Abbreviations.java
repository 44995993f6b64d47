// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One abbreviation table of {@code .debug_abbrev} (DWARF 5, section 7.5.3).
 *
 * <pre>
 *   { uleb code, uleb tag, u8 children, { uleb name, uleb form [, sleb implicit_const] }..., 0, 0 }..., 0
 * </pre>
 */
final class Abbreviations {
  /** Far more than compilers use; real tables have some hundred entries. */
  private static final int MAX_ENTRIES = 1 << 20;

  private static final int MAX_ATTRIBUTES = 1 << 10;

  private final ByteSource section;
  private final long offset;

  /** By code, as long as the codes count up from 1, which all compilers do. */
  private final List<Abbreviation> dense;

  private final Map<Long, Abbreviation> others;

  private Abbreviations(
      ByteSource section, long offset, List<Abbreviation> dense, Map<Long, Abbreviation> others) {
    this.section = section;
    this.offset = offset;
    this.dense = dense;
    this.others = others;
  }

  /**
   * Reads the table at {@code offset}.
   *
   * @throws BadDataException when it does not lie in the section or is not well formed
   */
  static Abbreviations read(ByteSource section, long offset, ByteOrder order) {
    ByteCursor in = section.cursor(offset, order);
    var dense = new ArrayList<Abbreviation>();
    var others = new HashMap<Long, Abbreviation>();
    for (int count = 0; ; count++) {
      long at = in.offset();
      long code = in.uleb();
      if (code == 0) {
        return new Abbreviations(section, offset, dense, others);
      }
      if (count == MAX_ENTRIES) {
        throw in.bad(at, "abbreviation table has more than " + MAX_ENTRIES + " entries");
      }
      Abbreviation read = entry(in, code);
      if (code == dense.size() + 1L) {
        dense.add(read);
      } else if (Long.compareUnsigned(code, dense.size()) <= 0
          || others.putIfAbsent(code, read) != null) {
        throw in.bad(at, "abbreviation code " + code + " is defined twice");
      }
    }
  }

  private static Abbreviation entry(ByteCursor in, long code) {
    long tag = small(in, "tag");
    boolean children = in.u8() != 0;
    var names = new int[8];
    var forms = new int[8];
    var constants = new long[8];
    for (int count = 0; ; count++) {
      long at = in.offset();
      int name = small(in, "attribute");
      int form = small(in, "form");
      if (name == 0 && form == 0) {
        return new Abbreviation(
            code,
            (int) tag,
            children,
            Arrays.copyOf(names, count),
            Arrays.copyOf(forms, count),
            Arrays.copyOf(constants, count));
      }
      if (count == MAX_ATTRIBUTES) {
        throw in.bad(at, "abbreviation has more than " + MAX_ATTRIBUTES + " attributes");
      }
      if (count == names.length) {
        names = Arrays.copyOf(names, 2 * count);
        forms = Arrays.copyOf(forms, 2 * count);
        constants = Arrays.copyOf(constants, 2 * count);
      }
      names[count] = name;
      forms[count] = form;
      constants[count] = form == Form.IMPLICIT_CONST ? in.sleb() : 0;
    }
  }

  private static int small(ByteCursor in, String what) {
    long at = in.offset();
    long value = in.uleb();
    if (value < 0 || value > 0xffff) {
      throw in.bad(at, what + " 0x" + Long.toHexString(value) + " in an abbreviation");
    }
    return (int) value;
  }

  /**
   * The abbreviation with that code.
   *
   * @param user the section of the entry that uses it, for the error
   * @param at the offset of that entry
   * @throws BadDataException when the table has none
   */
  Abbreviation get(long code, ByteSource user, long at) {
    if (code > 0 && code <= dense.size()) {
      return dense.get((int) code - 1);
    }
    var found = others.get(code);
    if (found == null) {
      throw new BadDataException(
          user.name(),
          at,
          "abbreviation code "
              + Long.toUnsignedString(code)
              + " is not in the table at 0x"
              + Long.toHexString(offset)
              + " of "
              + section.name());
    }
    return found;
  }

  /** The abbreviations with the codes 1 to n without gaps, for those who index by code. */
  List<Abbreviation> dense() {
    return dense;
  }
}
