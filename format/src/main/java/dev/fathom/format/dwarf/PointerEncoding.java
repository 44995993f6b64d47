// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteCursor;
import java.util.OptionalLong;

/**
 * How {@code .eh_frame} writes an address: {@code DW_EH_PE_*} (Linux Standard Base 5, Core, section
 * 10.5.1).
 *
 * @param code the byte that says it
 */
record PointerEncoding(int code) {
  /** As in {@code .debug_frame}: an address as it is. */
  static final PointerEncoding ABSOLUTE = new PointerEncoding(0);

  private static final int OMIT = 0xff;
  private static final int INDIRECT = 0x80;
  private static final int RELATIVE = 0x70;
  private static final int PC_RELATIVE = 0x10;
  private static final int TEXT_RELATIVE = 0x20;
  private static final int DATA_RELATIVE = 0x30;
  private static final int FUNCTION_RELATIVE = 0x40;
  private static final int ALIGNED = 0x50;
  private static final int FORMAT = 0xf;

  /**
   * What addresses count from.
   *
   * @param section the address of the section's first byte
   * @param text the start of the text, where it is known
   * @param data the start of what {@code datarel} means: the GOT, or the table's own section
   */
  record Bases(OptionalLong section, OptionalLong text, OptionalLong data) {
    static final Bases NONE =
        new Bases(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
  }

  boolean omitted() {
    return code == OMIT;
  }

  /** Whether what is written is the address of the address. */
  boolean indirect() {
    return !omitted() && (code & INDIRECT) != 0;
  }

  /** The same without what it counts from: a length. */
  PointerEncoding length() {
    return new PointerEncoding(code & FORMAT);
  }

  /** The address at {@code in}, which moves behind it. */
  long read(ByteCursor in, Encoding encoding, Bases bases, long function) {
    if ((code & RELATIVE) == ALIGNED) {
      in.align(encoding.addressSize());
      return raw(in, encoding, 0);
    }
    long at = in.offset();
    long value = raw(in, encoding, code & FORMAT);
    long base =
        switch (code & RELATIVE) {
          case 0 -> 0;
          case PC_RELATIVE -> need(in, at, bases.section(), "the section") + at;
          case TEXT_RELATIVE -> need(in, at, bases.text(), "the text");
          case DATA_RELATIVE -> need(in, at, bases.data(), "the data");
          case FUNCTION_RELATIVE -> function;
          default -> throw in.bad(at, "unknown pointer encoding 0x" + Integer.toHexString(code));
        };
    // A zero stays zero whatever it counts from: there is none.
    return value == 0 && (code & RELATIVE) != 0 && (code & RELATIVE) != FUNCTION_RELATIVE
        ? 0
        : DwarfNumbers.address(encoding, value + base);
  }

  /** Moves behind a pointer without asking what it is. */
  void skip(ByteCursor in, Encoding encoding) {
    if (omitted()) {
      return;
    }
    if ((code & RELATIVE) == ALIGNED) {
      in.align(encoding.addressSize()).skip(encoding.addressSize());
    } else {
      raw(in, encoding, code & FORMAT);
    }
  }

  private long need(ByteCursor in, long at, OptionalLong base, String what) {
    if (base.isEmpty()) {
      throw in.bad(
          at,
          "pointer encoding 0x"
              + Integer.toHexString(code)
              + " counts from "
              + what
              + ", whose address is not known");
    }
    return base.getAsLong();
  }

  private long raw(ByteCursor in, Encoding encoding, int format) {
    return switch (format) {
      case 0 -> DwarfNumbers.unsigned(in, encoding.addressSize());
      case 1 -> in.uleb();
      case 2 -> in.u16();
      case 3 -> in.u32();
      case 4, 12 -> in.u64();
      case 8 -> DwarfNumbers.signed(in, encoding.addressSize());
      case 9 -> in.sleb();
      case 10 -> (short) in.u16();
      case 11 -> in.i32();
      default ->
          throw in.bad(in.offset(), "unknown pointer encoding 0x" + Integer.toHexString(code));
    };
  }
}
