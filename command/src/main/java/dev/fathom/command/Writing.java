// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.Task;
import dev.fathom.model.Register;
import dev.fathom.session.Pause;
import dev.fathom.session.Session;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RegisterWriter;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.OptionalLong;

/** Writes registers and memory of the target, and reads them back. */
public final class Writing {
  private Writing() {}

  /**
   * @throws UnsupportedException unless the user allowed to write
   */
  public static void checkAllowed(Session session, Environment environment) {
    if (!environment.settings().writable()) {
      boolean live = session.target().find(Live.class).isPresent();
      throw new UnsupportedException(
          "target is not open for writing" + (live ? ": attach with -w" : ""));
    }
  }

  /** The CPU on which the selected thread is, or that stopped the target. */
  public static Cpu cpu(Session session, Environment environment) {
    return cpu(session, environment.selectedTask());
  }

  /**
   * The CPU on which a thread is, by the address of its structure; without a thread the one that
   * stopped the target.
   *
   * @throws EvalException when the thread is on no CPU: its registers are in memory
   */
  public static Cpu cpu(Session session, OptionalLong thread) {
    var cpus = session.target().cpus();
    var stopped = session.control().stoppedCpu();
    for (var cpu : cpus) {
      if (thread.isEmpty()
          ? stopped.isEmpty() || stopped.getAsInt() == cpu.id()
          : session
              .kernel()
              .running(cpu)
              .map(Task::object)
              .filter(object -> object.address() == thread.getAsLong())
              .isPresent()) {
        return cpu;
      }
    }
    throw new EvalException(
        thread.isPresent()
            ? "the selected thread is on no CPU: it sleeps"
            : "the target has no CPU whose registers are known");
  }

  /** Sets a register of the CPU on which the selected thread is. */
  public static void register(
      Session session, Environment environment, Register register, long value) {
    checkAllowed(session, environment);
    checkStopped(session);
    var cpu = cpu(session, environment);
    var writer =
        session
            .target()
            .find(RegisterWriter.class)
            .orElseThrow(() -> new UnsupportedException("this target cannot write registers"));
    writer.write(cpu.id(), register, value);
    writer.settle();
    var now = session.target().cpu(cpu.id()).map(Cpu::registers);
    if (now.isEmpty() || now.get().get(register).orElse(~value) != value) {
      throw new EvalException("register " + register.name() + " did not take the value");
    }
    session.refresh();
  }

  private static void checkStopped(Session session) {
    var live = session.target().find(Live.class);
    if (live.isPresent() && live.get().state() == Live.State.RUNNING) {
      throw new EvalException("the target runs: stop it first (::stop)");
    }
  }

  /**
   * Writes memory and reads it back; a guest that runs stands still meanwhile.
   *
   * @param physical whether the address is a physical one, else one of the kernel's
   */
  public static void memory(
      Session session, Environment environment, boolean physical, long address, byte[] bytes) {
    checkAllowed(session, environment);
    var writer =
        session
            .target()
            .find(MemoryWriter.class)
            .orElseThrow(() -> new UnsupportedException("this target's memory cannot be written"));
    // A process is written to as it runs; to stop it would be to trace it from then on.
    boolean guest = session.target().find(ProcessView.class).isEmpty();
    try (var _ = Pause.of(session.target(), guest)) {
      try {
        if (physical) {
          writer.write(MemoryWriter.Space.PHYSICAL, address, MemorySegment.ofArray(bytes));
        } else {
          kernelMemory(session, writer, address, bytes);
        }
      } catch (FaultException e) {
        throw cannotWrite(e);
      }
      session.refresh();
      var program = session.kernel().program();
      var now = (physical ? program.physical() : program.memory()).bytes(address, bytes.length);
      if (!Arrays.equals(now, bytes)) {
        throw new EvalException(
            "memory at 0x" + Long.toHexString(address) + " did not take the value");
      }
    }
  }

  /** What to tell where memory that was to be written is not there. */
  public static EvalException cannotWrite(FaultException e) {
    return new EvalException(
        "cannot write "
            + e.space()
            + " address 0x"
            + Long.toHexString(e.address())
            + ": "
            + e.reason().text());
  }

  private static void kernelMemory(
      Session session, MemoryWriter writer, long address, byte[] bytes) {
    if (!writer.writes(MemoryWriter.Space.PHYSICAL)) {
      writer.write(MemoryWriter.Space.VIRTUAL, address, MemorySegment.ofArray(bytes));
      return;
    }
    // Each byte where the kernel's own page tables have it, so that read-only pages can be written.
    var space = session.kernel().program().memory();
    for (int i = 0; i < bytes.length; i++) {
      var at = space.physical(address + i);
      if (at.isEmpty()) {
        throw space.fault(address + i);
      }
    }
    int done = 0;
    while (done < bytes.length) {
      long start = space.physical(address + done).orElseThrow();
      int count = 1;
      while (done + count < bytes.length && (start + count & 0xfff) != 0) {
        count++;
      }
      writer.write(
          MemoryWriter.Space.PHYSICAL,
          start,
          MemorySegment.ofArray(Arrays.copyOfRange(bytes, done, done + count)));
      done += count;
    }
  }
}
