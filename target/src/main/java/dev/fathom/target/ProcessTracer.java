// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What this machine's kernel offers for controlling its processes: ptrace(2), waitpid(2) and their
 * like, one call each; found with {@link java.util.ServiceLoader}. The kernel answers only the
 * thread that attached: everything about a process must be asked from one platform thread, and what
 * that thread attached to is let go by the kernel when the thread ends.
 *
 * <p>A call about a thread answers false, or nothing, when there is no such thread any more or it
 * is not stopped (ESRCH). Other errors are {@link dev.fathom.base.TargetException}s.
 */
public interface ProcessTracer {
  /** Options of {@link #seize} (Linux {@code include/uapi/linux/ptrace.h}). */
  int TRACE_FORK = 1 << 1;

  /** Stops at system calls have signal {@link #SYSTEM_CALL_STOP}, which no other stop has. */
  int MARK_SYSTEM_CALLS = 1;

  /** The thread is killed when the tracing one ends without letting it go. */
  int KILL_WITH_TRACER = 1 << 20;

  int TRACE_VFORK = 1 << 2;
  int TRACE_CLONE = 1 << 3;
  int TRACE_EXEC = 1 << 4;
  int TRACE_VFORK_DONE = 1 << 5;

  /** Values of {@link Stopped#event}. */
  int EVENT_FORK = 1;

  int EVENT_VFORK = 2;
  int EVENT_CLONE = 3;
  int EVENT_EXEC = 4;
  int EVENT_VFORK_DONE = 5;

  /** Interrupted, a new thread's first stop, or a stop of the whole process by a signal. */
  int EVENT_STOP = 128;

  /** The signal of {@link Stopped} at a system call: SIGTRAP with bit 7. */
  int SYSTEM_CALL_STOP = 5 | 0x80;

  /** Types of register sets: those of the notes in core files. */
  int GENERAL_REGISTERS = 1;

  int FLOATING_REGISTERS = 2;

  /** All that XSAVE knows, those of floating point and vectors among it: NT_X86_XSTATE. */
  int EXTENDED_REGISTERS = 0x202;

  /** {@code tpidr_el0} of 64-bit Arm: NT_ARM_TLS. */
  int ARM_THREAD_POINTER = 0x401;

  /** What happened to a thread. */
  sealed interface Change {
    /** The thread's id. */
    int thread();
  }

  /**
   * The thread stopped.
   *
   * @param signal the signal that arrived, or SIGTRAP with an event
   * @param event one of the {@code EVENT_} numbers, 0 where a signal arrived
   */
  record Stopped(int thread, int signal, int event) implements Change {}

  /** The thread ended by itself with that status; the first thread's status is its process's. */
  record Exited(int thread, int status) implements Change {}

  /** A signal ended the thread's process. */
  record Killed(int thread, int signal) implements Change {}

  /** Where a thread stands that stopped at a system call. */
  sealed interface SystemCall {}

  /** Before it is carried out. */
  record SystemCallEntry(long number) implements SystemCall {}

  /** After it was carried out: the result is in its register. */
  record SystemCallReturn() implements SystemCall {}

  /** Whether there is a ptrace to call here. */
  boolean available();

  /**
   * Attaches without stopping the thread (PTRACE_SEIZE).
   *
   * @param options {@code TRACE_} bits
   * @throws dev.fathom.base.TargetException when this is not permitted: not this user's process, or
   *     another traces it
   */
  boolean seize(int thread, int options);

  /** Asks the thread to stop (PTRACE_INTERRUPT): it does with {@link #EVENT_STOP}. */
  boolean interrupt(int thread);

  /**
   * Lets the stopped thread go on.
   *
   * @param signal delivered to it; 0 for none
   */
  boolean resume(int thread, int signal);

  /** As {@link #resume}, until the thread's next system call begins or returns. */
  boolean resumeToSystemCall(int thread, int signal);

  /** The system call that the thread stopped at (PTRACE_GET_SYSCALL_INFO, since Linux 5.3). */
  Optional<SystemCall> systemCall(int thread);

  /** Lets the stopped thread execute one instruction, after delivery of {@code signal}, if any. */
  boolean step(int thread, int signal);

  /** Leaves the thread stopped by its job's signal, and tells when that ends (PTRACE_LISTEN). */
  boolean listen(int thread);

  /** Ends tracing of the stopped thread, which goes on. */
  boolean detach(int thread, int signal);

  /** A register set of the stopped thread, as the kernel lays it out. */
  Optional<byte[]> registers(int thread, int type);

  /** Writes a register set of the stopped thread. */
  boolean setRegisters(int thread, int type, byte[] bytes);

  /** A word of the stopped thread's {@code struct user}, such as an x86 debug register. */
  Optional<Long> user(int thread, long offset);

  /**
   * Writes a word of the stopped thread's {@code struct user}.
   *
   * @return false also when the kernel refuses the value
   */
  boolean setUser(int thread, long offset, long value);

  /** The {@code siginfo_t} of the signal that stopped the thread: 128 bytes. */
  Optional<byte[]> signalInfo(int thread);

  /**
   * Makes it that another signal stopped a thread, which it gets when it goes on with its number.
   *
   * @param info as {@link #signalInfo} tells it
   * @return false when the thread is gone or runs
   */
  boolean setSignalInfo(int thread, byte[] info);

  /**
   * Whether a signal of that number waits for the stopped thread that what it executed has raised
   * (PTRACE_PEEKSIGINFO; its {@code si_code} is the kernel's), not another process.
   */
  boolean raised(int thread, int signal);

  /** What the event is about: the new thread's or process's id (PTRACE_GETEVENTMSG). */
  Optional<Long> message(int thread);

  /** The next change of any thread that the calling thread traces; does not wait. */
  Optional<Change> change();

  /** As {@link #change()}, but waits for one for at most {@code limit}. */
  Optional<Change> change(Duration limit);

  /**
   * As {@link #change(Duration)}, but leaves the change where it is until {@link #change(int)}:
   * when this process ends before that, a signal that was looked at is not lost.
   */
  Optional<Change> look(Duration limit);

  /**
   * The next change of one thread; does not wait. It is what {@link #look} has found of it, unless
   * the thread was killed since, which is told.
   */
  Optional<Change> change(int thread);

  /**
   * Reads a process's memory where the process itself may read it (process_vm_readv(2)); at most 1
   * KiB.
   *
   * @return whether all of it was read
   */
  boolean load(int process, long address, byte[] into);

  /**
   * Writes a process's memory where the process itself may write it (process_vm_writev(2)); at most
   * 1 KiB.
   *
   * @return whether all of it was written
   */
  boolean store(int process, long address, byte[] bytes);

  /** Sends a signal to one thread of a process. */
  boolean signal(int process, int thread, int signal);

  /**
   * Starts a program, traced by the calling thread and stopped before its first instruction. It has
   * this process's standard streams, environment and working directory.
   *
   * @param command the program, searched for in PATH, and its arguments
   * @param options {@code TRACE_} bits
   * @return its process id
   * @throws dev.fathom.base.TargetException when it cannot be started
   */
  int start(List<String> command, int options);

  /** Gives back what is the calling thread's own: it traces nothing any more. */
  default void leave() {}

  /** What is to be done should this process end unexpectedly. */
  interface Will {
    /** It is not to be done any more. */
    void revoke();
  }

  /**
   * Has a command carried out when this process ends, in whatever way, before the will is revoked.
   *
   * @param directory where it is carried out; when that is gone, nothing is done
   * @param command the program's path and its arguments
   */
  Will will(Path directory, List<String> command);
}
