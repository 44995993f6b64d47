// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.EventCursor;
import dev.fathom.trace.Trace;
import dev.fathom.trace.Tracepoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How many events there are of what, and when.
 *
 * @param first time of the earliest event, in nanoseconds; events without time do not count
 * @param cpus when each CPU has events, by the first
 * @param tracepoints by name, those without events left out
 * @param timed durations of what has one, in the order of the first end; empty unless asked for
 * @param nested how often something began again before it had ended
 */
public record Summary(
    long events,
    long first,
    long last,
    List<CpuTimes> cpus,
    List<Count> tracepoints,
    List<Durations> timed,
    long nested) {

  /** The times of a CPU's first and last event. */
  public record CpuTimes(int cpu, long first, long last) {}

  public record Count(Tracepoint tracepoint, long events) {}

  /**
   * Durations in nanoseconds: the least, the largest, the sum, and those that so many of a hundred
   * do not exceed.
   */
  public record Durations(
      String name,
      long count,
      long least,
      long p50,
      long p90,
      long p99,
      long p999,
      long largest,
      long total) {}

  /** CPUs up to this number are counted in an array. */
  private static final int SMALL = 1 << 10;

  /**
   * Reads a trace.
   *
   * @param timed whether durations are to be found, which takes longer
   */
  public static Summary of(Trace trace, TimeSlice slice, boolean timed) {
    return new Counter(trace, slice, timed).count(trace.events());
  }

  private static final class Range {
    private final int cpu;
    private long first;
    private long last;

    Range(int cpu, long time) {
      this.cpu = cpu;
      first = time;
      last = time;
    }
  }

  private static final class Counter {
    private final List<Tracepoint> all;
    private final TimeSlice slice;
    private final boolean timed;
    private final long[] counts;
    private final Map<Integer, Range> ranges = new LinkedHashMap<>();
    private final Range[] small = new Range[SMALL];
    private long events;
    private long first;
    private long last;

    Counter(Trace trace, TimeSlice slice, boolean timed) {
      this.all = trace.tracepoints();
      this.slice = slice;
      this.timed = timed;
      counts = new long[all.size()];
    }

    Summary count(EventCursor cursor) {
      var durations = new LinkedHashMap<String, List<Long>>();
      var pairs = new TimedEvents();
      boolean whole = slice.equals(TimeSlice.ALL);
      while (cursor.next()) {
        long time = cursor.time();
        if (whole || slice.contains(time)) {
          add(cursor, time);
        }
        if (timed) {
          pairs.accept(cursor).ifPresent(one -> add(durations, one));
        }
      }
      pairs.rest().forEach(one -> add(durations, one));
      return new Summary(
          events,
          first,
          last,
          ranges.values().stream()
              .map(range -> new CpuTimes(range.cpu, range.first, range.last))
              .sorted((a, b) -> Long.compareUnsigned(a.first(), b.first()))
              .toList(),
          counted(),
          durations.entrySet().stream()
              .map(entry -> durations(entry.getKey(), entry.getValue()))
              .toList(),
          pairs.nested());
    }

    private void add(EventCursor cursor, long time) {
      events++;
      counts[cursor.tracepoint().number()]++;
      if (first == 0 || Long.compareUnsigned(time, first) < 0) {
        first = time;
      }
      if (Long.compareUnsigned(time, last) > 0) {
        last = time;
      }
      int cpu = cursor.cpu();
      var range = cpu >= 0 && cpu < SMALL ? small[cpu] : ranges.get(cpu);
      if (range == null) {
        range = new Range(cpu, time);
        ranges.put(cpu, range);
        if (cpu >= 0 && cpu < SMALL) {
          small[cpu] = range;
        }
      } else {
        if (Long.compareUnsigned(time, range.last) > 0) {
          range.last = time;
        }
        if (Long.compareUnsigned(time, range.first) < 0) {
          range.first = time;
        }
      }
    }

    private void add(Map<String, List<Long>> durations, TimedEvent one) {
      long start = one.event().time();
      if (slice.touches(start, one.end())) {
        durations
            .computeIfAbsent(one.event().tracepoint().name(), _ -> new ArrayList<>())
            .add(slice.to(one.end()) - slice.from(start));
      }
    }

    private List<Count> counted() {
      var list = new ArrayList<Count>();
      for (int i = 0; i < counts.length; i++) {
        if (counts[i] > 0) {
          list.add(new Count(all.get(i), counts[i]));
        }
      }
      list.sort(Comparator.comparing(count -> count.tracepoint().name()));
      return List.copyOf(list);
    }

    private static Durations durations(String name, List<Long> list) {
      long[] sorted = list.stream().mapToLong(Long::longValue).toArray();
      Arrays.sort(sorted);
      return new Durations(
          name,
          sorted.length,
          sorted[0],
          percentile(sorted, 0.5),
          percentile(sorted, 0.9),
          percentile(sorted, 0.99),
          percentile(sorted, 0.999),
          sorted[sorted.length - 1],
          Arrays.stream(sorted).sum());
    }

    private static long percentile(long[] sorted, double fraction) {
      return sorted[(int) Math.ceil((sorted.length - 1) * fraction)];
    }
  }
}
