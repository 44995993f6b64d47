// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.Registers;
import dev.fathom.target.Cpu;
import java.util.Optional;

/**
 * A CPU that stopped at a breakpoint; what is not asked for is not read. Valid until it goes on.
 */
public final class Hit {
  private final Kernel kernel;
  private final Cpu cpu;
  private Optional<Task> task = Optional.empty();
  private boolean read;

  Hit(Kernel kernel, Cpu cpu) {
    this.kernel = kernel;
    this.cpu = cpu;
  }

  public Kernel kernel() {
    return kernel;
  }

  /** The CPU, as the target numbers it. */
  public Cpu cpu() {
    return cpu;
  }

  public Registers registers() {
    return cpu.registers();
  }

  /** The thread on the CPU, where the kernel can tell. */
  public Optional<Task> task() {
    if (!read) {
      task = kernel.running(cpu);
      read = true;
    }
    return task;
  }

  /** The address of the structure of the thread on the CPU; 0 where it is not known. */
  long thread() {
    var current = task();
    return current.isPresent() ? current.get().object().address() : 0;
  }

  long pc() {
    return cpu.registers().pc().orElse(0);
  }

  long sp() {
    return cpu.registers().sp().orElse(0);
  }
}
