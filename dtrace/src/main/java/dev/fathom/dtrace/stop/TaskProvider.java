// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.probe.Stability;
import dev.fathom.model.Symbol;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * {@code proc} and {@code sched} of Linux guests: what becomes of processes and threads, by the
 * functions of the kernel that every one of them comes through. A probe whose functions a kernel
 * does not have is not there.
 */
final class TaskProvider implements Provider {
  /**
   * A probe.
   *
   * @param functions each is a place of its own, as far as the kernel has it
   * @param exact whether the compiler must have left the arguments alone: no function with a suffix
   */
  private record Event(
      String name,
      List<String> functions,
      boolean exact,
      Place.Filter filter,
      List<Place.Source> sources,
      List<String> types) {}

  private static final Place.Source FIRST = new Place.Parameter(0);
  private static final Place.Source SECOND = new Place.Parameter(1);
  private static final Place.Source THIRD = new Place.Parameter(2);

  private static final String WAKEUP = "sched_wakeup";

  private static final String PROCESS = "psinfo_t *";
  private static final String THREAD = "lwpsinfo_t *";
  private static final String CPU = "cpuinfo_t *";
  private static final String NUMBER = "int";

  /**
   * The functions, with the first kernel that has them as they are taken here:
   *
   * <pre>
   *   wake_up_new_task(p)             kernel/sched/core.c, 2.6
   *   schedule_tail(prev)             kernel/sched/core.c, 2.6: the first of a new thread
   *   do_exit(code)                   kernel/exit.c, 2.6
   *   send_signal_locked(sig, info, p, type)   kernel/signal.c, 5.19; send_signal before
   *   finish_task_switch(prev)        kernel/sched/core.c, 2.6: the first of one that goes on
   *   __switch_to_asm(prev, next)     arch/x86/entry/entry_64.S, 4.9
   *   cpu_switch_to(prev, next)       arch/arm64/kernel/entry.S, 3.7
   *   enqueue_task_fair(rq, p, flags) kernel/sched/fair.c, 2.6.37, and its siblings
   * </pre>
   */
  private static final List<Event> PROC =
      List.of(
          event("create", "wake_up_new_task", Place.Filter.LEADER, List.of(FIRST), PROCESS),
          event(
              "lwp-create",
              "wake_up_new_task",
              Place.Filter.ALL,
              List.of(FIRST, FIRST),
              THREAD,
              PROCESS),
          event("start", "schedule_tail", Place.Filter.CURRENT_LEADER, List.of()),
          event("lwp-start", "schedule_tail", Place.Filter.ALL, List.of()),
          event(
              "exit",
              "do_exit",
              Place.Filter.CURRENT_LEADER,
              List.of(new Place.ExitReason(0)),
              NUMBER),
          event("lwp-exit", "do_exit", Place.Filter.ALL, List.of()),
          new Event(
              "signal-send",
              List.of("send_signal_locked", "send_signal"),
              true,
              Place.Filter.ALL,
              List.of(THIRD, THIRD, FIRST),
              List.of(THREAD, PROCESS, NUMBER)));

  private static final List<Event> SCHED =
      List.of(
          new Event(
              "on-cpu",
              List.of("finish_task_switch"),
              false,
              Place.Filter.ALL,
              List.of(),
              List.of()),
          new Event(
              "off-cpu",
              List.of("__switch_to_asm", "cpu_switch_to"),
              true,
              Place.Filter.ALL,
              List.of(SECOND, SECOND),
              List.of(THREAD, PROCESS)),
          queue("enqueue"),
          queue("dequeue"));

  private static Event event(
      String name,
      String function,
      Place.Filter filter,
      List<Place.Source> sources,
      String... types) {
    return new Event(name, List.of(function), true, filter, sources, List.of(types));
  }

  private static Event queue(String what) {
    return new Event(
        what,
        List.of(what + "_task_fair", what + "_task_rt", what + "_task_dl"),
        true,
        Place.Filter.ALL,
        List.of(SECOND, SECOND, new Place.QueueCpu(0)),
        List.of(THREAD, PROCESS, CPU));
  }

  private final String name;
  private final List<Event> events;
  private final Functions functions;
  private final Tracepoints tracepoints;
  private final Places places;

  private TaskProvider(
      String name,
      List<Event> events,
      Functions functions,
      Tracepoints tracepoints,
      Places places) {
    this.name = name;
    this.events = events;
    this.functions = functions;
    this.tracepoints = tracepoints;
    this.places = places;
  }

  static TaskProvider proc(Functions functions, Tracepoints tracepoints, Places places) {
    return new TaskProvider("proc", PROC, functions, tracepoints, places);
  }

