// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.frame;

import dev.fathom.trace.Frame;
import dev.fathom.trace.FrameNames;
import dev.fathom.trace.TraceEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Backtraces as functions, the innermost first. Each return address is looked up one byte before,
 * in the call. What is asked for is remembered, so a lookup may take long.
 */
public final class Backtraces {
  /**
   * What the tracer itself leaves at the start of a backtrace, the longest first: the frames that
   * write a record, for a tracepoint that the CPU's sampler hit with those of the interrupt that it
   * runs in (OSv's include/osv/trace.hh, core/sampler.cc, arch/x64/exceptions.cc).
   */
  private static final List<List<String>> TRACER = tracer();

  private static final Set<String> CALLERS = Set.of("_M_invoke");

  /** Below these there is nothing of interest: every thread has them (OSv's libc/pthread.cc). */
  private static final Set<String> BOTTOM = Set.of("thread_main", "thread_main_c");

  private static final int REMEMBERED = 1 << 18;
  private static final String TRACE_HEADER = "trace.hh";

  private final FrameNames names;
  private final Map<Long, List<Frame>> known = new HashMap<>();

  public Backtraces(FrameNames names) {
    this.names = names;
  }

  private static List<List<String>> tracer() {
    var log = List.of("log", "trace_slow_path", "operator()", "_FUN");
    var logged =
        new ArrayList<>(List.of("tracepoint_base::log_backtrace(trace_record*, unsigned char*&)"));
    logged.addAll(log);
    var sampled = new ArrayList<>(logged);
    sampled.addAll(
        List.of(
            "prof::cpu_sampler::timer_fired()",
            "prof::cpu_sampler::timer_fired()",
            "sched::timer_list::fired()",
            "std::function<void ()>::operator()() const",
            "interrupt_descriptor_table::invoke_interrupt(unsigned int)",
            "interrupt",
            "interrupt_entry_common"));
    var called = new ArrayList<>(logged);
    called.add("operator()");
    var alone = new ArrayList<>(log);
    alone.add("operator()");
    return List.of(List.copyOf(sampled), List.copyOf(called), List.copyOf(alone));
  }

  /** Every frame of an event's backtrace, of inlined functions too. */
  public List<Frame> of(TraceEvent event) {
    var frames = new ArrayList<Frame>();
    for (int i = 0; i < event.frames(); i++) {
      frames.addAll(at(event.frame(i)));
    }
    return frames;
  }

  /** Every frame of a backtrace, of inlined functions too. */
  public List<Frame> of(long[] addresses) {
    var frames = new ArrayList<Frame>();
    for (long address : addresses) {
      frames.addAll(at(address));
    }
    return frames;
  }

  private List<Frame> at(long returned) {
    var before = known.get(returned);
    if (before != null) {
      return before;
    }
    if (known.size() >= REMEMBERED) {
      known.clear();
    }
    long address = returned - 1;
    var found = new ArrayList<Frame>();
    for (var frame : names.at(address)) {
      found.add(frame.name().map(name -> shortened(frame, name)).orElse(frame));
    }
    var frames = found.isEmpty() ? List.of(Frame.unknown(address)) : List.copyOf(found);
    known.put(returned, frames);
    return frames;
  }

  /** Instances of one template, each with its caller's lambda in the name, become one function. */
  private static Frame shortened(Frame frame, String name) {
    if (name.startsWith("void sched::thread::do_wait_until<")) {
      return named(frame, "sched::thread::do_wait_until");
    }
    return name.startsWith("do_wait_until<") ? named(frame, "do_wait_until") : frame;
  }

  private static Frame named(Frame frame, String name) {
    return new Frame(frame.address(), Optional.of(name), frame.file(), frame.line());
  }

  /** Without the frames of the tracer at the start: what a listing shows. */
  public static List<Frame> withoutTracer(List<Frame> frames) {
    int from = 0;
    while (from < frames.size() && isTracer(frames.get(from))) {
      from++;
    }
    return frames.subList(from, frames.size());
  }

  private static boolean isTracer(Frame frame) {
    return frame.name().isPresent()
        && (frame.name().get().startsWith("tracepoint") || isTraceHeader(frame));
  }

  private static boolean isTraceHeader(Frame frame) {
    return frame.file().filter(file -> file.endsWith(TRACE_HEADER)).isPresent();
  }

  /**
   * Without the frames of the tracer, of wrappers, and of what every thread begins with: what a
   * profile is made of.
   */
  public static List<Frame> ofInterest(List<Frame> frames) {
    int from = 0;
    for (var chain : TRACER) {
      if (beginsWith(frames, chain)) {
        from = chain.size();
        break;
      }
    }
    var kept = new ArrayList<Frame>();
    for (var frame : frames.subList(from, frames.size())) {
      if (frame.name().filter(BOTTOM::contains).isPresent() && !isTraceHeader(frame)) {
        break;
      }
      boolean wrapper =
          frame.name().isPresent()
              && (isTraceHeader(frame) || CALLERS.contains(frame.name().get()));
      if (!wrapper) {
        kept.add(frame);
      }
    }
    return kept;
  }

  private static boolean beginsWith(List<Frame> frames, List<String> chain) {
    if (frames.size() < chain.size()) {
      return false;
    }
    for (int i = 0; i < chain.size(); i++) {
      if (!frames.get(i).name().equals(Optional.of(chain.get(i)))) {
        return false;
      }
    }
    return true;
  }
}
