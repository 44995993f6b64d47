// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import dev.fathom.trace.Trace;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.analysis.Sample;
import dev.fathom.trace.analysis.Samples;
import dev.fathom.trace.analysis.TimeSlice;
import dev.fathom.trace.analysis.TimedEvent;
import dev.fathom.trace.analysis.TimedEvents;
import dev.fathom.trace.frame.Backtraces;
import dev.fathom.trace.frame.FrameStyle;
import dev.fathom.trace.text.PrintFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes of a trace what the formats of this package show. */
public final class TraceExports {
  private TraceExports() {}

  /** The stacks of samples; the weight is their duration, or 1 where hits are counted. */
  public static Stacks stacks(
      Trace trace, Samples samples, TimeSlice slice, Backtraces backtraces, FrameStyle style) {
    boolean hits =
        switch (samples) {
          case Samples.Hits _ -> true;
          case Samples.Durations _, Samples.Idle _ -> false;
        };
    var stacks = new Stacks(trace.name(), hits ? Stacks.Unit.COUNT : Stacks.Unit.NANOSECONDS);
    samples.each(trace.events(), sample -> add(stacks, sample, hits, slice, backtraces, style));
    return stacks;
  }

  private static void add(
      Stacks stacks,
      Sample sample,
      boolean hits,
      TimeSlice slice,
      Backtraces backtraces,
      FrameStyle style) {
    long start = slice.from(sample.time());
    long end = slice.to(sample.time() + sample.duration());
    if (start <= end) {
      var frames = Backtraces.ofInterest(backtraces.of(sample.frames()));
      stacks.addInnermostFirst(frames.stream().map(style::text).toList(), hits ? 1 : end - start);
    }
  }

  /**
   * Every event as a moment, what has a duration as a slice, and the loads of CPUs as counters; a
   * row for each thread.
   */
  public static void timeline(Trace trace, TimeSlice slice, ChromeTrace to) {
    var pairs = new TimedEvents();
    var formats = new PrintFormat[trace.tracepoints().size()];
    var events = trace.events();
    while (events.next()) {
      pairs.accept(events).ifPresent(one -> slice(one, slice, formats, to));
      if (!slice.contains(events.time())) {
        continue;
      }
      var name = events.tracepoint().name();
      if (name.equals("sched_load") && !events.tracepoint().arguments().isEmpty()) {
        to.counter("load of CPU " + cpu(events), events.time(), events.integer(0));
      } else {
        to.instant(row(events), name, events.time(), values(events, formats));
      }
    }
    pairs.rest().forEach(one -> slice(one, slice, formats, to));
  }

  private static void slice(
      TimedEvent one, TimeSlice slice, PrintFormat[] formats, ChromeTrace to) {
    var event = one.event();
    if (slice.touches(event.time(), one.end())) {
      to.slice(
          row(event),
          event.tracepoint().name(),
          event.time(),
          one.duration(),
          values(event, formats));
    }
  }

  private static String cpu(TraceEvent event) {
    return Integer.toUnsignedString(event.cpu());
  }

  private static String row(TraceEvent event) {
    return event.thread().name() + " 0x" + Long.toHexString(event.threadId());
  }

  private static Map<String, String> values(TraceEvent event, PrintFormat[] formats) {
    int number = event.tracepoint().number();
    if (formats[number] == null) {
      formats[number] = PrintFormat.of(event.tracepoint());
    }
    var values = new LinkedHashMap<String, String>();
    values.put("cpu", cpu(event));
    var text = new StringBuilder();
    formats[number].append(text, event);
    if (!text.isEmpty()) {
      values.put("arguments", text.toString());
    }
    return values;
  }
}
