// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Engine;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.record.RecordSink;
import dev.fathom.dtrace.replay.Recorder;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.Condition;
import dev.fathom.session.control.Control;
import dev.fathom.session.control.Hit;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Cpu;
import dev.fathom.target.DirectMemory;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RunControl;
import dev.fathom.target.SignalNames;
import dev.fathom.target.Stop;
import dev.fathom.target.SystemCalls;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Traces what a session is attached to by stopping it at probes. A clause sees the target as it
 * stood when it came there; all of its CPUs stand still meanwhile.
 */
public final class StopEngine implements Engine {
  private static final String PROCESS = "Linux process";

  /** The share of time that samples may take from the target; more often they are left out. */
  private static final double MOST_STILL = 0.25;

  /** The same where only registers and stacks are copied while the target stands still. */
  private static final double MOST_STILL_DIRECT = 0.05;

  private static final int REHEARSALS = 50;

  /** A probe at an address, and the clauses there. */
  private record Spot(Probe probe, Place place, Interpreter.Site site) {}

  private final Session session;
  private final Optional<Recorder> recorder;
  private final Places places = new Places();
  private final List<Provider> providers;
  private final Functions functions;
  private final Map<Long, List<Spot>> spots = new LinkedHashMap<>();
  private final Map<Breakpoint, Firing> firings = new LinkedHashMap<>();
  private final Set<Long> semaphores = new LinkedHashSet<>();
  private final List<Spot> callSpots = new ArrayList<>();
  private final List<Breakpoint> breakpoints = new ArrayList<>();
  private final List<String> notices = new ArrayList<>();
  private final Timers timers = new Timers();
  private Optional<Interpreter> interpreter = Optional.empty();
  private Optional<Control> control = Optional.empty();
  private Optional<StopBudget> budget = Optional.empty();
  private Optional<CallNumbers> numbers = Optional.empty();
  private long hits;
  private long samples;
  private long skipped;
  private long still;
  private long started;
  private boolean toldEnd;
  private long stopped;

  /** What the target said at the last stop of the time for which it has stood still. */
  private long counted;

  /** The memory of a guest that is read beside it, running or not. */
  private final Optional<DirectMemory> direct;

  /**
   * An engine over what {@code session} is attached to; a dump has its probes too, for lists.
   *
   * @param recorder keeps all that fires
   */
  public StopEngine(Session session, Optional<Recorder> recorder) {
    this.session = session;
    this.recorder = recorder;
    this.direct =
        session
            .target()
            .find(PhysicalMemory.class)
            .filter(DirectMemory.class::isInstance)
            .map(DirectMemory.class::cast);
    var kernel = session.kernel();
    if (isProcess(kernel)) {
      var program = kernel.images().isEmpty() ? "a.out" : kernel.images().getFirst().name();
      long pid = kernel.initialTask().map(t -> t.process().orElse(0)).orElse(0L);
      functions = new Functions(kernel.program(), program);
      var all = new ArrayList<Provider>();
      all.add(new ProcessProvider(functions, places, pid, program));
      if (session.target().find(SystemCalls.class).isPresent()) {
        var names = CallNames.of(kernel.program().architecture().name());
        all.add(new ProcessCallProvider(places, names));
      }
      all.add(new TimerProvider(places));
      if (kernel.program().architecture() == X86_64.INSTANCE) {
        session
            .target()
            .find(ProcessView.class)
            .ifPresent(view -> all.addAll(UsdtProvider.of(view, functions, places)));
      }
      providers = List.copyOf(all);
    } else {
      functions = new Functions(kernel.program(), "vmlinux");
      providers =
          List.of(
              new FunctionProvider(functions, places),
              new SystemCallProvider(functions, places, this::callNumbers),
              TaskProvider.proc(functions, places),
              TaskProvider.sched(functions, places),
              new TimerProvider(places),
              new InstructionProvider(functions, places));
    }
  }

  static boolean isProcess(Kernel kernel) {
    return kernel.os().equals(PROCESS);
  }

  @Override
  public String name() {
    return "stop";
  }

  @Override
  public List<Provider> providers() {
    return providers;
  }

  @Override
  public Set<Builtin> builtins() {
    var all = EnumSet.allOf(Builtin.class);
    if (isProcess(session.kernel())) {
      all.removeAll(EnumSet.of(Builtin.VTIMESTAMP, Builtin.UID, Builtin.GID, Builtin.CURTHREAD));
    }
    return all;
  }

  @Override
  public Set<Subroutine> subroutines() {
    return EnumSet.allOf(Subroutine.class);
  }

