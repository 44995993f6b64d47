// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.base.LongSet;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Registers;
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
 */
final class Cpus {
  private final LinuxProgram program;
  private final PerCpu perCpu;
  private final Layouts layouts;
  private final OnCpu onCpu;
  private final List<Cpu> targetCpus;
  private final Map<Integer, Long> currents = new HashMap<>();
  private final LongSet running = new LongSet();
  private Map<Integer, Registers> registers;

  Cpus(LinuxProgram program, PerCpu perCpu, Layouts layouts, List<Cpu> targetCpus) {
    this.program = program;
    this.perCpu = perCpu;
    this.layouts = layouts;
    this.targetCpus = targetCpus;
    this.onCpu = new OnCpu(program, perCpu, layouts);
    for (int cpu : perCpu.possible()) {
      var task = onCpu.task(cpu);
      if (task.isPresent()) {
        currents.put(cpu, task.getAsLong());
        running.add(task.getAsLong());
      }
    }
    if (currents.isEmpty() && perCpu.possible().length == 1) {
      byRegisters();
    }
  }

  /** The task of the only CPU as its registers tell it. */
  private void byRegisters() {
    for (var target : targetCpus) {
      var task = program.machine().currentTask(target.registers());
      if (task.isPresent()) {
        currents.put(perCpu.possible()[0], task.getAsLong());
        running.add(task.getAsLong());
        return;
      }
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

  /**
   * The idle task of {@code cpu}; empty where the kernel does not say where it keeps it.
   *
   * @throws FaultException when it cannot be read
   */
  OptionalLong idle(int cpu) {
    var queue = perCpu.address("runqueues", cpu);
    var member = layouts.find("rq", "idle");
    return queue.isPresent() && member.isPresent()
        ? OptionalLong.of(program.memory().u64(queue.getAsLong() + member.get().offset()))
        : OptionalLong.empty();
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
   * Which of the target's CPUs is which of the kernel's: as its registers tell, and only then by
   * number (a dump of a machine with CPUs offline numbers those that are left).
   */
  private Map<Integer, Registers> match() {
    var matched = new HashMap<Integer, Registers>();
    var left = new ArrayList<Cpu>();
    for (var target : targetCpus) {
      var cpu = onCpu.number(target.registers());
      if (cpu.isEmpty()) {
        cpu = onCpu.byStack(target.registers(), currents); // Those that registers told of, too.
      }
      if (cpu.isEmpty() || matched.putIfAbsent(cpu.getAsInt(), target.registers()) != null) {
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
}
