// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.linux.data.Field;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Memory;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;

/**
 * The process group, session, real user and flags of a task. Groups and sessions are {@code
 * task->signal->pids[PIDTYPE_PGID, PIDTYPE_SID]->numbers[0].nr}, the number in the first pid
 * namespace (kernels since 4.19).
 */
final class TaskDetails {
  /** {@code enum pid_type} since 4.19, for kernels whose types leave it out. */
  private static final long PIDTYPE_PGID = 2;

  private static final long PIDTYPE_SID = 3;

  private final Memory memory;
  private final Optional<Field> flags;
  private final Optional<Field> credentials;
  private final Optional<Field> user;
  private final Optional<Field> signal;
  private final Optional<Field> pids;
  private final Optional<Field> numbers;
  private final long group;
  private final long session;

  TaskDetails(LinuxProgram program, Layouts layouts) {
    memory = program.memory();
    flags = layouts.find("task_struct", "flags");
    credentials = layouts.find("task_struct", "real_cred", "cred");
    user = layouts.find("cred", "uid.val", "uid");
    signal = layouts.find("task_struct", "signal");
    pids = layouts.find("signal_struct", "pids");
    numbers = layouts.find("pid", "numbers");
    group = layouts.types().enumerator("pid_type", "PIDTYPE_PGID").orElse(PIDTYPE_PGID);
    session = layouts.types().enumerator("pid_type", "PIDTYPE_SID").orElse(PIDTYPE_SID);
  }

  List<Datum.Field> of(Task task) {
    long at = task.object().address();
    return List.of(
        new Datum.Field("pgid", "pgid", number(at, group)),
        new Datum.Field("sid", "sid", number(at, session)),
        new Datum.Field("uid", "uid", cell(credentials, user, at, Cell::unsigned)),
        new Datum.Field("flags", "flags", cell(flags, at, Cell::hex)));
  }

  private Cell number(long task, long kind) {
    if (signal.isEmpty() || pids.isEmpty() || numbers.isEmpty()) {
      return absentMember();
    }
    try {
      long signals = signal.get().at(memory, task);
      long pid = signals == 0 ? 0 : memory.u64(signals + pids.get().offset() + kind * Long.BYTES);
      // An idle task has no struct pid; a dead one has lost it.
      return Cell.decimal(pid == 0 ? 0 : memory.i32(pid + numbers.get().offset()));
    } catch (FaultException e) {
      return Cell.unreadable(e.reason().text());
    }
  }

  private Cell cell(
      Optional<Field> pointer, Optional<Field> member, long task, LongFunction<Cell> show) {
    if (pointer.isEmpty()) {
      return absentMember();
    }
    try {
      return cell(member, pointer.get().at(memory, task), show);
    } catch (FaultException e) {
      return Cell.unreadable(e.reason().text());
    }
  }

  private Cell cell(Optional<Field> member, long structure, LongFunction<Cell> show) {
    if (member.isEmpty()) {
      return absentMember();
    }
    try {
      return show.apply(member.get().at(memory, structure));
    } catch (FaultException e) {
      return Cell.unreadable(e.reason().text());
    }
  }

  private static Cell absentMember() {
    return new Cell.Absent("no such member in this kernel");
  }
}
