// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteCursor;
import java.nio.ByteOrder;

/** Reads values by their form (DWARF 5, section 7.5.5). */
public final class Forms {
  /** {@link #fixedSize} of a form whose size is in the data. */
  static final int VARIABLE = -1;

  /** {@link #fixedSize} of a form that is not known. */
  static final int UNKNOWN = -2;

  /** The longest string that is made; C++ names with templates have reached 100 KB. */
  static final int MAX_STRING = 1 << 20;

  private Forms() {}

  /**
   * Reads one value at the cursor, which then stands behind it.
   *
   * @param implicitConst the number that the abbreviation holds for {@code DW_FORM_implicit_const}
   * @throws dev.fathom.base.BadDataException when it does not fit or the form is not known
   */
  public static FormValue read(ByteCursor in, Encoding encoding, int form, long implicitConst) {
    long start = in.offset();
    int actual = form;
    if (form == Form.INDIRECT) {
      long named = in.uleb();
      if (named == Form.INDIRECT || named == Form.IMPLICIT_CONST || named > 0xffff) {
        throw in.bad(start, "DW_FORM_indirect leads to form 0x" + Long.toHexString(named));
      }
      actual = (int) named;
    }
    return switch (actual) {
      case Form.ADDR -> number(in, actual, encoding.addressSize());
      case Form.DATA1,
          Form.REF1,
          Form.FLAG,
          Form.STRX1,
          Form.ADDRX1,
          Form.DATA2,
          Form.REF2,
          Form.STRX2,
          Form.ADDRX2,
          Form.STRX3,
          Form.ADDRX3,
          Form.DATA4,
          Form.REF4,
          Form.REF_SUP4,
          Form.STRX4,
          Form.ADDRX4,
          Form.DATA8,
          Form.REF8,
          Form.REF_SIG8,
          Form.REF_SUP8,
          Form.STRP,
          Form.LINE_STRP,
          Form.STRP_SUP,
          Form.SEC_OFFSET,
          Form.REF_ADDR,
          Form.GNU_REF_ALT,
          Form.GNU_STRP_ALT ->
          number(in, actual, fixedSize(encoding, actual));
      case Form.UDATA,
          Form.REF_UDATA,
          Form.STRX,
          Form.ADDRX,
          Form.LOCLISTX,
          Form.RNGLISTX,
          Form.GNU_ADDR_INDEX,
          Form.GNU_STR_INDEX ->
          new FormValue(actual, in.uleb(), 0);
      case Form.SDATA -> new FormValue(actual, in.sleb(), 0);
      case Form.FLAG_PRESENT -> new FormValue(actual, 1, 0);
      case Form.IMPLICIT_CONST -> new FormValue(actual, implicitConst, 0);
      case Form.BLOCK1 -> block(in, actual, in.u8());
      case Form.BLOCK2 -> block(in, actual, in.u16());
      case Form.BLOCK4 -> block(in, actual, in.u32());
      case Form.BLOCK, Form.EXPRLOC -> block(in, actual, in.uleb());
      case Form.DATA16 -> block(in, actual, 16);
      case Form.STRING -> string(in);
      default -> throw in.bad(start, "form 0x" + Integer.toHexString(actual) + " is not known");
    };
  }

  /** Moves the cursor behind one value. */
  static void skip(ByteCursor in, Encoding encoding, int form) {
    int size = fixedSize(encoding, form);
    if (size >= 0) {
      in.skip(size);
    } else {
      read(in, encoding, form, 0);
    }
  }

  private static FormValue number(ByteCursor in, int form, int size) {
    return new FormValue(form, number(in, size), 0);
  }

  /** An unsigned number of 1 to 4 or 8 bytes. */
  static long number(ByteCursor in, int size) {
    return switch (size) {
      case 1 -> in.u8();
      case 2 -> in.u16();
      case 3 -> threeBytes(in);
      case 4 -> in.u32();
      case 8 -> in.u64();
      default -> throw in.bad(in.offset(), "number of " + size + " bytes");
    };
  }

  private static long threeBytes(ByteCursor in) {
    int a = in.u8();
    int b = in.u8();
    int c = in.u8();
    return in.order() == ByteOrder.LITTLE_ENDIAN ? c << 16 | b << 8 | a : a << 16 | b << 8 | c;
  }

  private static FormValue block(ByteCursor in, int form, long length) {
    long at = in.offset();
    in.skip(length);
    return new FormValue(form, at, length);
  }

  private static FormValue string(ByteCursor in) {
    long at = in.offset();
    in.skipCString(MAX_STRING);
    return new FormValue(Form.STRING, at, in.offset() - 1 - at);
  }

  /** The bytes that a form takes, or {@link #VARIABLE} or {@link #UNKNOWN}. */
  static int fixedSize(Encoding encoding, int form) {
    return switch (form) {
      case Form.FLAG_PRESENT, Form.IMPLICIT_CONST -> 0;
      case Form.DATA1, Form.REF1, Form.FLAG, Form.STRX1, Form.ADDRX1 -> 1;
      case Form.DATA2, Form.REF2, Form.STRX2, Form.ADDRX2 -> 2;
      case Form.STRX3, Form.ADDRX3 -> 3;
      case Form.DATA4, Form.REF4, Form.REF_SUP4, Form.STRX4, Form.ADDRX4 -> 4;
      case Form.DATA8, Form.REF8, Form.REF_SIG8, Form.REF_SUP8 -> 8;
      case Form.DATA16 -> 16;
      case Form.ADDR -> encoding.addressSize();
      // In DWARF 2 the size of an address (DWARF 2, section 7.5.4).
      case Form.REF_ADDR ->
          encoding.version() == 2 ? encoding.addressSize() : encoding.offsetSize();
      case Form.STRP,
          Form.LINE_STRP,
          Form.STRP_SUP,
          Form.SEC_OFFSET,
          Form.GNU_REF_ALT,
          Form.GNU_STRP_ALT ->
          encoding.offsetSize();
      case Form.UDATA,
          Form.REF_UDATA,
          Form.STRX,
          Form.ADDRX,
          Form.LOCLISTX,
          Form.RNGLISTX,
          Form.GNU_ADDR_INDEX,
          Form.GNU_STR_INDEX,
          Form.SDATA,
          Form.BLOCK1,
          Form.BLOCK2,
          Form.BLOCK4,
          Form.BLOCK,
          Form.EXPRLOC,
          Form.STRING,
          Form.INDIRECT ->
          VARIABLE;
      default -> UNKNOWN;
    };
  }
}
