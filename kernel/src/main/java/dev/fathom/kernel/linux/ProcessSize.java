// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.MemoryUse;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Memory;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The size of a process: {@code mm->total_vm} pages, of which those in memory are counted by kind
 * in {@code mm->rss_stat}. That is an array of {@code struct percpu_counter} (since 6.2), whose
 * CPUs keep differences of their own, or a {@code struct mm_rss_stat} with the array {@code count}
 * (before); as the kernel does, what threads have not added to it yet is left out.
 */
final class ProcessSize {
  private static final long PAGE = 4096;

  /** MM_FILEPAGES, MM_ANONPAGES and MM_SHMEMPAGES of include/linux/mm_types_task.h, since 4.5. */
  private static final List<Integer> RESIDENT = List.of(0, 1, 3);

  private final Memory memory;
  private final PerCpu cpus;
  private final Optional<Field> mm;
  private final Optional<Field> total;
  private final OptionalLong counts;
  private final long stride;
  private final long countOffset;
  private final Optional<Field> differences;

  ProcessSize(LinuxProgram program, Layouts layouts, PerCpu cpus) {
    this.memory = program.memory();
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
      long resident = 0;
      for (int kind : RESIDENT) {
        resident += Math.max(0, count(process + counts.getAsLong() + kind * stride));
      }
      return Optional.of(
          new MemoryUse(total.get().at(memory, process) * PAGE, resident * PAGE));
    } catch (FaultException _) {
      // A process whose structure is not in the dump has no size; ps says so in its cell.
      return Optional.empty();
    }
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
