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
 * Whether this machine acts on debug registers: some hypervisors take what is written to them and
 * never stop anything. Tried once, on a small program of its own.
 */
final class DebugRegisterTrial {
  /** Offset of the stack pointer in {@code struct user} (Linux arch/x86/include/asm/user_64.h). */
  private static final long STACK_POINTER = 152;

  /** A program that soon writes to its stack, as each does. */
  private static final List<String> PROGRAM = List.of("/bin/sh", "-c", ":");

  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final Duration NAP = Duration.ofMillis(1);
  private static final int SIGTRAP = 5;
  private static final int SIGKILL = 9;

  private final ProcessTracer ptrace;

  /** Whether they stop nothing; empty while that was not seen. */
  private Optional<Boolean> useless = Optional.empty();

  DebugRegisterTrial(ProcessTracer ptrace) {
    this.ptrace = ptrace;
  }

  /**
   * Tries them, where the program can be started.
   *
   * @throws UnsupportedException where they stop nothing
   */
  void require() {
    if (useless.isEmpty()) {
      useless = tried();
    }
    if (useless.orElse(false)) {
      throw new UnsupportedException(
          "this machine's debug registers stop nothing (a fault of its hypervisor):"
              + " no watchpoints, and only breakpoints in code");
    }
  }

  /** Whether a watched write of the program stops nothing; empty where that was not seen. */
  private Optional<Boolean> tried() {
    int trial;
    try {
      trial = ptrace.start(PROGRAM, ProcessTracer.KILL_WITH_TRACER);
    } catch (TargetException _) {
      return Optional.empty(); // Nothing speaks against them.
    }
    try {
      var stack = ptrace.user(trial, STACK_POINTER);
      if (stack.isEmpty()) {
        return Optional.empty();
      }
      var registers = new DebugRegisters(ptrace);
      registers.add(new DebugRegisters.Point(Kind.WRITE, stack.get() - 8, 8));
      boolean goesOn = registers.apply(trial) && ptrace.resume(trial, 0);
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
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (System.nanoTime() - deadline < 0) {
      var change = ptrace.change(thread);
      if (change.isPresent()) {
        return change;
      }
      LockSupport.parkNanos(NAP.toNanos());
    }
    return Optional.empty();
  }
}
