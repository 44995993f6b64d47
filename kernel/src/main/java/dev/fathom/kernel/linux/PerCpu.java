// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.linux.data.Block;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * The CPUs that the kernel knows and where each keeps its variables (include/linux/cpumask.h,
 * arch/x86/kernel/setup_percpu.c): {@code __cpu_possible_mask}, {@code __cpu_online_mask} and
 * {@code __per_cpu_offset}, all since before 4.19.
 */
final class PerCpu {
  /** NR_CPUS can be configured up to this (arch/x86/Kconfig, NR_CPUS_RANGE_END). */
  private static final int CPU_LIMIT = 8192;

  private final LinuxProgram program;
  private final int[] possible;
  private final int[] online;
  private final long[] offsets;
  private final boolean single;

  private PerCpu(
      LinuxProgram program, int[] possible, int[] online, long[] offsets, boolean single) {
    this.program = program;
    this.possible = possible;
    this.online = online;
    this.offsets = offsets;
    this.single = single;
  }

  /** Reads the masks and offsets; a kernel that cannot be read has no CPUs here. */
  static PerCpu of(LinuxProgram program) {
    int[] possible = mask(program, "__cpu_possible_mask");
    int[] online = mask(program, "__cpu_online_mask");
    var table = program.address("__per_cpu_offset");
    // A kernel for one CPU (CONFIG_SMP off) has plain variables.
    boolean single = table.isEmpty() && program.address("__cpu_possible_mask").isPresent();
    if (single) {
      possible = new int[] {0};
      online = possible;
    }
    int highest = 0;
    for (int cpu : possible) {
      highest = Math.max(highest, cpu + 1);
    }
    var offsets = new long[highest];
    if (table.isPresent()) {
      var block = Block.read(program.memory(), table.getAsLong(), highest * 8);
      for (int cpu : possible) {
        offsets[cpu] = block.has(cpu * 8, 8) ? block.u64(cpu * 8) : 0;
      }
    }
    return new PerCpu(program, possible, online, offsets, single);
  }

  /**
   * The numbers of the bits set in a {@code struct cpumask}, as long as its symbol or its type
   * says.
   */
  private static int[] mask(LinuxProgram program, String name) {
    var symbol = program.ownSymbols().first(name);
    if (symbol.isEmpty()) {
      return new int[0];
    }
    long size = symbol.get().size();
    if (size <= 0) {
      var type = program.types().findStruct("cpumask");
      size = type.isPresent() ? type.get().bytes() : 0;
    }
    int bytes = (int) (size <= 0 || size > CPU_LIMIT / 8 ? CPU_LIMIT / 8 : size);
    var block = Block.read(program.memory(), symbol.get().address(), bytes);
    var cpus = new int[64];
    int count = 0;
    try {
      for (int bit = 0; bit < bytes * 8; bit++) {
        if ((block.u8(bit / 8) >> (bit % 8) & 1) != 0) {
          if (count == cpus.length) {
            cpus = Arrays.copyOf(cpus, count * 2);
          }
          cpus[count++] = bit;
        }
      }
    } catch (FaultException _) {
      return new int[0];
    }
    return Arrays.copyOf(cpus, count);
  }

  /** The numbers of the CPUs that may ever be there, ascending. */
  int[] possible() {
    return possible.clone();
  }

  int[] online() {
    return online.clone();
  }

  boolean isOnline(int cpu) {
    return Arrays.binarySearch(online, cpu) >= 0;
  }

  /** What is added to a per-CPU address for {@code cpu}; empty when there is no such CPU. */
  OptionalLong offset(int cpu) {
    return cpu >= 0 && cpu < offsets.length && (single || offsets[cpu] != 0)
        ? OptionalLong.of(offsets[cpu])
        : OptionalLong.empty();
  }

  /** The CPU whose offset this is, or -1. */
  int ofOffset(long offset) {
    for (int cpu : possible) {
      if (offset != 0 && offsets[cpu] == offset) {
        return cpu;
      }
    }
    return -1;
  }

  /** The offset of the first CPU; 0 when there is none. */
  long firstOffset() {
    return possible.length == 0 ? 0 : offsets[possible[0]];
  }

  /** The address of {@code cpu}'s instance of a per-CPU variable, when the kernel has it. */
  OptionalLong address(String variable, int cpu) {
    var base = offset(cpu);
    var symbol = program.address(variable);
    return base.isPresent() && symbol.isPresent()
        ? OptionalLong.of(base.getAsLong() + symbol.getAsLong())
        : OptionalLong.empty();
  }
}
