// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.MemoryUse;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.ListNodes;
import dev.fathom.model.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The size of a process: {@code mm->total_vm} pages, of which those in memory are counted by kind
 * in {@code mm->rss_stat}. That is an array of {@code struct percpu_counter} (since 6.2), whose
 * CPUs keep differences of their own, or a {@code struct mm_rss_stat} with the array {@code count}
 * (before), to which each thread adds what it counted by itself, {@code struct task_rss_stat} in
 * {@code task_struct.rss_stat} (from 2.6.34 to 6.1, include/linux/mm_types_task.h), only now and
 * then. All of it is added up here, so that the sum is that of the page tables, where {@code
 * /proc/PID/statm} leaves out what has not been added yet.
 */
final class ProcessSize {
  private static final long PAGE = 4096;

  /** MM_FILEPAGES, MM_ANONPAGES and MM_SHMEMPAGES of include/linux/mm_types_task.h, since 4.5. */
  private static final List<Integer> RESIDENT = List.of(0, 1, 3);

  private static final int KINDS = 4;

  private final Memory memory;
  private final PerCpu cpus;
  private final Optional<Field> mm;
  private final Optional<Field> total;
  private final OptionalLong counts;
  private final long stride;
  private final long countOffset;
  private final Optional<Field> differences;

  /** Of a thread's own counts in its {@code task_struct}: one {@code int} for each kind. */
  private final OptionalLong ownCounts;

  private final LinuxProgram program;
  private final TaskReader tasks;
  private Threads last = new Threads(0, 0, new long[KINDS]);

  /** What the threads of the process with that {@code signal_struct} have not added yet. */
  private record Threads(long signal, long epoch, long[] counts) {}

  ProcessSize(LinuxProgram program, Layouts layouts, PerCpu cpus, TaskReader tasks) {
    this.program = program;
    this.tasks = tasks;
    this.memory = program.memory();
    ownCounts = layouts.types().findOffset("task_struct", "rss_stat.count");
    this.cpus = cpus;
    mm = layouts.find("task_struct", "mm");
    total = layouts.find("mm_struct", "total_vm");
    var old = layouts.types().findOffset("mm_struct", "rss_stat.count");
    var size = layouts.size("percpu_counter");
    if (old.isPresent() || size.isEmpty()) {
      counts = old;
      stride = Long.BYTES;
      differences = Optional.empty();
    } else {
      var array = layouts.types().findOffset("mm_struct", "rss_stat");
      var count = layouts.types().findOffset("percpu_counter", "count");
      counts =
          array.isPresent() && count.isPresent()
              ? OptionalLong.of(array.getAsLong() + count.getAsLong())
              : OptionalLong.empty();
      stride = size.getAsInt();
      differences =
          count.isPresent() ? layouts.find("percpu_counter", "counters") : Optional.empty();
    }
    countOffset = layouts.types().findOffset("percpu_counter", "count").orElse(0);
  }

  Optional<MemoryUse> of(Task task) {
    if (mm.isEmpty() || total.isEmpty() || counts.isEmpty()) {
      return Optional.empty();
    }
    try {
      long process = mm.get().at(memory, task.object().address());
      if (process == 0) {
        return Optional.empty();
      }
      var cached = threads(task);
      if (cached.isEmpty()) {
        return Optional.empty();
      }
      long resident = 0;
      for (int kind : RESIDENT) {
        long count = count(process + counts.getAsLong() + kind * stride) + cached.get()[kind];
        resident += Math.max(0, count);
      }
      return Optional.of(new MemoryUse(total.get().at(memory, process) * PAGE, resident * PAGE));
    } catch (FaultException _) {
      // A process whose structure is not in the dump has no size; ps says so in its cell.
      return Optional.empty();
    }
  }

  /**
   * By kind, what the threads of the task's process counted by themselves; kept for its next
   * thread. Empty when the list of threads is broken.
   */
  private Optional<long[]> threads(Task task) {
    if (ownCounts.isEmpty()) {
      return Optional.of(new long[KINDS]);
    }
    long signal = tasks.raw(task.object().address()).signal();
    if (last.signal() != signal || last.epoch() != program.epoch()) {
      var sums = new long[KINDS];
      var remarks = new ArrayList<String>();
      var nodes = ListNodes.forward(memory, tasks.threadList(signal), remarks::add);
      while (nodes.hasNext()) {
        long own = tasks.ofThreadNode(nodes.nextLong()) + ownCounts.getAsLong();
        for (int kind : RESIDENT) {
          sums[kind] += memory.i32(own + kind * (long) Integer.BYTES);
        }
      }
      if (!remarks.isEmpty()) {
        return Optional.empty();
      }
      last = new Threads(signal, program.epoch(), sums);
    }
    return Optional.of(last.counts());
  }

  private long count(long at) {
    long count = memory.u64(at);
    if (differences.isPresent()) {
      long offset = differences.get().at(memory, at - countOffset);
      for (int cpu : cpus.possible()) {
        var base = cpus.offset(cpu);
        count += base.isPresent() ? memory.i32(offset + base.getAsLong()) : 0;
      }
    }
    return count;
  }
}
