// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.KeptEvent;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.Tracepoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what has a duration: an event of tracepoint {@code name} and the next of {@code name_ret}
 * or {@code name_err} of the same thread (of the same CPU for {@code sched_idle}), and {@code
 * mutex_lock_wait} with {@code mutex_lock_wake}. Only tracepoints of which an end was seen count as
 * beginnings. What is still open when the trace ends lasts to its last event.
 */
public final class TimedEvents {
  private static final String IDLE = "sched_idle";
  private static final String MUTEX_WAIT = "mutex_lock_wait";
  private static final String MUTEX_WAKE = "mutex_lock_wake";

  /** How the ends of a beginning are found. */
  private enum Pairing {
    THREAD,
    CPU,
    MUTEX
  }

  /** What a tracepoint's events are here: the end of what, or maybe the beginning. */
  private record Part(Pairing pairing, String what, boolean end) {}

  private record Open(Pairing pairing, long of, String what) {}

  private final Set<Part> ended = new HashSet<>();
  private final Map<Open, KeptEvent> open = new LinkedHashMap<>();
  private final Map<Integer, Long> firstOfCpu = new HashMap<>();
  private Part[] byNumber = {};
  private boolean[] begins = {};
  private long last;
  private long nested;

  /** Takes the next event; gives what ended with it. */
  public Optional<TimedEvent> accept(TraceEvent event) {
    long time = event.time();
    if (time == 0) {
      return Optional.empty();
    }
    firstOfCpu.putIfAbsent(event.cpu(), time);
    last = Math.max(last, time);
    var tracepoint = event.tracepoint();
    var part = part(tracepoint);
    if (part.end()) {
      return end(event, part);
    }
    if (begins[tracepoint.number()] || ended.contains(part)) {
      begins[tracepoint.number()] = true;
      var before = open.put(key(part, event), KeptEvent.of(event));
      if (before != null && firstOfCpu.get(event.cpu()) <= before.time()) {
        nested++;
      }
    }
    return Optional.empty();
  }

  private Optional<TimedEvent> end(TraceEvent event, Part part) {
    ended.add(new Part(part.pairing(), part.what(), false));
    var begin = open.remove(key(part, event));
    if (begin == null) {
      return Optional.empty();
    }
    // What began before this CPU's buffer did may have ended and begun again unseen.
    boolean unseen = begin.cpu() != event.cpu() && firstOfCpu.get(event.cpu()) > begin.time();
    return unseen
        ? Optional.empty()
        : Optional.of(new TimedEvent(begin, event.time() - begin.time(), false));
  }

  private static Open key(Part part, TraceEvent event) {
    return switch (part.pairing()) {
      case THREAD -> new Open(part.pairing(), event.threadId(), part.what());
      case CPU -> new Open(part.pairing(), event.cpu(), part.what());
      case MUTEX -> new Open(part.pairing(), event.threadId(), MUTEX_WAIT);
    };
  }

  private Part part(Tracepoint tracepoint) {
    int number = tracepoint.number();
    if (number >= byNumber.length) {
      byNumber = java.util.Arrays.copyOf(byNumber, Math.max(number + 1, byNumber.length * 2));
      begins = java.util.Arrays.copyOf(begins, byNumber.length);
    }
    var known = byNumber[number];
    if (known == null) {
      known = part(tracepoint.name());
      byNumber[number] = known;
      begins[number] = known.pairing() == Pairing.MUTEX;
    }
    return known;
  }

  private static Part part(String name) {
    if (name.equals(MUTEX_WAIT)) {
      return new Part(Pairing.MUTEX, MUTEX_WAIT, false);
    }
    if (name.equals(MUTEX_WAKE)) {
      return new Part(Pairing.MUTEX, MUTEX_WAIT, true);
    }
    int suffix = Math.max(name.lastIndexOf("_ret"), name.lastIndexOf("_err"));
    boolean end = suffix >= 0;
    var what = end ? name.substring(0, suffix) : name;
    boolean idle = name.equals(IDLE) || name.equals(IDLE + "_ret");
    return new Part(idle ? Pairing.CPU : Pairing.THREAD, what, end);
  }

  /** What has not ended, in the order in which it began. */
  public List<TimedEvent> rest() {
    var rest = new ArrayList<TimedEvent>();
    for (var event : open.values()) {
      rest.add(new TimedEvent(event, last - event.time(), true));
    }
    return rest;
  }

  /** How often something began again before it had ended; the earlier beginnings do not count. */
  public long nested() {
    return nested;
  }
}
