// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.EventCursor;
import dev.fathom.trace.TraceEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How long threads waited and how long, after they were woken, it took until they ran: from {@code
 * sched_wait} over {@code sched_wake} to {@code sched_wait_ret}. Threads that went on on another
 * CPU are left out, as OSv's clocks of different CPUs are not to be compared.
 */
public final class WakeupLatency {
  /** Takes a thread that went on. */
  @FunctionalInterface
  public interface Rows {
    /**
     * @param event the {@code sched_wait_ret}
     * @param wakeup nanoseconds from when it was woken
     * @param wait nanoseconds from when it began to wait
     */
    void row(TraceEvent event, long wakeup, long wait);
  }

  private static final class Waiting {
    private Optional<Began> began = Optional.empty();
    private Optional<Long> woken = Optional.empty();
  }

  private record Began(long time, int cpu) {}

  private WakeupLatency() {}

  /** Finds them all, in the order in which threads went on. */
  public static void find(EventCursor events, TimeSlice slice, Rows rows) {
    Map<Long, Waiting> threads = new HashMap<>();
    while (events.next()) {
      switch (events.tracepoint().name()) {
        case "sched_wait" ->
            threads.computeIfAbsent(events.threadId(), _ -> new Waiting()).began =
                Optional.of(new Began(events.time(), events.cpu()));
        case "sched_wake" -> {
          if (!events.tracepoint().arguments().isEmpty()) {
            var thread = threads.get(events.integer(0));
            if (thread != null) {
              thread.woken = Optional.of(events.time());
            }
          }
        }
        case "sched_wait_ret" -> {
          var thread = threads.remove(events.threadId());
          if (thread != null && thread.woken.isPresent() && slice.contains(events.time())) {
            row(events, thread, rows);
          }
        }
        default -> {}
      }
    }
  }

  private static void row(TraceEvent event, Waiting thread, Rows rows) {
    thread.began.ifPresent(
        began -> {
          if (began.cpu() == event.cpu()) {
            long time = event.time();
            rows.row(event, time - thread.woken.orElseThrow(), time - began.time());
          }
        });
  }
}
