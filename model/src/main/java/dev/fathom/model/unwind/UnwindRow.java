// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.model.Register;
import java.util.Map;

/**
 * How to get from a frame to its caller.
 *
 * @param cfa the canonical frame address: the stack pointer in the caller, unless {@code rules}
 *     says otherwise
 * @param rules registers of the caller; a register that is not named is lost, but for the stack
 *     pointer, which is the CFA
 * @param kind what the caller's state is
 */
public record UnwindRow(Rule cfa, Map<Register, Rule> rules, Kind kind) {
  public enum Kind {
    /** The caller called this function: its pc is a return address. */
    CALL,
    /** The registers were saved by an interrupt, exception or signal: the caller's pc is exact. */
    INTERRUPTED,
    /**
     * As {@link #INTERRUPTED}, but only pc, sp, flags and segments were saved (a bare hardware
     * frame).
     */
    INTERRUPTED_PARTIAL,
    /** This is the outermost frame. */
    END
  }

  public UnwindRow {
    rules = Map.copyOf(rules);
  }
}