  @Override
  public Set<Stmt.Destruction> destructions() {
    return Set.of();
  }

  @Override
  public int cpus() {
    return Math.max(1, session.target().cpus().size());
  }

  /** How often a clause's place was come to. */
  public long hits() {
    return hits;
  }

  /** How often samples were taken of all CPUs. */
  public long samples() {
    return samples;
  }

  /** How many samples were left out, since they would have held the target too long. */
  public long skipped() {
    return skipped;
  }

  /** The nanoseconds for which the target stood still because of tracing. */
  public long still() {
    return still + control.map(Control::still).orElse(0L);
  }

  /** The nanoseconds since tracing began. */
  public long elapsed() {
    return System.nanoTime() - started;
  }

  @Override
  public List<String> start(Plan plan, RecordSink sink) {
    session.begin();
    try {
      var order = session.kernel().program().architecture().layout().order();
      var ready = new Interpreter(plan, sink, order, System.nanoTime());
      interpreter = Optional.of(ready);
      started = System.nanoTime();
      budget = Optional.of(StopBudget.of(plan.options(), started));
      ready.begin(new HostContext(session::kernel));
      var failed = new ArrayList<String>();
      plan.probes().forEach(probe -> enable(probe, ready, failed));
      if (controls()) {
        control = Optional.of(session.control());
        watchCalls();
        spots.values().forEach(here -> here.forEach(this::raise));
        spots.forEach((address, here) -> breakpoints.add(breakpoint(address, here)));
      }
      return failed;
    } finally {
      session.end();
    }
  }

  /**
   * Whether it is run and stopped by breakpoints and the like; a guest that is only sampled is not.
   */
  private boolean controls() {
    return control.isPresent() || !spots.isEmpty() || isProcess(session.kernel());
  }

  private void watchCalls() {
    var numbers = new HashSet<Long>();
    callSpots.forEach(
        spot -> {
          switch (spot.place()) {
            case Place.CallEntry(long number) -> numbers.add(number);
            case Place.CallReturn(long number) -> numbers.add(number);
            case Place.Code _, Place.Timer _ -> {}
          }
        });
    if (!numbers.isEmpty()) {
      control.get().watchCalls(numbers, this::called);
    }
  }

  /** Lets a program know that one of its probes is traced, which may work only then. */
  private void raise(Spot spot) {
    if (spot.place() instanceof Place.Usdt usdt && usdt.semaphore().isPresent()) {
      long address = usdt.semaphore().getAsLong();
      if (semaphores.add(address)) {
        addTo(address, 1);
      }
    }
  }

  private void addTo(long semaphore, int change) {
    var memory = session.kernel().program().memory();
    int value = memory.u16(semaphore) + change;
    session
        .target()
        .find(MemoryWriter.class)
        .orElseThrow(() -> new dev.fathom.base.UnsupportedException("memory cannot be written"))
        .write(
            MemoryWriter.Space.VIRTUAL,
            semaphore,
            MemorySegment.ofArray(new byte[] {(byte) value, (byte) (value >> 8)}));
  }

  /** A thread is at a system call; whether tracing is over. */
  private boolean called(Hit hit, Stop.SystemCall call) {
    hits++;
    var place =
        call.entry() ? new Place.CallEntry(call.number()) : new Place.CallReturn(call.number());
    for (var spot : callSpots) {
      if (spot.place().equals(place)) {
        fire(spot, hit);
      }
    }
    return interpreter.get().exited();
  }

  private void fire(Spot spot, Hit hit) {
    var context = new StopContext(session::kernel, hit.cpu(), spot.place(), hit::task);
    if (!context.passes()) {
      return;
    }
    recorder.ifPresent(to -> to.record(spot.probe(), context));
    spot.site().fire(context);
  }

  private void enable(Probe probe, Interpreter ready, List<String> failed) {
    if (probe.id() <= Probe.ERROR) {
      return;
    }
    var site = ready.site(probe);
    var place = places.of(probe);
    switch (place) {
      case Place.Timer timer -> timers.add(timer, site);
      case Place.CallEntry _, Place.CallReturn _ -> callSpots.add(new Spot(probe, place, site));
      case Place.Code code -> {
        var addresses = addresses(code);
        if (addresses.isEmpty()) {
          failed.add(probe.name() + ": no return instruction found in the function");
        }
        for (long address : addresses) {
          spots.computeIfAbsent(address, _ -> new ArrayList<>()).add(new Spot(probe, place, site));
        }
      }
    }
  }

