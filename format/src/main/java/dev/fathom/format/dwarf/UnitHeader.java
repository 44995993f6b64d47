// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/** The header of a unit as it stands; {@link Unit} has its layout. */
record UnitHeader(
    ByteSource section,
    long offset,
    long end,
    long firstDie,
    Unit.Kind kind,
    Encoding encoding,
    long abbreviationsOffset,
    OptionalLong id,
    long typeOffset) {

  /** Where a unit ends, which can be told even when the rest of its header is not understood. */
  static long end(ByteSource section, long offset, ByteOrder order) {
    ByteCursor in = section.cursor(offset, order);
    long length = in.u32();
    if (length == 0xffffffffL) {
      length = in.u64();
    } else if (length >= 0xfffffff0L) {
      throw in.bad(offset, "unit length 0x" + Long.toHexString(length) + " is reserved");
    }
    if (length < 0 || length > in.remaining()) {
      throw in.bad(
          offset,
          "unit has 0x"
              + Long.toHexString(length)
              + " bytes, but the section ends after 0x"
              + Long.toHexString(in.remaining()));
    }
    return in.offset() + length;
  }

  /**
   * Reads the header at {@code offset}.
   *
   * @param types whether the section is {@code .debug_types}
   */
  static UnitHeader read(ByteSource section, long offset, ByteOrder order, boolean types) {
    long end = end(section, offset, order);
    ByteCursor in = section.cursor(offset, order);
    int offsetSize = in.u32() == 0xffffffffL ? 8 : 4;
    if (offsetSize == 8) {
      in.skip(8);
    }
    int version = in.u16();
    if (version < 2 || version > 5) {
      throw in.bad(in.offset() - 2, "unit has DWARF version " + version + ", expected 2 to 5");
    }
    int code = types ? Unit.Kind.TYPE.code() : Unit.Kind.COMPILE.code();
    int addressSize;
    long abbreviations;
    if (version >= 5) {
      code = in.u8();
      addressSize = in.u8();
      abbreviations = Forms.number(in, offsetSize);
    } else {
      abbreviations = Forms.number(in, offsetSize);
      addressSize = in.u8();
    }
    if (addressSize != 2 && addressSize != 4 && addressSize != 8) {
      throw in.bad(offset, "unit has addresses of " + addressSize + " bytes, expected 2, 4 or 8");
    }
    int unitCode = code;
    Unit.Kind kind =
        Unit.Kind.of(code).orElseThrow(() -> in.bad(offset, "unit has the type " + unitCode));
    OptionalLong id = OptionalLong.empty();
    long typeOffset = 0;
    switch (kind) {
      case SKELETON, SPLIT_COMPILE -> id = OptionalLong.of(in.u64());
      case TYPE, SPLIT_TYPE -> {
        id = OptionalLong.of(in.u64());
        typeOffset = Forms.number(in, offsetSize);
        if (typeOffset < 0 || typeOffset >= end - offset) {
          throw in.bad(offset, "type at 0x" + Long.toHexString(typeOffset) + " is not in its unit");
        }
      }
      case COMPILE, PARTIAL -> {}
    }
    if (in.offset() > end) {
      throw new BadDataException(section.name(), offset, "unit ends inside its header");
    }
    var encoding = new Encoding(order, version, offsetSize, addressSize);
    return new UnitHeader(
        section, offset, end, in.offset(), kind, encoding, abbreviations, id, typeOffset);
  }
}
