// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.orc;

/**
 * One entry: how to get from an instruction's frame to its caller's.
 *
 * @param sp where the caller's stack pointer is found
 * @param spOffset added to it, in bytes
 * @param bp where the caller's frame pointer is found
 * @param bpOffset added to it, in bytes
 * @param type what lies at the caller's stack pointer
 * @param signal whether the frame's own instruction was interrupted, so that its pc is exact and no
 *     return address
 */
public record OrcEntry(Base sp, int spOffset, Base bp, int bpOffset, Type type, boolean signal) {

  /** {@code ORC_REG_*}: what an offset is added to. The order is the encoding's before 7.2. */
  public enum Base {
    /** For bp: unchanged. For sp: there is no way on. */
    UNDEFINED,
    /** The caller's stack pointer, which was computed before. */
    PREV_SP,
    DX,
    DI,
    BP,
    SP,
    R10,
    R13,
    /** The word in memory at bp + offset. */
    BP_INDIRECT,
    /** The word in memory at sp, to which the offset is then added. */
    SP_INDIRECT,
    /** Since 7.1. */
    AX,
    /** A number whose meaning is not known. */
    UNKNOWN;

    private static final Base[] ALL = values();

    /**
     * The numbers of 7.2, from the tables of a running kernel: each use of a register in them has
     * its like in 6.12's. 1, 2 and 5, which hardly any entry has, are not known.
     */
    private static final Base[] RENUMBERED = {
      UNDEFINED, UNKNOWN, UNKNOWN, SP, BP, UNKNOWN, R10, R13, PREV_SP, SP_INDIRECT, BP_INDIRECT
    };

    static Base of(int number, OrcLayout layout) {
      if (layout == OrcLayout.V7_2) {
        return number < RENUMBERED.length ? RENUMBERED[number] : UNKNOWN;
      }
      return number < UNKNOWN.ordinal() ? ALL[number] : UNKNOWN;
    }
  }

  /** {@code ORC_TYPE_*}. */
  public enum Type {
    /** Nothing is known about this code. */
    UNDEFINED,
    /** The outermost frame. */
    END_OF_STACK,
    /** A call: the word below the caller's stack pointer is the return address. */
    CALL,
    /** A whole {@code struct pt_regs} stands at the computed address. */
    REGS,
    /**
     * Only the end of {@code struct pt_regs} stands there, what the CPU pushed: ip, cs, flags, sp,
     * ss.
     */
    REGS_PARTIAL
  }
}
