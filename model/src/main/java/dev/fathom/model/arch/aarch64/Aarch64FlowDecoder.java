// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.aarch64;

import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowDecoder;
import dev.fathom.model.arch.FlowKind;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Flow of control of A64 instructions, after section C4.1 ("A64 instruction set encoding") of the
 * Arm Architecture Reference Manual. Instructions are four bytes, little-endian whatever the byte
 * order of data, and aligned.
 */
public final class Aarch64FlowDecoder implements FlowDecoder {
  private static final int BYTES = 4;

  @Override
  public int longest() {
    return BYTES;
  }

  @Override
  public Optional<Flow> decode(byte[] code, int offset, int end, long address) {
    Objects.checkFromToIndex(offset, end, code.length);
    if (end - offset < BYTES || (address & 3) != 0) {
      return Optional.empty();
    }
    int word =
        (code[offset] & 0xff)
            | (code[offset + 1] & 0xff) << 8
            | (code[offset + 2] & 0xff) << 16
            | code[offset + 3] << 24;
    return Optional.of(flow(word, address));
  }

  private static Flow flow(int word, long pc) {
    if ((word & 0x7c00_0000) == 0x1400_0000) { // b, bl
      return to(word < 0 ? FlowKind.CALL : FlowKind.JUMP, pc + 4 * field(word, 0, 26));
    }
    if ((word & 0xff00_0000) == 0x5400_0000) { // b.cond, bc.cond
      return to(FlowKind.BRANCH, pc + 4 * field(word, 5, 19));
    }
    if ((word & 0x7e00_0000) == 0x3400_0000) { // cbz, cbnz
      return to(FlowKind.BRANCH, pc + 4 * field(word, 5, 19));
    }
    if ((word & 0x7e00_0000) == 0x3600_0000) { // tbz, tbnz
      return to(FlowKind.BRANCH, pc + 4 * field(word, 5, 14));
    }
    if ((word & 0xfe00_0000) == 0xd600_0000) {
      return new Flow(BYTES, throughRegister(word), OptionalLong.empty(), OptionalLong.empty());
    }
    if ((word & 0xff00_0000) == 0xd400_0000) {
      return new Flow(BYTES, exception(word), OptionalLong.empty(), OptionalLong.empty());
    }
    if ((word & 0xffff_0000) == 0) { // udf
      return new Flow(BYTES, FlowKind.TRAP, OptionalLong.empty(), OptionalLong.empty());
    }
    return new Flow(BYTES, FlowKind.NEXT, OptionalLong.empty(), memory(word, pc));
  }

  /**
   * Unconditional branch (register): br, blr, ret, eret, drps and their forms with authentication.
   */
  private static FlowKind throughRegister(int word) {
    return switch (word >> 21 & 0xf) {
      case 0, 8 -> FlowKind.INDIRECT_JUMP;
      case 1, 9 -> FlowKind.INDIRECT_CALL;
      case 2 -> FlowKind.RETURN;
      case 4, 5 -> FlowKind.EXCEPTION_RETURN;
      default -> FlowKind.TRAP;
    };
  }

  /** Exception generation: svc, hvc and smc come back; brk, hlt and dcps do not. */
  private static FlowKind exception(int word) {
    boolean call = (word >> 21 & 7) == 0 && (word & 3) != 0;
    return call ? FlowKind.SYSTEM_CALL : FlowKind.TRAP;
  }

  /** What adr, adrp (the page) and the literal loads refer to. */
  private static OptionalLong memory(int word, long pc) {
    if ((word & 0x1f00_0000) == 0x1000_0000) {
      long offset = field(word, 5, 19) << 2 | (word >> 29 & 3);
      return OptionalLong.of(word < 0 ? (pc & -4096L) + (offset << 12) : pc + offset);
    }
    if ((word & 0x3b00_0000) == 0x1800_0000) {
      return OptionalLong.of(pc + 4 * field(word, 5, 19));
    }
    return OptionalLong.empty();
  }

  private static Flow to(FlowKind kind, long target) {
    return new Flow(BYTES, kind, OptionalLong.of(target), OptionalLong.empty());
  }

  /** A signed bit field. */
  private static long field(int word, int from, int bits) {
    return (long) word << (64 - from - bits) >> (64 - bits);
  }
}