  private List<Long> addresses(Place.Code code) {
    return switch (code) {
      case Place.Entry entry -> List.of(entry.function());
      case Place.SystemCall entry -> List.of(entry.function());
      case Place.At at -> List.of(at.address());
      case Place.Return back -> functions.returns(back.function(), back.size());
      case Place.SystemReturn back -> systemReturns(back.function(), back.size());
      case Place.Executed back -> systemReturns(back.function(), back.size());
      case Place.Derived derived -> List.of(derived.function());
      case Place.ExecutionPath exec -> List.of(exec.function());
      case Place.Usdt usdt -> List.of(usdt.address());
    };
  }

  /**
   * Where a system call returns: as most of them end by jumping to a function that does the work,
   * that one's returns as well, at which it is asked which system call it was.
   */
  private List<Long> systemReturns(long function, long size) {
    var found = new ArrayList<>(functions.returns(function, size));
    if (callNumbers().has(function)) {
      found.addAll(functions.returnsElsewhere(function, size));
    }
    return found;
  }

  private boolean returnsFrom(long function, long size, Hit hit) {
    return Long.compareUnsigned(hit.pc() - function, size) < 0
        || callNumbers().isIn(session.kernel(), hit.registers(), function);
  }

  private CallNumbers callNumbers() {
    if (numbers.isEmpty()) {
      numbers = Optional.of(new CallNumbers(session.kernel()));
    }
    return numbers.get();
  }

  /** Whether what came to a place is what its probe is about. */
  private boolean isMeant(Place place, Hit hit) {
    return switch (place) {
      case Place.SystemReturn back -> returnsFrom(back.function(), back.size(), hit);
      case Place.Executed back -> returnsFrom(back.function(), back.size(), hit);
      case Place.Entry _,
          Place.Return _,
          Place.At _,
          Place.SystemCall _,
          Place.Derived _,
          Place.ExecutionPath _,
          Place.Usdt _,
          Place.CallEntry _,
          Place.CallReturn _,
          Place.Timer _ ->
          true;
    };
  }

  private Breakpoint breakpoint(long address, List<Spot> here) {
    var added =
        control
            .get()
            .add(
                new Breakpoint.At(address, "probe"),
                Breakpoints.Kind.SOFTWARE,
                1,
                Optional.of("probe"));
    var firing = new Firing(address, here);
    firings.put(added, firing);
    added.condition(Optional.of(firing));
    return added;
  }

  /** Runs clauses where a breakpoint's condition would be judged; holds when tracing is over. */
  private final class Firing implements Condition {
    private final long address;
    private final List<Spot> here;

    /** How often it was come to since the time that stops take was looked at last. */
    private long lately;

    Firing(long address, List<Spot> here) {
      this.address = address;
      this.here = here;
    }

    @Override
    public String text() {
      return "probe";
    }

    @Override
    public boolean holds(Hit hit) {
      hits++;
      lately++;
      for (var spot : here) {
        if (!isMeant(spot.place(), hit)) {
          continue;
        }
        fire(spot, hit);
      }
      return interpreter.get().exited();
    }
  }

  @Override
  public boolean work(long nanos) {
    if (interpreter.get().exited() || isIn(Live.State.GONE)) {
      return false;
    }
    session.begin();
    try {
      if (!controls()) {
        return sample(nanos);
      }
      boolean more = run(nanos);
      if (more) {
        keepBudget();
      }
      return more;
    } finally {
      session.end();
    }
  }

  private boolean run(long nanos) {
    var event = control.get().proceed(Duration.ofNanos(Math.max(1, timers.until(nanos))));
    return switch (event.cause()) {
      case StopEvent.Gone _ -> false;
      case StopEvent.Replaced _ -> {
        replaced();
        yield true;
      }
      case StopEvent.TimedOut _, StopEvent.Interrupted _ -> {
        fireTimers();
        yield !interpreter.get().exited();
      }
      case StopEvent.AtBreakpoint _ -> !interpreter.get().exited();
      case StopEvent.AtData _, StopEvent.Signalled _, StopEvent.Stepped _, StopEvent.Trapped _ ->
          true;
      case StopEvent.BadCondition bad -> throw new dev.fathom.base.EvalException(bad.why());
    };
  }

