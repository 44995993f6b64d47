// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.target.Breakpoints.Kind;
import dev.fathom.target.ProcessTracer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * The four debug registers of x86 (Intel SDM volume 3, 17.2), as each thread of a process has them:
 * DR0 to DR3 hold addresses, DR7 says what is watched and how many bytes, DR6 which was hit.
 */
final class DebugRegisters {
  /** Offset of {@code u_debugreg} in {@code struct user} (Linux arch/x86/include/asm/user_64.h). */
  private static final long OFFSET = 848;

  /** Offset of the stack pointer in {@code struct user}. */
  private static final long STACK_POINTER = 152;

  /** A program that soon writes to its stack, as each does. */
  private static final List<String> TRIAL = List.of("/bin/sh", "-c", ":");

  private static final Duration TRIAL_LIMIT = Duration.ofSeconds(10);
  private static final Duration NAP = Duration.ofMillis(1);
  private static final int SIGTRAP = 5;
  private static final int SIGKILL = 9;

  private static final int SLOTS = 4;
  private static final int STATUS = 6;
  private static final int CONTROL = 7;
  private static final int HIT_BITS = 0xf;

  /** What is in a slot. */
  record Point(Kind kind, long address, int length) {}

  private final ProcessTracer ptrace;
  private final Point[] slots = new Point[SLOTS];

  /** Whether they stop nothing; empty while that was not seen. */
  private Optional<Boolean> useless = Optional.empty();

  DebugRegisters(ProcessTracer ptrace) {
    this.ptrace = ptrace;
  }

  boolean isEmpty() {
    for (var point : slots) {
      if (point != null) {
        return false;
      }
    }
    return true;
  }

  /** Takes a slot; false when there is none left or it cannot be watched so. */
  boolean add(Point point) {
    boolean code = point.kind() == Kind.HARDWARE;
    boolean data = point.kind() == Kind.WRITE || point.kind() == Kind.ACCESS;
    int length = code ? 1 : point.length();
    boolean fits = length == 1 || length == 2 || length == 4 || length == 8;
    if (!(code || data) || !fits || point.address() % length != 0) {
      return false;
    }
    for (int i = 0; i < SLOTS; i++) {
      if (slots[i] == null) {
        slots[i] = point;
        return true;
      }
    }
    return false;
  }

  /**
   * Tries them once on a small program of its own, where that can be started.
   *
   * @throws UnsupportedException on a machine whose debug registers never stop anything, as some
   *     hypervisors' virtual machines are
   */
  void requireTraps() {
    if (useless.isEmpty()) {
      useless = tried();
    }
    if (useless.orElse(false)) {
      throw new UnsupportedException(
          "this machine's debug registers stop nothing (a fault of its hypervisor):"
              + " no watchpoints, and only breakpoints in code");
    }
  }

  /** Whether a watched write of the small program stops nothing; empty where that was not seen. */
  private Optional<Boolean> tried() {
    int trial;
    try {
      trial = ptrace.start(TRIAL, ProcessTracer.KILL_WITH_TRACER);
    } catch (TargetException _) {
      return Optional.empty(); // Nothing speaks against them.
    }
    try {
      var stack = ptrace.user(trial, STACK_POINTER);
      if (stack.isEmpty()) {
        return Optional.empty();
      }
      var pushed = new Point(Kind.WRITE, stack.get() - 8, 8);
      boolean goesOn =
          ptrace.setUser(trial, OFFSET, pushed.address())
              && ptrace.setUser(trial, OFFSET + CONTROL * 8, control(0, pushed))
              && ptrace.resume(trial, 0);
      while (goesOn) {
        var change = next(trial);
        if (change.isEmpty() || !(change.get() instanceof ProcessTracer.Stopped stop)) {
          return change.map(ProcessTracer.Exited.class::isInstance);
        }
        boolean signal = stop.event() == 0;
        if (signal && stop.signal() == SIGTRAP) {
          return Optional.of(false);
        }
        goesOn = ptrace.resume(trial, signal ? stop.signal() : 0);
      }
      return Optional.empty();
    } finally {
      boolean there = ptrace.signal(trial, trial, SIGKILL);
      while (there) {
        there = next(trial).filter(ProcessTracer.Stopped.class::isInstance).isPresent();
      }
    }
  }

  /** The next change of a thread; none when it takes too long. */
  private Optional<ProcessTracer.Change> next(int thread) {
    long deadline = System.nanoTime() + TRIAL_LIMIT.toNanos();
    while (System.nanoTime() - deadline < 0) {
      var change = ptrace.change(thread);
      if (change.isPresent()) {
        return change;
      }
      LockSupport.parkNanos(NAP.toNanos());
    }
    return Optional.empty();
  }

  void remove(Point point) {
    for (int i = 0; i < SLOTS; i++) {
      if (point.equals(slots[i])) {
        slots[i] = null;
        return;
      }
    }
  }

  void clear() {
    java.util.Arrays.fill(slots, null);
  }

  /** Gives a stopped thread what is in the slots; false when its CPU refuses. */
  boolean apply(int thread) {
    // Off first: addresses are checked against the kind and length of a slot that is on.
    boolean good = ptrace.setUser(thread, OFFSET + CONTROL * 8, 0);
    for (int i = 0; i < SLOTS && good; i++) {
      good = ptrace.setUser(thread, OFFSET + i * 8L, slots[i] == null ? 0 : slots[i].address());
    }
    return good && (isEmpty() || ptrace.setUser(thread, OFFSET + CONTROL * 8, control()));
  }

  private long control() {
    long value = 0;
    for (int i = 0; i < SLOTS; i++) {
      if (slots[i] != null) {
        value |= control(i, slots[i]);
      }
    }
    return value;
  }

  /** The bits of DR7 for what is in a slot. */
  private static long control(int slot, Point point) {
    long access =
        switch (point.kind()) {
          case WRITE -> 1;
          case ACCESS, READ -> 3;
          case HARDWARE, SOFTWARE -> 0;
        };
    long length =
        access == 0
            ? 0
            : switch (point.length()) {
              case 2 -> 1;
              case 4 -> 3;
              case 8 -> 2;
              default -> 0;
            };
    return 1L << (2 * slot) | (access | length << 2) << (16 + 4 * slot);
  }

  /** What the stopped thread hit; forgets it. */
  Optional<Point> hit(int thread) {
    if (isEmpty()) {
      return Optional.empty();
    }
    var status = ptrace.user(thread, OFFSET + STATUS * 8);
    if (status.isEmpty() || (status.get() & HIT_BITS) == 0) {
      return Optional.empty();
    }
    var point = slots[Long.numberOfTrailingZeros(status.get() & HIT_BITS)];
    ptrace.setUser(thread, OFFSET + STATUS * 8, 0);
    return Optional.ofNullable(point);
  }
}
