// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.EventCursor;
import dev.fathom.trace.KeptEvent;
import dev.fathom.trace.TraceEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** What can be profiled. Events without a backtrace never count. */
public sealed interface Samples {
  /** Gives every sample of the events. */
  void each(EventCursor events, Consumer<Sample> to);

  /**
   * Every event counts once.
   *
   * @param tracepoint the name of the only tracepoint that counts
   */
  record Hits(Optional<String> tracepoint) implements Samples {
    @Override
    public void each(EventCursor events, Consumer<Sample> to) {
      while (events.next()) {
        boolean asked = tracepoint.isEmpty() || tracepoint.get().equals(events.tracepoint().name());
        if (asked && events.frames() > 0) {
          to.accept(Sample.of(events, events.time(), 0));
        }
      }
    }
  }

  /** What began at a tracepoint counts by how long it took. */
  record Durations(String tracepoint) implements Samples {
    @Override
    public void each(EventCursor events, Consumer<Sample> to) {
      var pairs = new TimedEvents();
      while (events.next()) {
        pairs.accept(events).ifPresent(one -> add(one, to));
      }
      pairs.rest().forEach(one -> add(one, to));
    }

    private void add(TimedEvent one, Consumer<Sample> to) {
      var event = one.event();
      if (event.frames() > 0 && event.tracepoint().name().equals(tracepoint)) {
        to.accept(Sample.of(event, event.time(), one.duration()));
      }
    }
  }

  /** What threads waited for while their CPU had nothing to do, by how long. */
  record Idle() implements Samples {
    private static final class Cpu {
      private Optional<Long> idle = Optional.empty();
      private final Map<Long, KeptEvent> waits = new LinkedHashMap<>();

      void end(long time, Consumer<Sample> to) {
        if (idle.isEmpty()) {
          return;
        }
        for (var wait : waits.values()) {
          long begin = Math.max(wait.time(), idle.get());
          if (wait.frames() > 0) {
            to.accept(Sample.of(wait, begin, time - begin));
          }
        }
      }
    }

    @Override
    public void each(EventCursor events, Consumer<Sample> to) {
      var cpus = new LinkedHashMap<Integer, Cpu>();
      long last = 0;
      while (events.next()) {
        last = events.time();
        one(cpus.computeIfAbsent(events.cpu(), _ -> new Cpu()), events, to);
      }
      for (var cpu : cpus.values()) {
        cpu.end(last, to);
      }
    }

    private static void one(Cpu cpu, TraceEvent event, Consumer<Sample> to) {
      switch (event.tracepoint().name()) {
        case "sched_idle" -> cpu.idle = Optional.of(event.time());
        case "sched_idle_ret" -> {
          cpu.end(event.time(), to);
          cpu.idle = Optional.empty();
        }
        case "sched_wait" -> cpu.waits.put(event.threadId(), KeptEvent.of(event));
        case "sched_wait_ret" -> cpu.waits.remove(event.threadId());
        default -> {}
      }
    }
  }
}
