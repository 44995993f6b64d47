// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.model.Memory;
import dev.fathom.target.Cpu;
import java.util.Arrays;
import java.util.List;

/**
 * Tells whether the kernel that was found still runs. A reset leaves memory as it was, so that an
 * old kernel can be read long after: its clock {@code jiffies_64} must not have gone back, and some
 * CPU must run under it.
 */
final class Presence {
  private static final int BANNER_LIMIT = 512;

  private final LinuxProgram program;
  private final KernelPlace place;
  private final Memory physical;
  private final byte[] banner;
  private long jiffies;

  Presence(LinuxProgram program, KernelPlace place, Memory physical) {
    this.program = program;
    this.place = place;
    this.physical = physical;
    this.banner = banner();
    this.jiffies = jiffies();
  }

  private byte[] banner() {
    var symbol = program.ownSymbols().first("linux_banner");
    if (symbol.isEmpty()) {
      return new byte[0];
    }
    try {
      long size = Math.min(Math.max(symbol.get().size(), 1), BANNER_LIMIT);
      return program.memory().bytes(symbol.get().address(), (int) size);
    } catch (FaultException _) {
      return new byte[0]; // Another kernel's page tables do not map it.
    }
  }

  private long jiffies() {
    var symbol = program.address("jiffies_64");
    if (symbol.isEmpty()) {
      return 0;
    }
    try {
      return program.memory().u64(symbol.getAsLong());
    } catch (FaultException _) {
      return 0;
    }
  }

  /** Whether it is still there; to be asked of a program that has forgotten translations. */
  boolean holds(List<Cpu> cpus) {
    if (!Arrays.equals(banner, banner())) {
      return false;
    }
    long now = jiffies();
    if (Long.compareUnsigned(now, jiffies) < 0) {
      return false;
    }
    jiffies = now;
    return inCharge(cpus);
  }

  /** Whether some CPU runs under this kernel, as far as CPUs tell. */
  private boolean inCharge(List<Cpu> cpus) {
    boolean told = false;
    for (var cpu : cpus) {
      var runs = program.machine().inCharge(cpu.registers(), place, physical);
      if (runs.isPresent() && runs.get()) {
        return true;
      }
      told |= runs.isPresent();
    }
    return !told;
  }
}
