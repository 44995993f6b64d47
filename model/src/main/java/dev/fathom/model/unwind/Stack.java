// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.base.Range;
import java.util.Optional;

/**
 * A stretch of memory that is used as a stack, growing down.
 *
 * @param name {@code task}, {@code irq}, {@code nmi}, {@code #DF}, ...: for people
 * @param exit how to get from its top to the stack that was in use before, where that is recorded
 *     at its top. Only needed when the frames on it could not be followed. Its rules need no
 *     register; without a rule for the pc only the stack pointer is known.
 */
public record Stack(String name, Range range, Optional<UnwindRow> exit) {}
