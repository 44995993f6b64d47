// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.model.Registers;
import java.util.Optional;

/**
 * What a walk must know of the machine and the operating system: where stacks are and what belongs
 * on them. No method throws for memory that cannot be read: it then knows nothing.
 */
public interface Stacks {
  /** The stack that {@code sp} points into. The same stack is always an equal value. */
  Optional<Stack> containing(long sp);

  /** Whether {@code address} may be that of an instruction. */
  boolean isText(long address);

  /** Whether {@code address} is in the text and directly after a call. */
  boolean isReturnAddress(long address);

  /**
   * Whether {@code address} is in text that is given up once it has run, such as that of a kernel's
   * start: what called there cannot be seen any more.
   */
  default boolean isDiscarded(long address) {
    return false;
  }

  /**
   * The return address that stands for {@code found}, which is at {@code slot}: tracers replace
   * those on the stack by their own and keep the real ones elsewhere.
   */
  default long returnAddress(long found, long slot) {
    return found;
  }

  /** What the call before a return address calls. */
  enum Callee {
    /** The function in question. */
    THIS,
    /** One that is only known when it runs. */
    ANY,
    /** Another function: a frame in between is missing, or one called the other by a jump. */
    OTHER
  }

  /**
   * What the call before {@code returnAddress} calls, as seen from the function that holds {@code
   * pc}.
   */
  Callee callee(long returnAddress, long pc);

  /**
   * The row for the frame with these registers where the machine's calling convention or the
   * kernel's own tells it; asked when no unwind source has one.
   *
   * @param exact whether the pc is the next instruction, and not a return address
   */
  default Optional<UnwindRow> conventional(Registers registers, boolean exact) {
    return Optional.empty();
  }

  /**
   * The row for a full set of registers at {@code address}, as kernels built with frame pointers
   * mark them by an odd frame pointer; empty when what is there cannot be one.
   */
  Optional<UnwindRow> savedRegisters(long address);

  /**
   * The row for the registers that an interrupt saved, when what the CPU itself had pushed looks to
   * be at {@code address}. Used by scans, so it must be sure.
   */
  Optional<UnwindRow> interruptFrame(long address);

  /**
   * Why there is no frame in a caller with these registers, when there is none: {@code entry from
   * user mode}, ...
   */
  Optional<String> outermost(Registers caller);
}
