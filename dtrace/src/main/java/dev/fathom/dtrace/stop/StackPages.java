// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Occupant;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Registers;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * The pages that a sample of a kernel looks at later: the stack that a CPU is on and its thread's,
 * by physical address. Kept short, since the machine stands still meanwhile.
 */
final class StackPages {
  private static final int PAGE = 4096;

  /** Kernel stacks of x86-64 and arm64 have 16 KiB and begin at a multiple of that. */
  private static final int KERNEL_STACK = 4 * PAGE;

  /** Bytes of a user stack, from the stack pointer up. */
  private static final int USER_STACK = 2 * PAGE;

  private final Kernel kernel;
  private final LongStream.Builder pages = LongStream.builder();

  StackPages(Kernel kernel) {
    this.kernel = kernel;
  }

  /**
   * Adds those of a CPU with these registers.
   *
   * @param user whether user stacks are looked at, too
   */
  void add(Registers registers, Optional<Occupant> occupant, boolean user) {
    try {
      if (registers.pc().isEmpty() || registers.sp().isEmpty()) {
        return;
      }
      long sp = registers.sp().getAsLong();
      if (registers.pc().getAsLong() >= 0) {
        if (user) {
          occupant
              .flatMap(at -> kernel.userSpace(kernel.running(at)))
              .ifPresent(space -> add(space, sp, sp + USER_STACK));
        }
        return;
      }
      long base = sp & -KERNEL_STACK;
      add(kernel.program().memory(), sp, base + KERNEL_STACK);
      // In an interrupt the CPU is on a stack of its own, and the thread's is below.
      if (occupant.isPresent() && occupant.get().stack() != base) {
        long own = occupant.get().stack();
        add(kernel.program().memory(), own, own + KERNEL_STACK);
      }
    } catch (FathomException _) {
      return; // What cannot be found is read later, as far as it can be.
    }
  }

  private void add(AddressSpace space, long from, long end) {
    for (long page = from & -PAGE; page != end && page - end < 0; page += PAGE) {
      space.physical(page).ifPresent(pages::add);
    }
  }

  long[] pages() {
    return pages.build().toArray();
  }
}