  static TaskProvider sched(Functions functions, Tracepoints tracepoints, Places places) {
    return new TaskProvider("sched", SCHED, functions, tracepoints, places);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Stability stability() {
    return Stability.STABLE;
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    if (!ProbePattern.matches(pattern.provider(), name)
        || !ProbePattern.matches(pattern.module(), Functions.KERNEL)) {
      return Stream.empty();
    }
    var found = new ArrayList<Probe>();
    for (var event : events) {
      if (ProbePattern.matches(pattern.name(), event.name())) {
        for (var function : event.functions()) {
          symbol(function, event.exact())
              .filter(s -> ProbePattern.matches(pattern.function(), s.name()))
              .ifPresent(s -> found.add(probe(event, s)));
        }
      }
    }
    if (name.equals("proc")) {
      executions(pattern, found);
    } else {
      wakeups(pattern, found);
    }
    return found.stream();
  }

  /**
   * {@code exec} and what comes of it, by the system calls: the path is in user memory, {@code
   * copyinstr(arg0)}.
   */
  private void executions(ProbePattern pattern, List<Probe> found) {
    var prefix = SystemCallProvider.prefix(functions.program());
    for (var call : List.of("execve", "execveat")) {
      var function = symbol(prefix + call, true);
      if (function.isEmpty() || !ProbePattern.matches(pattern.function(), function.get().name())) {
        continue;
      }
      var f = function.get();
      if (ProbePattern.matches(pattern.name(), "exec")) {
        int path = call.equals("execve") ? 0 : 1;
        found.add(probe("exec", f, new Place.ExecutionPath(f.address(), path), List.of()));
      }
      for (boolean success : List.of(true, false)) {
        var event = success ? "exec-success" : "exec-failure";
        if (ProbePattern.matches(pattern.name(), event)) {
          var place = new Place.Executed(f.address(), f.size(), success);
          found.add(
              probe(
                  event, f, place, success ? List.of() : List.of(new ProbeArgument(0, intType()))));
        }
      }
    }
  }

  /**
   * Wakeups by their tracepoint, {@code sched_wakeup(struct task_struct *)} (include/trace/events/
   * sched.h, of that form since 4.3): no function stands for just them.
   */
  private void wakeups(ProbePattern pattern, List<Probe> found) {
    if (!ProbePattern.matches(pattern.name(), "wakeup")
        || !ProbePattern.matches(pattern.function(), WAKEUP)) {
      return;
    }
    var task = functions.program().types().find(TypeName.struct("task_struct"));
    var wakeup = tracepoints.find(WAKEUP);
    if (wakeup.isPresent() && task.isPresent()) {
      var type = pointer(task.get());
      found.add(
          places.probe(
              new ProbeName(name, Functions.KERNEL, WAKEUP, "wakeup"),
              new Place.Tracepoint(wakeup.get(), 0),
              List.of(
                  new ProbeArgument(0, type, Optional.of(THREAD)),
                  new ProbeArgument(0, type, Optional.of(PROCESS)))));
    }
  }

  private Optional<Symbol> symbol(String function, boolean exact) {
    var found = functions.program().symbols().first(function);
    if (found.isEmpty() && !exact) {
      found = functions.all().stream().filter(s -> s.name().startsWith(function + ".")).findFirst();
    }
    return found.filter(s -> s.kind() == Symbol.Kind.TEXT);
  }

  private Probe probe(Event event, Symbol function) {
    var arguments = new ArrayList<ProbeArgument>();
    for (int i = 0; i < event.types().size(); i++) {
      var type = event.types().get(i);
      switch (type) {
        case NUMBER -> arguments.add(new ProbeArgument(i, intType()));
        case CPU -> arguments.add(new ProbeArgument(i, intType(), Optional.of(CPU)));
        default -> {
          var task = functions.program().types().find(TypeName.struct("task_struct"));
          if (task.isEmpty()) {
            return probe(event, function, List.of());
          }
          arguments.add(new ProbeArgument(i, pointer(task.get()), Optional.of(type)));
        }
      }
    }
    return probe(event, function, arguments);
  }

  private Probe probe(Event event, Symbol function, List<ProbeArgument> arguments) {
    return probe(
        event.name(),
        function,
        new Place.Derived(function.address(), event.filter(), event.sources()),
        arguments);
  }

  private Probe probe(String event, Symbol function, Place place, List<ProbeArgument> arguments) {
    return places.probe(
        new ProbeName(name, Functions.KERNEL, function.name(), event), place, arguments);
  }

  private CType pointer(CType to) {
    return new PointerType(functions.program().architecture().layout().wordBytes(), () -> to);
  }

  private static IntType intType() {
    return new IntType("int", 4, true, false);
  }
}
