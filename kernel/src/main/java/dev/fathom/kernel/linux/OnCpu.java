// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Registers;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What is on a CPU, read each time it is asked for: {@code pcpu_hot.current_task} (6.2 to 6.13),
 * the per-CPU {@code current_task} (before, and again since 6.14), or else {@code runqueues.curr}.
 */
final class OnCpu {
  /** THREAD_SIZE is 16 KiB, with KASAN 32 KiB (arch/x86/include/asm/page_64_types.h). */
  private static final long STACK_LIMIT = 32 << 10;

  private final LinuxProgram program;
  private final PerCpu perCpu;
  private final Optional<Field> hot;
  private final Optional<Field> queueCurrent;
  private final Optional<Field> stack;

  OnCpu(LinuxProgram program, PerCpu perCpu, Layouts layouts) {
    this.program = program;
    this.perCpu = perCpu;
    this.hot = layouts.find("pcpu_hot", "current_task");
    this.queueCurrent = layouts.find("rq", "curr");
    this.stack = layouts.find("task_struct", "stack");
  }

  /** The task on the kernel's CPU number {@code cpu}. */
  OptionalLong task(int cpu) {
    var task = pointer("pcpu_hot", cpu, hot);
    if (task.isEmpty()) {
      task = pointer("current_task", cpu, 0);
    }
    if (task.isEmpty()) {
      task = pointer("runqueues", cpu, queueCurrent);
    }
    return task.isPresent() && task.getAsLong() != 0 ? task : OptionalLong.empty();
  }

  OptionalLong pointer(String variable, int cpu, Optional<Field> member) {
    return member.isPresent()
        ? pointer(variable, cpu, member.get().offset())
        : OptionalLong.empty();
  }

  private OptionalLong pointer(String variable, int cpu, long offset) {
    var address = perCpu.address(variable, cpu);
    if (address.isEmpty()) {
      return address;
    }
    try {
      return OptionalLong.of(program.memory().u64(address.getAsLong() + offset));
    } catch (FaultException _) {
      return OptionalLong.empty(); // The CPU's area is not in the dump: nothing is known of it.
    }
  }

  /**
   * The kernel's number of the CPU with these registers: by the base of its per-CPU area, else by
   * its task, else by the stack that it is on.
   */
  OptionalInt number(Registers registers) {
    for (var register : program.machine().perCpuBases()) {
      var value = registers.get(register);
      if (value.isPresent()) {
        int cpu = perCpu.ofOffset(value.getAsLong());
        if (cpu >= 0) {
          return OptionalInt.of(cpu);
        }
      }
    }
    var current = program.machine().currentTask(registers);
    if (current.isPresent()) {
      for (int cpu : perCpu.possible()) {
        var task = task(cpu);
        if (task.isPresent() && task.getAsLong() == current.getAsLong()) {
          return OptionalInt.of(cpu);
        }
      }
    }
    return byStack(registers);
  }

  private OptionalInt byStack(Registers registers) {
    var tasks = new HashMap<Integer, Long>();
    for (int cpu : perCpu.possible()) {
      task(cpu).ifPresent(task -> tasks.put(cpu, task));
    }
    return byStack(registers, tasks);
  }

  /**
   * The CPU on whose task's stack the stack pointer is: the one that begins nearest below it, since
   * smaller stacks than the largest there are may stand side by side.
   *
   * @param tasks by the numbers of their CPUs
   */
  OptionalInt byStack(Registers registers, Map<Integer, Long> tasks) {
    var found = OptionalInt.empty();
    var sp = registers.sp();
    long nearest = STACK_LIMIT;
    for (var entry : tasks.entrySet()) {
      if (sp.isEmpty() || stack.isEmpty()) {
        break;
      }
      try {
        long above = sp.getAsLong() - stack.get().at(program.memory(), entry.getValue());
        if (Long.compareUnsigned(above, nearest) < 0) {
          nearest = above;
          found = OptionalInt.of(entry.getKey());
        }
      } catch (FaultException _) {
        continue; // This CPU's task is not in the dump; the others may be.
      }
    }
    return found;
  }
}
