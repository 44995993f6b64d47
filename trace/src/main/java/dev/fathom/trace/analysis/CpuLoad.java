// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.base.EvalException;
import dev.fathom.trace.EventCursor;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** How many threads were ready on each CPU, as {@code sched_load} tells. */
public final class CpuLoad {
  /** More CPUs than OSv runs on. */
  private static final int MAX_CPUS = 1 << 12;

  /** Takes what is known after an event. */
  @FunctionalInterface
  public interface Rows {
    /**
     * @param cpu the one whose load changed
     * @param loads of the CPUs from 0 on, as far as known until now
     */
    void row(long time, int cpu, List<OptionalLong> loads);
  }

  private CpuLoad() {}

  /**
   * Finds every change.
   *
   * @param cpus how many CPUs there are; nothing is told before the load of each is known
   * @throws EvalException when an event is of a CPU that there is not
   */
  public static void find(EventCursor events, OptionalInt cpus, TimeSlice slice, Rows rows) {
    var loads = new ArrayList<OptionalLong>();
    int known = 0;
    int limit = cpus.orElse(MAX_CPUS);
    while (events.next()) {
      boolean load = events.tracepoint().name().equals("sched_load");
      if (!load || events.tracepoint().arguments().isEmpty()) {
        continue;
      }
      int cpu = events.cpu();
      if (Integer.compareUnsigned(cpu, limit) >= 0) {
        throw new EvalException(
            "an event is of CPU "
                + Integer.toUnsignedString(cpu)
                + ", expected one below "
                + limit);
      }
      while (loads.size() <= cpu) {
        loads.add(OptionalLong.empty());
      }
      known += loads.get(cpu).isEmpty() ? 1 : 0;
      loads.set(cpu, OptionalLong.of(events.integer(0)));
      if ((cpus.isEmpty() || known >= limit) && slice.contains(events.time())) {
        rows.row(events.time(), cpu, loads);
      }
    }
  }
}
