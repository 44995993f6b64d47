// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.model.Registers;

/**
 * One function activation on a stack.
 *
 * @param pc the address in the text: exact for the innermost frame and below an interrupt, else a
 *     return address
 * @param exact whether {@code pc} is the instruction itself and not a return address
 * @param registers what is known of the registers in this frame
 * @param cfa the end of this frame: the stack pointer before this function was called, or, when an
 *     interrupt or exception led here, the address of the registers that it saved; the frame's own
 *     stack pointer where neither is known
 * @param how how this frame was found
 * @param stack the name of the stack it is on: {@code task}, {@code irq}, {@code nmi}, {@code #DF},
 *     ..., or {@code unknown}
 */
public record Frame(long pc, boolean exact, Registers registers, long cfa, How how, String stack) {
  /**
   * The address to look up symbols, lines and unwind rows with: a return address may already belong
   * to the next function when the call does not return.
   */
  public long lookup() {
    return exact ? pc : pc - 1;
  }

  /** How a frame was found, best first. */
  public enum How {
    /** From the CPU's registers or a saved task switch frame. */
    REGISTERS("registers"),
    ORC("orc"),
    CFI("cfi"),
    /** From registers that an interrupt or exception had pushed. */
    EXCEPTION("exception"),
    /** By debug information: it called the frame before it and left the stack to it. */
    TAIL_CALL("tail-call"),
    FRAME_POINTER("frame-pointer"),
    /** A word on the stack that looks like a return address: it may be stale. */
    SCAN("scan");

    private final String text;

    How(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }
}
