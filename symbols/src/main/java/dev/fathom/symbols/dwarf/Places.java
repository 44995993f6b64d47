// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/** Places that entries tell without a frame: of variables, of members in their objects. */
final class Places {
  // DW_OP_*, DWARF 5, section 7.7.1
  private static final int OP_ADDR = 0x03;
  private static final int OP_DEREF = 0x06;
  private static final int OP_CONST1U = 0x08;
  private static final int OP_CONST2U = 0x0a;
  private static final int OP_CONST4U = 0x0c;
  private static final int OP_CONST8U = 0x0e;
  private static final int OP_CONSTU = 0x10;
  private static final int OP_DUP = 0x12;
  private static final int OP_MINUS = 0x1c;
  private static final int OP_PLUS = 0x22;
  private static final int OP_LIT0 = 0x30;
  private static final int OP_LIT31 = 0x4f;
  private static final int OP_PLUS_UCONST = 0x23;
  private static final int OP_ADDRX = 0xa1;
  private static final int OP_CONSTX = 0xa2;
  private static final int OP_FORM_TLS_ADDRESS = 0x9b;
  private static final int OP_GNU_PUSH_TLS_ADDRESS = 0xe0;
  private static final int OP_GNU_ADDR_INDEX = 0xfb;
  private static final int OP_GNU_CONST_INDEX = 0xfc;

  private static final ByteSource NOWHERE = ByteSource.of("no location", new byte[0]);

  /** The largest offset that is believed: all addresses of a process of user mode. */
  private static final long MAX_BYTES = 1L << 48;

  /** Functions in the table of a class; no compiler gets there. */
  private static final long MAX_SLOTS = 1 << 20;

  private Places() {}

  /** {@code DW_AT_data_member_location} in bytes; empty when only the object itself tells. */
  static OptionalLong ofMember(Die member) {
    var value = member.attribute(At.DATA_MEMBER_LOCATION);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    if (!value.get().isBlock()) {
      return OptionalLong.of(value.get().value());
    }
    // DWARF 2 had only expressions, which add to the structure's address.
    var block = member.unit().block(value.get());
    var in = block.cursor(0, member.unit().encoding().order());
    if (in.remaining() == 0) {
      return OptionalLong.empty();
    }
    return switch (in.u8()) {
      case OP_PLUS_UCONST -> OptionalLong.of(in.uleb());
      case OP_CONSTU -> plus(block, in.uleb());
      case OP_CONST1U -> plus(block, in.u8());
      case OP_CONST2U -> plus(block, in.u16());
      case OP_CONST4U -> plus(block, in.u32());
      case OP_CONST8U -> plus(block, in.u64());
      default -> OptionalLong.empty();
    };
  }

  /** {@code DW_AT_const_value} of up to 64 bits, which of a fraction may be its bytes. */
  static OptionalLong constant(Die die) {
    var block = die.block(At.CONST_VALUE).filter(b -> b.size() <= Long.BYTES);
    if (block.isEmpty()) {
      return die.number(At.CONST_VALUE);
    }
    long bits = 0;
    boolean little = die.unit().encoding().order() == ByteOrder.LITTLE_ENDIAN;
    int size = (int) block.get().size();
    byte[] bytes = block.get().bytes(0, size);
    for (int i = 0; i < size; i++) {
      bits |= (bytes[little ? i : size - 1 - i] & 0xffL) << (8 * i);
    }
    return OptionalLong.of(bits);
  }

  private static OptionalLong plus(ByteSource block, long constant) {
    byte[] all = block.bytes(0, (int) block.size());
    return all[all.length - 1] == OP_PLUS ? OptionalLong.of(constant) : OptionalLong.empty();
  }

  /**
   * Which of the functions in the table of its class a virtual function is. Compilers write it as
   * {@code DW_OP_constu N}; empty where it is not written so, or not at all.
   */
  static OptionalLong ofFunction(Die method) {
    var block = method.block(At.VTABLE_ELEM_LOCATION);
    if (block.isEmpty() || block.get().size() < 2) {
      return OptionalLong.empty();
    }
    var in = block.get().cursor(0, method.unit().encoding().order());
    if (in.u8() != OP_CONSTU) {
      return OptionalLong.empty();
    }
    long slot = in.uleb();
    return slot >= 0 && slot < MAX_SLOTS ? OptionalLong.of(slot) : OptionalLong.empty();
  }

