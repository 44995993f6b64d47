// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.Kernel;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The numbers of a Linux guest's system calls, from the kernel's own {@code sys_call_table}
 * (arch/x86/entry/syscall_64.c, arch/arm64/kernel/sys.c; on x86-64 only tracing reads it since 6.9,
 * but it is there).
 */
final class CallNumbers {
  /** More than any kernel has. */
  private static final int MOST = 2048;

  private final Map<Long, List<Long>> byFunction = new HashMap<>();

  /** The table of a kernel; empty where it has none that can be read. */
  CallNumbers(Kernel kernel) {
    var program = kernel.program();
    var table = program.symbols().first("sys_call_table");
    if (table.isEmpty()) {
      return;
    }
    long words = table.get().size() / 8;
    for (long number = 0; number < Math.min(words, MOST); number++) {
      try {
        long function = program.memory().u64(table.get().address() + 8 * number);
        byFunction.computeIfAbsent(function, _ -> new ArrayList<>()).add(number);
      } catch (FaultException _) {
        return; // The table ends where it cannot be read.
      }
    }
  }

  /** Whether the kernel's table could not be read. */
  boolean isEmpty() {
    return byFunction.isEmpty();
  }

  /** Whether a function carries out a system call. */
  boolean has(long function) {
    return byFunction.containsKey(function);
  }

  /** Whether the system call that these registers are in is that of {@code function}. */
  boolean isIn(Kernel kernel, Registers now, long function) {
    var entered = kernel.stack(now).entry();
    if (entered.isEmpty()) {
      return false;
    }
    var number = number(entered.get());
    return number.isPresent()
        && byFunction.getOrDefault(function, List.of()).contains(number.getAsLong());
  }

  private static OptionalLong number(Registers user) {
    if (user.file().equals(Aarch64.INSTANCE.registers())) {
      return user.file().named("x8").map(user::get).orElse(OptionalLong.empty());
    }
    return user.get(X86_64.ORIG_RAX);
  }
}
