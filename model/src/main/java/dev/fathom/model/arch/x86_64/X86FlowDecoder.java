// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowDecoder;
import dev.fathom.model.arch.FlowKind;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Length and flow of control of x86-64 instructions in 64-bit mode, after the opcode maps in
 * appendix A of volume 2 of Intel's Software Developer's Manual and in appendix A of volume 3 of
 * AMD's Programmer's Manual.
 *
 * <pre>
 * instruction: legacy-prefix* [REX] opcode [ModRM [SIB] [displacement]] [immediate]
 *            | legacy-prefix* (VEX2 | VEX3 | EVEX | XOP) opcode ModRM [SIB] [displacement] [immediate]
 * </pre>
 *
 * <p>The tables say only what the length needs, so that some byte sequences that a processor would
 * refuse (a reserved ModRM extension, say) still have a length. Branches with an operand-size
 * prefix are taken as Intel's processors take them: the prefix is ignored. APX (REX2 and the
 * promoted opcodes) is not known.
 *
 * <p>{@link #scan} leaves its findings in this object and allocates nothing; {@link #decode} is the
 * same as a value.
 */
public final class X86FlowDecoder implements FlowDecoder {
  /** The architecture's limit: a longer instruction raises #GP. */
  public static final int LONGEST = 15;

  /*
   * What follows an opcode, one character for each:
   *   .  nothing                       m  ModRM
   *   b  8-bit immediate               B  ModRM, 8-bit immediate
   *   z  16- or 32-bit immediate       Z  ModRM, 16- or 32-bit immediate
   *   w  16-bit immediate              e  16-bit and 8-bit immediates
   *   v  16-, 32- or 64-bit immediate  o  address of the address size
   *   j  8-bit branch displacement     J  32-bit branch displacement
   *   t  ModRM, 8-bit immediate when its reg is 0 or 1
   *   T  ModRM, 16- or 32-bit immediate when its reg is 0 or 1
   *   r  ModRM that always names a register
   *   x  not an opcode in 64-bit mode, or handled before the table is asked
   */
  private static final String ONE_BYTE =
      // 0 1 2 3 4 5 6 7 8 9 a b c d e f
      "mmmmbzxxmmmmbzxx" // 0
          + "mmmmbzxxmmmmbzxx" // 1
          + "mmmmbzxxmmmmbzxx" // 2
          + "mmmmbzxxmmmmbzxx" // 3
          + "xxxxxxxxxxxxxxxx" // 4: REX
          + "................" // 5
          + "xxxmxxxxzZbB...." // 6
          + "jjjjjjjjjjjjjjjj" // 7
          + "BZxBmmmmmmmmmmmm" // 8
          + "..........x....." // 9
          + "oooo....bz......" // a
          + "bbbbbbbbvvvvvvvv" // b
          + "BBw.xxBZe.w..bx." // c
          + "mmmmxxx.mmmmmmmm" // d
          + "jjjjbbbbJJxj...." // e
          + "x.xx..tT......mm"; // f

  private static final String TWO_BYTE =
      // 0 1 2 3 4 5 6 7 8 9 a b c d e f
      "mmmmx.....x.xm.B" // 0
          + "mmmmmmmmmmmmmmmm" // 1
          + "rrrrxxxxmmmmmmmm" // 2
          + "......x.xxxxxxxx" // 3
          + "mmmmmmmmmmmmmmmm" // 4
          + "mmmmmmmmmmmmmmmm" // 5
          + "mmmmmmmmmmmmmmmm" // 6
          + "BBBBmmm.mmxxmmmm" // 7
          + "JJJJJJJJJJJJJJJJ" // 8
          + "mmmmmmmmmmmmmmmm" // 9
          + "...mBmxx...mBmmm" // a
          + "mmmmmmmmmmBmmmmm" // b
          + "mmBmBBBm........" // c
          + "mmmmmmmmmmmmmmmm" // d
          + "mmmmmmmmmmmmmmmm" // e
          + "mmmmmmmmmmmmmmmm"; // f

  private enum Encoding {
    LEGACY,
    /** VEX, EVEX or XOP: the opcode map's number is in the prefix. */
    EXTENDED
  }

  private byte[] code = new byte[0];
  private int end;
  private int at;
  private boolean short66;
  private boolean short67;
  private boolean wide;
  private boolean repeatF2;
  private boolean segmented;
  private boolean gs;
  private int rexBits;

  private int length;
  private FlowKind kind = FlowKind.NEXT;
  private boolean hasTarget;
  private long target;
  private boolean ripRelative;
  private boolean hasMemory;
  private boolean perCpu;
  private long memory;

  @Override
  public int longest() {
    return LONGEST;
  }

  @Override
  public Optional<Flow> decode(byte[] bytes, int offset, int limit, long address) {
    if (!scan(bytes, offset, limit, address)) {
      return Optional.empty();
    }
    return Optional.of(
        new Flow(
            length,
            kind,
            hasTarget ? OptionalLong.of(target) : OptionalLong.empty(),
            hasMemory ? OptionalLong.of(memory) : OptionalLong.empty(),
            perCpu ? OptionalLong.of(memory) : OptionalLong.empty()));
  }

  /**
   * Decodes one instruction into this object; the accessors below are valid until the next call and
   * only if this returned true. The parameters are those of {@link #decode}.
   */
  public boolean scan(byte[] bytes, int offset, int limit, long address) {
    Objects.checkFromToIndex(offset, limit, bytes.length);
    code = bytes;
    end = Math.min(limit, offset + LONGEST);
    at = offset;
    kind = FlowKind.NEXT;
    hasTarget = false;
    hasMemory = false;
    perCpu = false;
    ripRelative = false;
    if (!instruction() || at > end) {
      return false;
    }
    length = at - offset;
    long next = address + length;
    if (hasTarget) {
      target += next;
    }
    if (ripRelative) {
      memory += next;
    }
    if (short67) {
      memory &= 0xffff_ffffL;
    }
    perCpu = hasMemory && gs;
    hasMemory &= !segmented;
    return true;
  }

  /** Bytes that the instruction takes. */
  public int length() {
    return length;
  }

  public FlowKind kind() {
    return kind;
  }

  /** Whether {@link #target} is known. */
  public boolean hasTarget() {
    return hasTarget;
  }

  /** The virtual address to which a direct call, jump or branch goes. */
  public long target() {
    return target;
  }

  /** Whether {@link #memory} is known. */
  public boolean hasMemory() {
    return hasMemory;
  }

  /** The virtual address of a RIP-relative or absolute memory operand. */
  public long memory() {
    return memory;
  }

  /**
   * False when the bytes are no instruction. May leave {@link #at} after {@link #end}: the caller
   * checks.
   */
  private boolean instruction() {
    short66 = false;
    short67 = false;
    wide = false;
    repeatF2 = false;
    segmented = false;
    gs = false;
    rexBits = 0;
    while (at < end) {
      int opcode = u8();
      switch (opcode) {
        case 0x66 -> short66 = true;
        case 0x67 -> short67 = true;
        case 0xf2 -> repeatF2 = true;
        case 0x64, 0x65 -> {
          segmented = true;
          gs = opcode == 0x65;
        }
        case 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e -> {}
        case 0x40,
            0x41,
            0x42,
            0x43,
            0x44,
            0x45,
            0x46,
            0x47,
            0x48,
            0x49,
            0x4a,
            0x4b,
            0x4c,
            0x4d,
            0x4e,
            0x4f -> {
          // REX counts only directly before the opcode.
          rexBits = opcode;
          wide = (opcode & 8) != 0;
          continue;
        }
        default -> {
          return opcode(opcode);
        }
      }
      rexBits = 0;
      wide = false;
    }
    return false;
  }

  private boolean opcode(int opcode) {
    return switch (opcode) {
      case 0x0f -> at < end && twoByte(u8());
      // VEX: vvvv, L and pp do not change the length
      case 0xc5 -> skip(1) && extended(1);
      case 0xc4 -> {
        if (at + 2 >= end) {
          yield false;
        }
        int map = u8() & 0x1f;
        at++;
        yield map <= 3 && extended(map);
      }
      case 0x62 -> {
        if (at + 3 >= end) {
          yield false;
        }
        int map = u8() & 0x0f;
        at += 2;
        yield map != 4 && extended(map);
      }
      // XOP, or pop with ModRM.reg 0: the maps start at 8 so that the two differ (AMD volume 3,
      // section 1.2.7)
      case 0x8f -> {
        if (at < end && (code[at] & 0x1f) >= 8) {
          int map = u8() & 0x1f;
          yield skip(1) && extended(map);
        }
        yield follow(ONE_BYTE.charAt(opcode), opcode, false);
      }
      default -> follow(ONE_BYTE.charAt(opcode), opcode, false);
    };
  }

  private boolean extended(int map) {
    if (at >= end) {
      return false;
    }
    int opcode = u8();
    char follow =
        switch (map) {
          case 1 ->
              switch (opcode) {
                case 0x77 -> '.';
                case 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6 -> 'B';
                default -> 'm';
              };
          case 2, 5, 6, 9 -> 'm';
          case 3, 8 -> 'B';
          case 10 -> 'D';
          default -> 'x';
        };
    return switch (follow) {
      case '.' -> true;
      case 'm' -> modRm(Encoding.EXTENDED);
      case 'B' -> modRm(Encoding.EXTENDED) && skip(1);
      case 'D' -> modRm(Encoding.EXTENDED) && skip(4);
      default -> false;
    };
  }

  private boolean twoByte(int opcode) {
    switch (opcode) {
      case 0x38 -> {
        at++;
        return modRm(Encoding.LEGACY);
      }
      case 0x3a -> {
        at++;
        return modRm(Encoding.LEGACY) && skip(1);
      }
      // SSE4a: extrq and insertq carry two bytes where vmread carries none
      case 0x78 -> {
        return modRm(Encoding.LEGACY) && (!(short66 || repeatF2) || skip(2));
      }
      case 0x05, 0x34 -> kind = FlowKind.SYSTEM_CALL;
      case 0x07, 0x35, 0xaa -> kind = FlowKind.EXCEPTION_RETURN;
      case 0x0b, 0xb9, 0xff -> kind = FlowKind.TRAP;
      default -> {}
    }
    if (opcode == 0x01 && at < end) {
      // vmcall, vmmcall (KVM patches one into the other): they leave for the hypervisor and come
      // back
      int modRm = code[at] & 0xff;
      if (modRm == 0xc1 || modRm == 0xd9) {
        kind = FlowKind.SYSTEM_CALL;
      }
    }
    return follow(TWO_BYTE.charAt(opcode), opcode, true);
  }

  private boolean follow(char follow, int opcode, boolean second) {
    switch (follow) {
      case '.' -> {
        if (!second) {
          simpleKind(opcode);
        }
        return true;
      }
      case 'm' -> {
        if (!second && opcode == 0xff) {
          indirectKind();
        }
        return modRm(Encoding.LEGACY);
      }
      case 'r' -> {
        return skip(1);
      }
      case 'b' -> {
        if (opcode == 0xcd) {
          kind = FlowKind.SYSTEM_CALL;
        }
        return skip(1);
      }
      case 'B' -> {
        return modRm(Encoding.LEGACY) && skip(1);
      }
      case 'z' -> {
        return skip(immediate());
      }
      case 'Z' -> {
        if (opcode == 0xc7 && at < end && code[at] == (byte) 0xf8) {
          at++;
          return relative(FlowKind.BRANCH, 4); // xbegin
        }
        return modRm(Encoding.LEGACY) && skip(immediate());
      }
      case 'w' -> {
        kind = FlowKind.RETURN;
        return skip(2);
      }
      case 'e' -> {
        return skip(3);
      }
      case 'v' -> {
        return skip(wide ? 8 : immediate());
      }
      case 'o' -> {
        return absolute();
      }
      case 'j' -> {
        return relative(opcode == 0xeb ? FlowKind.JUMP : FlowKind.BRANCH, 1);
      }
      case 'J' -> {
        FlowKind direct = second ? FlowKind.BRANCH : opcode == 0xe8 ? FlowKind.CALL : FlowKind.JUMP;
        return relative(direct, 4);
      }
      case 't', 'T' -> {
        boolean test = at < end && (code[at] & 0x30) == 0;
        return modRm(Encoding.LEGACY) && (!test || skip(follow == 't' ? 1 : immediate()));
      }
      default -> {
        return false;
      }
    }
  }

  private void simpleKind(int opcode) {
    switch (opcode) {
      case 0xc3, 0xcb -> kind = FlowKind.RETURN;
      case 0xcf -> kind = FlowKind.EXCEPTION_RETURN;
      case 0xcc, 0xf1 -> kind = FlowKind.TRAP;
      default -> {}
    }
  }

  /** Group 5 (opcode ff): near and far calls and jumps through a register or memory. */
  private void indirectKind() {
    if (at < end) {
      switch (code[at] >> 3 & 7) {
        case 2, 3 -> kind = FlowKind.INDIRECT_CALL;
        case 4, 5 -> kind = FlowKind.INDIRECT_JUMP;
        default -> {}
      }
    }
  }

  private int immediate() {
    return short66 && !wide ? 2 : 4;
  }

  private boolean relative(FlowKind direct, int size) {
    if (at + size > end) {
      return false;
    }
    kind = direct;
    hasTarget = true;
    target = size == 1 ? code[at] : s32(at);
    at += size;
    return true;
  }

  /** The moffs operand of opcodes a0 to a3. */
  private boolean absolute() {
    int size = short67 ? 4 : 8;
    if (at + size > end) {
      return false;
    }
    hasMemory = true;
    memory = s32(at) & 0xffff_ffffL;
    if (size == 8) {
      memory |= (long) s32(at + 4) << 32;
    }
    at += size;
    return true;
  }

  /** ModRM, SIB and displacement (Intel volume 2, tables 2-2 and 2-3). */
  private boolean modRm(Encoding encoding) {
    if (at >= end) {
      return false;
    }
    int modRm = u8();
    int mod = modRm >> 6;
    int rm = modRm & 7;
    if (mod == 3) {
      return true;
    }
    int base = rm;
    boolean indexed = false;
    if (rm == 4) {
      if (at >= end) {
        return false;
      }
      int sib = u8();
      base = sib & 7;
      // The index extension of VEX and EVEX is not kept: never call such an operand absolute (it
      // may be a gather).
      indexed = encoding == Encoding.EXTENDED || (sib >> 3 & 7) != 4 || (rexBits & 2) != 0;
    }
    if (mod == 1) {
      return skip(1);
    }
    if (mod == 2) {
      return skip(4);
    }
    if (base != 5) {
      return true;
    }
    if (at + 4 > end) {
      return false;
    }
    ripRelative = rm == 5;
    hasMemory = !indexed;
    memory = s32(at);
    at += 4;
    return true;
  }

  private boolean skip(int count) {
    at += count;
    return at <= end;
  }

  private int u8() {
    return code[at++] & 0xff;
  }

  private int s32(int from) {
    return (code[from] & 0xff)
        | (code[from + 1] & 0xff) << 8
        | (code[from + 2] & 0xff) << 16
        | code[from + 3] << 24;
  }
}
