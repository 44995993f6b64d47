// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.LongSet;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Cpu;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What runs where: the current and idle task of each CPU and the target's registers for it. All
 * possible CPUs count: those that a panic has stopped are no longer online.
 *
 * <p>The current task is {@code pcpu_hot.current_task} (6.2 to 6.13), the per-CPU {@code
 * current_task} (before, and again since 6.14), or else {@code runqueues.curr}.
 */
final class Cpus {
  /** THREAD_SIZE is 16 KiB, with KASAN 32 KiB (arch/x86/include/asm/page_64_types.h). */
  private static final long STACK_LIMIT = 32 << 10;

  private final LinuxProgram program;
  private final PerCpu perCpu;
  private final Layouts layouts;
  private final List<Cpu> targetCpus;
  private final Map<Integer, Long> currents = new HashMap<>();
  private final LongSet running = new LongSet();
  private Map<Integer, Registers> registers;

  Cpus(LinuxProgram program, PerCpu perCpu, Layouts layouts, List<Cpu> targetCpus) {
    this.program = program;
    this.perCpu = perCpu;
    this.layouts = layouts;
    this.targetCpus = targetCpus;
    var hot = layouts.find("pcpu_hot", "current_task");
    var queueCurrent = layouts.find("rq", "curr");
    for (int cpu : perCpu.possible()) {
      var task = pointer("pcpu_hot", cpu, hot);
      if (task.isEmpty()) {
        task = pointer("current_task", cpu);
      }
      if (task.isEmpty()) {
        task = pointer("runqueues", cpu, queueCurrent);
      }
      if (task.isPresent() && task.getAsLong() != 0) {
        currents.put(cpu, task.getAsLong());
        running.add(task.getAsLong());
      }
    }
  }

  private OptionalLong pointer(String variable, int cpu, Optional<Field> member) {
    return member.isPresent()
        ? pointer(variable, cpu, member.get().offset())
        : OptionalLong.empty();
  }

  private OptionalLong pointer(String variable, int cpu) {
    return pointer(variable, cpu, 0);
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

  PerCpu perCpu() {
    return perCpu;
  }

  /** The task on {@code cpu}. */
  OptionalLong current(int cpu) {
    var task = currents.get(cpu);
    return task == null ? OptionalLong.empty() : OptionalLong.of(task);
  }

  /** Whether the task is on a CPU. */
  boolean isRunning(long task) {
    return running.contains(task);
  }

  /** The idle task of {@code cpu}. */
  OptionalLong idle(int cpu) {
    return pointer("runqueues", cpu, layouts.find("rq", "idle"));
  }

  /** The registers that the target has of the kernel's CPU number {@code cpu}. */
  Optional<Registers> registers(int cpu) {
    if (registers == null) {
      registers = match();
    }
    return Optional.ofNullable(registers.get(cpu));
  }

  /** The CPU that the task is on. */
  Optional<Integer> cpuOf(long task) {
    for (var entry : currents.entrySet()) {
      if (entry.getValue() == task) {
        return Optional.of(entry.getKey());
      }
    }
    return Optional.empty();
  }

  /**
   * Which of the target's CPUs is which of the kernel's: by the base of its per-CPU area in GS, by
   * the stack it is on, and only then by number (a dump of a machine with CPUs offline numbers
   * those that are left).
   */
  private Map<Integer, Registers> match() {
    var matched = new HashMap<Integer, Registers>();
    var left = new ArrayList<Cpu>();
    for (var target : targetCpus) {
      var cpu = byGsBase(target.registers());
      if (cpu.isEmpty()) {
        cpu = byStack(target.registers());
      }
      if (cpu.isEmpty() || matched.putIfAbsent(cpu.get(), target.registers()) != null) {
        left.add(target);
      }
    }
    for (var target : left) {
      if (perCpu.offset(target.id()).isPresent()) {
        matched.putIfAbsent(target.id(), target.registers());
      }
    }
    return matched;
  }

  private Optional<Integer> byGsBase(Registers registers) {
    var gs = registers.get(X86_64.GS_BASE);
    var other = registers.get(X86_64.KERNEL_GS_BASE);
    for (int cpu : perCpu.possible()) {
      var base = perCpu.offset(cpu);
      if (base.isPresent() && (isBase(gs, base.getAsLong()) || isBase(other, base.getAsLong()))) {
        return Optional.of(cpu);
      }
    }
    return Optional.empty();
  }

  private static boolean isBase(OptionalLong register, long base) {
    return register.isPresent() && register.getAsLong() == base;
  }

  private Optional<Integer> byStack(Registers registers) {
    var sp = registers.sp();
    var stack = layouts.find("task_struct", "stack");
    if (sp.isEmpty() || stack.isEmpty()) {
      return Optional.empty();
    }
    for (var entry : currents.entrySet()) {
      try {
        long base = stack.get().at(program.memory(), entry.getValue());
        if (Long.compareUnsigned(sp.getAsLong() - base, STACK_LIMIT) < 0) {
          return Optional.of(entry.getKey());
        }
      } catch (FaultException _) {
        continue; // This CPU's task is not in the dump; the others may be.
      }
    }
    return Optional.empty();
  }
}