  /** Takes out the probe that is come to most when stops hold the target for too long. */
  private void keepBudget() {
    var now = budget.get();
    var verdict = now.look(System.nanoTime(), still());
    if (verdict == StopBudget.Verdict.OPEN) {
      return;
    }
    var busiest =
        firings.entrySet().stream()
            .max(java.util.Comparator.comparingLong(entry -> entry.getValue().lately));
    if (busiest.isPresent() && busiest.get().getValue().lately > 0) {
      var most = busiest.get().getValue();
      var name = most.here.getFirst().probe().name().toString();
      switch (verdict) {
        case OPEN, FINE -> {}
        case MUCH ->
            notices.add(
                "stops hold the target for "
                    + now.share()
                    + " % of the time, most of them at "
                    + name);
        case OVER -> {
          control.get().delete(busiest.get().getKey());
          breakpoints.remove(busiest.get().getKey());
          firings.remove(busiest.get().getKey());
          spots.remove(most.address);
          notices.add(
              name
                  + " was taken out: stops held the target for "
                  + now.share()
                  + " % of the time (-x stopbudget="
                  + now.percent()
                  + ")");
        }
      }
    }
    firings.values().forEach(firing -> firing.lately = 0);
  }

  /** The process runs another program now, without what was at places in the old one. */
  private void replaced() {
    if (!spots.isEmpty()) {
      breakpoints.forEach(control.get()::delete);
      breakpoints.clear();
      firings.clear();
      spots.clear();
      semaphores.clear();
      notices.add("the process became another program, which has none of the pid probes");
    }
  }

  /** Fires what is due while the target stands still at a breakpoint or for another reason. */
  private void fireTimers() {
    var due = timers.due();
    samples += due.stream().anyMatch(timer -> timer.place().everyCpu()) ? 1 : 0;
    for (var timer : due) {
      if (timer.place().everyCpu()) {
        sample(timer);
      } else {
        timer.site().fire(new HostContext(session::kernel));
      }
    }
  }

  /** Fires what is due while the target runs; it is stopped for the moment that samples take. */
  private void fireTimersOfRunning() {
    var due = timers.due();
    boolean sample = due.stream().anyMatch(timer -> timer.place().everyCpu());
    if (sample && tooStill()) {
      skipped++;
      sample = false;
    }
    var moment = sample ? takeMoment() : List.<Moment>of();
    try {
      for (var timer : due) {
        if (!timer.place().everyCpu()) {
          timer.site().fire(new HostContext(session::kernel));
        } else if (direct.isPresent()) {
          moment.forEach(at -> fire(timer, at));
        } else if (sample) {
          sample(timer);
        }
      }
      samples += sample ? 1 : 0;
    } finally {
      if (sample) {
        direct.ifPresentOrElse(DirectMemory::release, this::goOn);
      }
    }
  }

  /** A CPU as it was at a stop, and the thread on it. */
  private record Moment(Cpu cpu, Optional<Task> task) {}

  /**
   * Stops the target. Where its memory is read directly, it copies what a sample looks at and lets
   * the target go on, so that clauses run and stacks are unwound while it does; else it is left
   * standing.
   */
  private List<Moment> takeMoment() {
    stopped = System.nanoTime();
    need().stopToLook();
    if (direct.isEmpty()) {
      session.kernel().ran();
      return List.of();
    }
    try {
      session.kernel().ran();
      return look();
    } finally {
      goOn();
    }
  }

  /** What the CPUs are at, with copies of the stacks that they are on. */
  private List<Moment> look() {
    var cpus = new ArrayList<Moment>();
    for (var cpu : session.target().cpus()) {
      if (cpu.registers().pc().isPresent()) {
        cpus.add(new Moment(cpu, session.kernel().running(cpu)));
      }
    }
    var stacks = new StackPages(session.kernel());
    cpus.forEach(at -> stacks.add(at.cpu().registers(), at.task()));
    direct.orElseThrow().keep(stacks.pages());
    return cpus;
  }

  /**
   * Does what a sample does while the target stands still, but lets it run: so that at the first
   * stop all is loaded and compiled, and the layouts are known.
   */
  private void rehearse() {
    for (int i = 0; i < REHEARSALS; i++) {
      look();
      direct.orElseThrow().release();
      session.kernel().ran();
    }
  }

  private void goOn() {
    need().resume();
    long now = System.nanoTime();
    var told = need().stoodStill();
    // QEMU dates its own stops: what its answers take until they are read is not counted.
    still += told.isPresent() ? Math.min(told.getAsLong() - counted, now - stopped) : now - stopped;
    counted = told.orElse(0);
  }

  private void fire(Timers.Timer timer, Moment at) {
    timer.site().fire(new StopContext(session::kernel, at.cpu(), timer.place(), at::task));
  }

