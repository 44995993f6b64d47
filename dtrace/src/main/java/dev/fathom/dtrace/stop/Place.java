// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import java.util.List;
import java.util.OptionalLong;

/** What makes a probe fire. Addresses are virtual, the kernel's or the traced process's. */
sealed interface Place {
  /** Code that is come to. */
  sealed interface Code extends Place {
    /** Where the function begins, from which offsets count. */
    long function();
  }

  /** The first instruction of a function. */
  record Entry(long function) implements Code {}

  /**
   * The instructions at which a function returns; found when the probe is enabled.
   *
   * @param size of the function in bytes
   */
  record Return(long function, long size) implements Code {}

  /** One instruction. */
  record At(long function, long address) implements Code {}

  /** The entry of a system call: its arguments are in the registers of user mode. */
  record SystemCall(long function) implements Code {}

  /** The return of a system call. */
  record SystemReturn(long function, long size) implements Code {}

  /** An argument of a probe, made of what its function is given. */
  sealed interface Source {}

  /** The function's own argument. */
  record Parameter(int index) implements Source {}

  /** How a process ends, as {@code CLD_EXITED} and its like say, by the status it is given. */
  record ExitReason(int index) implements Source {}

  /** The number of the CPU of the {@code struct rq} that the function is given. */
  record QueueCpu(int index) implements Source {}

  /** What was kept. */
  record Known(long value) implements Source {}

  /** For which threads a probe fires. */
  enum Filter {
    ALL,
    /** The task that is the function's first argument is its process's first thread. */
    LEADER,
    /** The thread on the CPU is its process's first. */
    CURRENT_LEADER
  }

  /** The entry of a function that stands for what happens there. */
  record Derived(long function, Filter filter, List<Source> sources) implements Code {
    public Derived {
      sources = List.copyOf(sources);
    }
  }

  /**
   * The entry of a system call that executes a program.
   *
   * @param path the index of the argument that is the program's path
   */
  record ExecutionPath(long function, int path) implements Code {}

  /** The return of a system call that executes a program, when it worked or when it did not. */
  record Executed(long function, long size, boolean success) implements Code {}

  /**
   * A probe that a program was compiled with.
   *
   * @param address of the instruction
   * @param semaphore the address of a 16-bit number that is raised while it is traced
   */
  record Usdt(long function, long address, List<UsdtArgument> arguments, OptionalLong semaphore)
      implements Code {
    public Usdt {
      arguments = List.copyOf(arguments);
    }
  }

  /**
   * A tracepoint of the kernel, at all its sites.
   *
   * @param first the parameter of {@code TP_PROTO} that is {@code arg0}, from 0
   */
  record Tracepoint(Tracepoints.Tracepoint point, int first) implements Followed {}

  /**
   * The tracepoint {@code block_rq_complete}, once for each {@code struct bio} of the request that
   * is done, which is its only argument.
   */
  record Completion(Tracepoints.Tracepoint point) implements Followed {}

  /** At all sites of a tracepoint, to which CPUs are led. */
  sealed interface Followed extends Code {
    Tracepoints.Tracepoint point();

    /** Its sites are in as many functions. */
    @Override
    default long function() {
      return point().sites().getFirst().code();
    }
  }

  /**
   * The return of a function whose probe has the function's first argument. That is kept at the
   * entry, where nothing fires.
   *
   * @param size of the function in bytes
   */
  record Awaited(long function, long size) implements Code {}

  /** The entry of a system call of a process, by number. */
  record CallEntry(long number) implements Place {}

  /** The return of a system call of a process. */
  record CallReturn(long number) implements Place {}

  /**
   * Time that passes.
   *
   * @param nanos from one firing to the next
   * @param everyCpu whether it fires on every CPU, with what runs there
   */
  record Timer(long nanos, boolean everyCpu) implements Place {}
}
