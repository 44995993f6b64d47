// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.model.unwind.Words;
import java.util.List;
import java.util.Optional;

/** How the kernel of one architecture uses its stacks. */
interface Rules {
  /** Makes the rules for a program whose tasks' stacks have {@code threadSize} bytes. */
  interface Maker {
    Rules of(Program program, long threadSize);
  }

  /** Where instructions are besides the kernel's image. */
  List<Range> moduleSpaces();

  /**
   * More unwind sources.
   *
   * @param tables those that there are
   */
  List<UnwindSource> sources(List<UnwindSource> tables);

  /**
   * What a task saved when it was switched out; empty where the types do not say.
   *
   * @throws FaultException when it cannot be read
   */
  Optional<Registers> saved(long task);

  /**
   * The row for the registers of user mode at the top of a task's stack that ends at an address.
   */
  UnwindRow atTop(long end);

  /** The registers that {@link #atTop} describes; what cannot be read is absent. */
  Registers topRegisters(long end, Words words);

  /**
   * The stacks of a CPU. What cannot be found is left out.
   *
   * @param base what is added to the offsets of per-CPU variables
   */
  List<Stack> cpuStacks(long base);

  /** Whether registers are those of user mode. */
  boolean isUser(Registers registers);

  /** Whether registers are all that a CPU has, and not what a call left. */
  boolean isOfCpu(Registers registers);

  /** Whether a CPU begins in the function of that name. */
  boolean startsCpu(String function);

  /** Whether a function only leads to another that is not known before it runs. */
  boolean isTrampoline(String function);

  /** The address that a stored return address stands for. */
  long returnAddress(long stored);

  /** As {@link dev.fathom.model.unwind.Stacks#conventional}. */
  Optional<UnwindRow> conventional(Registers registers, boolean exact, LinuxStacks.View view);

  /** As {@link dev.fathom.model.unwind.Stacks#savedRegisters}, for an address on a stack. */
  Optional<UnwindRow> savedRegisters(long address, Words words);

  /** As {@link dev.fathom.model.unwind.Stacks#interruptFrame}. */
  Optional<UnwindRow> interruptFrame(long address, LinuxStacks.View view);

  /** As {@link dev.fathom.model.unwind.Stacks#outermost}. */
  Optional<String> outermost(Registers caller);

  /** Whether user mode's registers are on kernel stacks. */
  default boolean hasUserMode() {
    return true;
  }

  /** Whether a task's stack of that size may be at {@code base}: in the kernel's half. */
  default boolean mayBeStack(long base, long size) {
    return base < base + size && base + size < 0;
  }
}