  /**
   * Where in an object's table the place of a virtual base stands. Compilers write it as {@code
   * DW_OP_dup, DW_OP_deref, DW_OP_constu N, DW_OP_minus, DW_OP_deref, DW_OP_plus}.
   */
  static OptionalLong slot(Die inheritance) {
    var block = inheritance.block(At.DATA_MEMBER_LOCATION);
    if (block.isEmpty() || block.get().size() < 6) {
      return OptionalLong.empty();
    }
    var in = block.get().cursor(0, inheritance.unit().encoding().order());
    if (in.u8() != OP_DUP || in.u8() != OP_DEREF) {
      return OptionalLong.empty();
    }
    int operation = in.u8();
    long back =
        switch (operation) {
          case OP_CONSTU -> in.uleb();
          case OP_CONST1U -> in.u8();
          case OP_CONST2U -> in.u16();
          default -> operation >= OP_LIT0 && operation <= OP_LIT31 ? operation - OP_LIT0 : 0;
        };
    boolean whole =
        in.remaining() == 3 && in.u8() == OP_MINUS && in.u8() == OP_DEREF && in.u8() == OP_PLUS;
    return whole && back > 0 && back < MAX_BYTES ? OptionalLong.of(-back) : OptionalLong.empty();
  }

  /** Where a variable or function is by the link. */
  static OptionalLong address(Die die) {
    if (die.tag() == Tag.SUBPROGRAM) {
      return die.address(At.LOW_PC);
    }
    var in = location(die);
    var address =
        switch (in.remaining() == 0 ? 0 : in.u8()) {
          case OP_ADDR -> word(die, in);
          case OP_ADDRX, OP_GNU_ADDR_INDEX -> indexed(die, in);
          default -> OptionalLong.empty();
        };
    // More operations would say that it is elsewhere, such as in a thread's storage.
    return in.remaining() == 0 ? address : OptionalLong.empty();
  }

  /** Where a variable is in the storage that each thread has for the file. */
  static OptionalLong inThread(Die die) {
    var in = location(die);
    var offset =
        switch (in.remaining() == 0 ? 0 : in.u8()) {
          case OP_ADDR -> word(die, in);
          case OP_CONST4U -> in.remaining() < 4 ? OptionalLong.empty() : OptionalLong.of(in.u32());
          case OP_CONST8U -> in.remaining() < 8 ? OptionalLong.empty() : OptionalLong.of(in.u64());
          case OP_CONSTX, OP_GNU_CONST_INDEX -> indexed(die, in);
          default -> OptionalLong.empty();
        };
    boolean threadLocal =
        in.remaining() == 1
            && switch (in.u8()) {
              case OP_FORM_TLS_ADDRESS, OP_GNU_PUSH_TLS_ADDRESS -> true;
              default -> false;
            };
    return threadLocal ? offset : OptionalLong.empty();
  }

  /** Where a variable is, in memory or in the storage of each thread. */
  static OptionalLong anywhere(Die die) {
    var address = address(die);
    return address.isPresent() ? address : inThread(die);
  }

  private static ByteCursor location(Die die) {
    var order = die.unit().encoding().order();
    return die.block(At.LOCATION).orElse(NOWHERE).cursor(0, order);
  }

  private static OptionalLong word(Die die, ByteCursor in) {
    var unit = die.unit();
    if (in.remaining() < unit.addressSize()) {
      throw unit.bad(die.offset(), "location ends inside an address");
    }
    return OptionalLong.of(
        switch (unit.addressSize()) {
          case 2 -> in.u16();
          case 4 -> in.u32();
          default -> in.u64();
        });
  }

  private static OptionalLong indexed(Die die, ByteCursor in) {
    return OptionalLong.of(die.unit().indexedAddress(in.uleb()));
  }
}