  private boolean tooStill() {
    double most = direct.isPresent() ? MOST_STILL_DIRECT : MOST_STILL;
    return samples > 0 && still > elapsed() * most;
  }

  private void sample(Timers.Timer timer) {
    for (var cpu : session.target().cpus()) {
      if (cpu.registers().pc().isPresent()) {
        timer
            .site()
            .fire(
                new StopContext(
                    session::kernel, cpu, timer.place(), () -> session.kernel().running(cpu)));
      }
    }
  }

  private RunControl need() {
    return session
        .target()
        .find(RunControl.class)
        .orElseThrow(
            () -> new dev.fathom.base.UnsupportedException("this target cannot be stopped"));
  }

  /** Without breakpoints the target runs; it is stopped for samples alone. */
  private boolean sample(long nanos) {
    long end = System.nanoTime() + nanos;
    var live = session.target().find(Live.class);
    if (timers.sample() && live.isPresent() && live.get().state() == Live.State.STOPPED) {
      need().resume();
    }
    if (direct.isPresent() && timers.sample() && samples == 0) {
      rehearse();
    }
    while (!interpreter.get().exited()) {
      if (live.isPresent() && live.get().state() == Live.State.GONE) {
        return false;
      }
      long wait = timers.until(Math.max(0, end - System.nanoTime()));
      if (!sleep(wait)) {
        return true;
      }
      fireTimersOfRunning();
      if (System.nanoTime() - end >= 0) {
        return !interpreter.get().exited();
      }
    }
    return false;
  }

  /** False when it was interrupted. */
  private boolean sleep(long nanos) {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() - end < 0) {
      if (session.takeInterrupt()) {
        return false;
      }
      java.util.concurrent.locks.LockSupport.parkNanos(
          Math.min(50_000_000L, end - System.nanoTime()));
    }
    return true;
  }

  @Override
  public void stop() {
    if (isIn(Live.State.GONE)) {
      end(); // What is gone need not be looked at.
      return;
    }
    session.begin();
    try {
      end();
    } finally {
      session.end();
    }
  }

  private void end() {
    removeAll();
    interpreter.ifPresent(i -> i.end(new HostContext(session::kernel)));
  }

  private boolean isIn(Live.State state) {
    var live = session.target().find(Live.class);
    return live.isPresent() && live.get().state() == state;
  }

  private void removeAll() {
    if (isIn(Live.State.STOPPED)) {
      semaphores.forEach(address -> addTo(address, -1));
    }
    semaphores.clear();
    control.ifPresent(c -> breakpoints.forEach(c::delete));
    if (!callSpots.isEmpty() && isIn(Live.State.STOPPED)) {
      control.ifPresent(c -> c.watchCalls(Set.of(), (_, _) -> false));
    }
    callSpots.clear();
    firings.clear();
    breakpoints.clear();
    spots.clear();
    timers.clear();
  }

  /** How the traced process ended and what else should be known of it. */
  @Override
  public List<String> notices() {
    var told = new ArrayList<>(notices);
    notices.clear();
    var process = session.target().find(ProcessView.class);
    var ending = process.flatMap(ProcessView::ending);
    if (ending.isPresent() && !toldEnd) {
      toldEnd = true;
      told.add("pid " + process.get().process() + ' ' + text(ending.get()));
    }
    return told;
  }

  /** As dtrace says it. */
  private static String text(ProcessView.Ending ending) {
    if (ending.signal().isPresent()) {
      return "terminated by " + SignalNames.of(ending.signal().getAsInt());
    }
    return ending.status() == 0 ? "has exited" : "exited with status " + ending.status();
  }

  @Override
  public void interrupt() {
    session.interrupt();
  }

  @Override
  public void close() {
    removeAll();
  }

  /** What the user should know of the cost. */
  public Optional<String> cost() {
    if (hits == 0 && samples == 0) {
      return Optional.empty();
    }
    var text = new StringBuilder();
    double seconds = elapsed() / 1e9;
    if (hits > 0) {
      text.append(hits).append(hits == 1 ? " stop" : " stops");
    }
    if (samples > 0) {
      text.append(text.isEmpty() ? "" : ", ").append(samples).append(" samples");
    }
    if (skipped > 0) {
      text.append(" (").append(skipped).append(" left out)");
    }
    text.append(
        String.format(
            java.util.Locale.ROOT,
            " in %.1f s; the target stood still for %.1f %% of it",
            seconds,
            100.0 * still() / Math.max(1, elapsed())));
    return Optional.of(text.toString());
  }
}
