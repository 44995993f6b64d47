// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.Registers;
import dev.fathom.target.Cpu;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * A CPU that stopped at a breakpoint; what is not asked for is not read. Valid until it goes on.
 */
public final class Hit {
  private final Kernel kernel;
  private final int id;
  private final Supplier<Cpu> asked;
  private final Optional<Registers> told;
  private Optional<Cpu> cpu = Optional.empty();
  private Optional<Task> task = Optional.empty();
  private boolean read;

  Hit(Kernel kernel, Cpu cpu) {
    this(kernel, cpu.id(), Optional.empty(), () -> cpu);
  }

  /**
   * One whose CPU is read when more is asked for than came with the stop.
   *
   * @param id the CPU, as the target numbers it
   * @param told the registers that came with the stop
   */
  Hit(Kernel kernel, int id, Optional<Registers> told, Supplier<Cpu> asked) {
    this.kernel = kernel;
    this.id = id;
    this.told = told;
    this.asked = asked;
  }

  public Kernel kernel() {
    return kernel;
  }

  /** The CPU, as the target numbers it. */
  public Cpu cpu() {
    cpu = cpu.or(() -> Optional.of(asked.get()));
    return cpu.get();
  }

  /** All of the CPU's registers. */
  public Registers registers() {
    return cpu().registers();
  }

  /** The registers that came with the stop. */
  Optional<Registers> told() {
    return told;
  }

  /** The CPU's number, as the target has it. */
  public int id() {
    return id;
  }

  /** The thread on the CPU, where the kernel can tell. */
  public Optional<Task> task() {
    if (!read) {
      task = kernel.running(cpu());
      read = true;
    }
    return task;
  }

  /** The address of the structure of the thread on the CPU; 0 where it is not known. */
  long thread() {
    var current = task();
    return current.isPresent() ? current.get().object().address() : 0;
  }

  /** Where the CPU stands. */
  public long pc() {
    var pc = told.isPresent() ? told.get().pc() : OptionalLong.empty();
    return pc.isPresent() ? pc.getAsLong() : registers().pc().orElse(0);
  }

  long sp() {
    var sp = told.isPresent() ? told.get().sp() : OptionalLong.empty();
    return sp.isPresent() ? sp.getAsLong() : registers().sp().orElse(0);
  }
}
