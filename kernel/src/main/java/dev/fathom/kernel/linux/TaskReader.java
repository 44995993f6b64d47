// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.linux.data.Block;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Reads {@code struct task_struct} (include/linux/sched.h). All members needed are read at once;
 * where they are was looked up once.
 */
final class TaskReader {
  /** PF_KTHREAD: has no user memory; the same since 2.6.27. */
  private static final long KERNEL_THREAD = 0x0020_0000;

  private static final int COMM_LIMIT = 64;

  private static final int SPAN_LIMIT = 1 << 16;

  private final LinuxProgram program;
  private final CType type;
  private final Field tasks;
  private final Field pid;
  private final Field tgid;
  private final Field comm;
  private final Field signal;
  private final Field parent;
  private final Field flags;

  /** {@code __state} since 5.14, 32 bits; before {@code state}, 64 bits. */
  private final Field state;

  private final Field exitState;

  /** {@code thread_info.cpu} since 5.16, before {@code cpu}; absent without SMP. */
  private final Optional<Field> cpu;

  /** In the list of a process's threads, since 3.14. */
  private final Field threadNode;

  private final Field threadHead;
  private final Field stack;

  private final int from;
  private final int to;
  private final Map<Long, OptionalLong> processIds = new HashMap<>();

  /**
   * @throws dev.fathom.base.LookupException when the kernel's types are not known
   */
  TaskReader(LinuxProgram program, Layouts layouts) {
    this.program = program;
    this.type = program.types().struct("task_struct");
    tasks = layouts.need("task_struct", "tasks");
    pid = layouts.need("task_struct", "pid");
    tgid = layouts.need("task_struct", "tgid");
    comm = layouts.need("task_struct", "comm");
    signal = layouts.need("task_struct", "signal");
    parent = layouts.need("task_struct", "real_parent");
    flags = layouts.need("task_struct", "flags");
    state = layouts.need("task_struct", "__state", "state");
    exitState = layouts.need("task_struct", "exit_state");
    cpu = layouts.find("task_struct", "thread_info.cpu", "cpu");
    threadNode = layouts.need("task_struct", "thread_node");
    threadHead = layouts.need("signal_struct", "thread_head");
    stack = layouts.need("task_struct", "stack");
    int low = Integer.MAX_VALUE;
    int high = 0;
    var used =
        new Field[] {
          tasks,
          pid,
          tgid,
          comm,
          signal,
          parent,
          flags,
          state,
          exitState,
          threadNode,
          stack,
          cpu.orElse(pid)
        };
    for (var field : used) {
      low = Math.min(low, field.offset());
      high = Math.max(high, field.offset() + field.bytes());
    }
    from = low;
    to = Math.min(high, low + SPAN_LIMIT);
  }

  /** The members of one task, at their offsets less {@link #from}. */
  final class Raw {
    private final long address;
    private final Block block;

    private Raw(long address) {
      this.address = address;
      this.block = Block.read(program.memory(), address + from, to - from);
    }

    long address() {
      return address;
    }

    private long get(Field field) {
      return field.in(block, -from);
    }

    long pid() {
      return get(pid);
    }

    long signal() {
      return get(signal);
    }

    /** The address of the kernel stack's lowest byte. */
    long stack() {
      return get(stack);
    }

    /** The next node in the list of the process's threads. */
    long nextThread() {
      return block.u64(threadNode.offset() - from);
    }

    boolean isLeader() {
      return get(pid) == get(tgid);
    }

    /** The task in the model's words; a name that cannot be read says so. */
    Task task(boolean running) {
      var id = number(pid);
      var name =
          has(comm)
              ? block.string(comm.offset() - from, Math.min(comm.bytes(), COMM_LIMIT))
              : "<not readable>";
      char letter =
          has(state) && has(exitState) ? TaskState.letter(get(state), get(exitState)) : '?';
      var on =
          cpu.isPresent() && has(cpu.get())
              ? OptionalInt.of((int) get(cpu.get()))
              : OptionalInt.empty();
      boolean kernel = has(flags) && (get(flags) & KERNEL_THREAD) != 0;
      return new Task(
          new Value.Ref(program, type, address),
          id,
          number(tgid),
          father(id),
          name,
          letter,
          on,
          running,
          kernel);
    }

    private OptionalLong number(Field field) {
      return has(field) ? OptionalLong.of(get(field)) : OptionalLong.empty();
    }

    /** The parent's process id; idle threads have no parent. */
    private OptionalLong father(OptionalLong id) {
      if (id.isPresent() && id.getAsLong() == 0) {
        return id;
      }
      return has(parent) ? processId(get(parent)) : OptionalLong.empty();
    }

    private boolean has(Field field) {
      return block.has(field.offset() - from, field.bytes());
    }
  }

  /** The address of the lowest byte of a task's kernel stack. */
  long stackOf(long task) {
    return stack.at(program.memory(), task);
  }

  Raw raw(long task) {
    return new Raw(task);
  }

  /** The task whose {@code thread_node} is at {@code node}. */
  long ofThreadNode(long node) {
    return node - threadNode.offset();
  }

  /** The task whose {@code tasks} is at {@code node}. */
  long ofTasksNode(long node) {
    return node - tasks.offset();
  }

  long tasksNode(long task) {
    return task + tasks.offset();
  }

  /** The head of the list of threads of the process with that {@code signal_struct}. */
  long threadList(long signal) {
    return signal + threadHead.offset();
  }

  /** The process id of the task at an address, where it can be read. */
  private OptionalLong processId(long task) {
    var known = processIds.get(task);
    if (known == null) {
      try {
        known = OptionalLong.of(tgid.at(program.memory(), task));
      } catch (FaultException _) {
        known = OptionalLong.empty(); // A parent that is not in the dump has no number to show.
      }
      processIds.put(task, known);
    }
    return known;
  }

  /** Threads may have ended meanwhile, and others have their places. */
  void forget() {
    processIds.clear();
  }
}
