// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.base.LongSet;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.ListNodes;
import dev.fathom.kernel.linux.data.XArrayEntries;
import dev.fathom.model.Memory;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.PrimitiveIterator;

/**
 * Every thread: the idle threads of the CPUs, then {@code init_task.tasks}, which links the leaders
 * of all processes, each followed by the threads of its {@code signal->thread_head}. Where that
 * list is broken it is followed from its other end, and then the processes are taken from {@code
 * init_pid_ns}.
 */
final class Tasks implements Iterator<Task> {
  /** {@code enum pid_type}: PIDTYPE_PID 0, PIDTYPE_TGID 1 (since 4.19). */
  private static final int PIDTYPE_TGID = 1;

  private final LinuxProgram program;
  private final Memory memory;
  private final TaskReader reader;
  private final Cpus cpus;
  private final Layouts layouts;
  private final Walker.Notes notes;
  private final LongSet seen = new LongSet();
  private final int[] possible;

  private enum Stage {
    IDLE,
    FORWARD,
    BACKWARD,
    NUMBERS,
    END
  }

  private Stage stage = Stage.IDLE;
  private int idle;
  private ListNodes leaders;
  private PrimitiveIterator.OfLong threads;
  private PrimitiveIterator.OfLong numbers;
  private int pidTasks;
  private int pidLinks;
  private TaskReader.Raw next;

  Tasks(LinuxProgram program, TaskReader reader, Cpus cpus, Layouts layouts, Walker.Notes notes) {
    this.program = program;
    this.memory = program.memory();
    this.reader = reader;
    this.cpus = cpus;
    this.layouts = layouts;
    this.notes = notes;
    this.possible = cpus.perCpu().possible();
  }

  @Override
  public boolean hasNext() {
    while (next == null && stage != Stage.END) {
      notes.checkInterrupt();
      next = advance();
    }
    return next != null;
  }

  @Override
  public Task next() {
    if (!hasNext()) {
      throw new NoSuchElementException("task");
    }
    var raw = next;
    next = null;
    return raw.task(cpus.isRunning(raw.address()));
  }

  /** The next thread, or null when this call only moved on to another list. */
  private TaskReader.Raw advance() {
    if (threads != null) {
      if (threads.hasNext()) {
        return fresh(reader.ofThreadNode(threads.nextLong()));
      }
      threads = null;
    }
    return switch (stage) {
      case IDLE -> nextIdle();
      case FORWARD, BACKWARD -> nextLeader();
      case NUMBERS -> nextNumbered();
      case END -> null;
    };
  }

  private TaskReader.Raw fresh(long task) {
    return seen.add(task) ? reader.raw(task) : null;
  }

  private TaskReader.Raw nextIdle() {
    if (idle < possible.length) {
      int cpu = possible[idle++];
      try {
        var task = cpus.idle(cpu);
        return task.isPresent() && task.getAsLong() != 0 ? fresh(task.getAsLong()) : null;
      } catch (FaultException e) {
        notes.note("the idle thread of CPU " + cpu + ": " + e.getMessage());
        return null;
      }
    }
    var head = program.address("init_task");
    if (head.isEmpty()) {
      notes.note("there is no symbol init_task: tasks cannot be listed");
      stage = Stage.END;
      return null;
    }
    fresh(head.getAsLong());
    leaders = ListNodes.forward(memory, reader.tasksNode(head.getAsLong()), notes);
    stage = Stage.FORWARD;
    return null;
  }

  private TaskReader.Raw nextLeader() {
    if (leaders.hasNext()) {
      return process(reader.ofTasksNode(leaders.nextLong()));
    }
    if (!leaders.broken()) {
      stage = Stage.END;
    } else if (stage == Stage.FORWARD) {
      stage = Stage.BACKWARD;
      leaders =
          ListNodes.backward(memory, reader.tasksNode(program.needAddress("init_task")), notes);
    } else {
      stage = Stage.NUMBERS;
    }
    return null;
  }

  /** A process's leader; its other threads, if any, come next. */
  private TaskReader.Raw process(long leader) {
    var raw = fresh(leader);
    if (raw == null) {
      return null;
    }
    try {
      long list = reader.threadList(raw.signal());
      if (raw.signal() != 0 && raw.nextThread() != list) {
        threads = ListNodes.forward(memory, list, notes);
      }
    } catch (FaultException e) {
      notes.note("threads of the task at 0x" + Long.toHexString(leader) + ": " + e.getMessage());
    }
    return raw;
  }

  /** The processes by number: {@code init_pid_ns.idr} (since 4.15) leads to {@code struct pid}. */
  private TaskReader.Raw nextNumbered() {
    if (numbers == null) {
      try {
        long root =
            program.needAddress("init_pid_ns")
                + layouts.need("pid_namespace", "idr").offset()
                + layouts.need("idr", "idr_rt").offset();
        pidTasks = layouts.need("pid", "tasks").offset() + PIDTYPE_TGID * 8;
        pidLinks = layouts.need("task_struct", "pid_links").offset() + PIDTYPE_TGID * 16;
        numbers = XArrayEntries.of(program.types(), memory, root, notes);
      } catch (FathomException e) {
        notes.note("processes by number: " + e.getMessage());
        stage = Stage.END;
        return null;
      }
    }
    if (numbers.hasNext()) {
      long leader = leaderOf(numbers.nextLong());
      return leader == 0 ? null : process(leader);
    }
    stage = Stage.END;
    return null;
  }

  /** The leader of the process with that {@code struct pid}; 0 when it is not one's. */
  private long leaderOf(long pid) {
    try {
      long first = memory.u64(pid + pidTasks);
      return first == 0 ? 0 : first - pidLinks;
    } catch (FaultException e) {
      notes.note("struct pid: " + e.getMessage());
      return 0;
    }
  }
}
