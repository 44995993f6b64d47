// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

/**
 * One value as it stands in a section. What it means is up to the form, and for most forms needs
 * the unit: see {@link Unit}'s methods that take one.
 *
 * @param form one of {@link Form}; never {@code INDIRECT}
 * @param value the number, offset, index or address; numbers of {@code sdata} and {@code
 *     implicit_const} are signed, all others zero-extended. Of a block, an expression, {@code
 *     data16} and a string that stands in place: the section offset at which its bytes begin
 * @param length how many bytes a block, an expression, {@code data16} or a string in place (without
 *     its NUL) has; 0 for all other forms
 */
public record FormValue(int form, long value, long length) {
  /** Whether the value is bytes in the section: a block, an expression or {@code data16}. */
  public boolean isBlock() {
    return switch (form) {
      case Form.BLOCK, Form.BLOCK1, Form.BLOCK2, Form.BLOCK4, Form.EXPRLOC, Form.DATA16 -> true;
      default -> false;
    };
  }

  /** Whether the value is a number that is neither address, offset, flag nor reference. */
  public boolean isConstant() {
    return switch (form) {
      case Form.DATA1,
          Form.DATA2,
          Form.DATA4,
          Form.DATA8,
          Form.SDATA,
          Form.UDATA,
          Form.IMPLICIT_CONST ->
          true;
      default -> false;
    };
  }

  /**
   * Whether it can be an offset into another section: before version 4, {@code data4} and {@code
   * data8} stood for {@code sec_offset}.
   */
  public boolean isSectionOffset() {
    return form == Form.SEC_OFFSET || form == Form.DATA4 || form == Form.DATA8;
  }

  /** The constant as a signed number: {@code data1} to {@code data4} sign-extended. */
  public long signed() {
    return switch (form) {
      case Form.DATA1 -> (byte) value;
      case Form.DATA2 -> (short) value;
      case Form.DATA4 -> (int) value;
      default -> value;
    };
  }
}
