// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.replay.Recorder;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeName;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.Condition;
import dev.fathom.session.control.Control;
import dev.fathom.session.control.Hit;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.Supplier;

/**
 * The probes at places: at code, by breakpoints, and at system calls. Lets the target run from one
 * to the next; clauses run where a breakpoint's condition would be judged.
 */
final class PlacedProbes {
  /** A probe at a place, and the clauses there. */
  private record Spot(Probe probe, Place place, Interpreter.Site site) {}

  private record Kept(long function, long thread) {}

  /** Threads in functions whose arguments are kept; more are not seen to return. */
  private static final int MOST_KEPT = 1 << 16;

  /** For how long CPUs are waited for that are on their way to a call, when tracing ends. */
  private static final Duration ARRIVAL = Duration.ofSeconds(1);

  /** More than a request has. */
  private static final int MOST_BIOS = 1 << 12;

  private final Session session;
  private final Optional<Recorder> recorder;
  private final Functions functions;
  private final Supplier<CallNumbers> callNumbers;
  private final Interpreter interpreter;
  private final StopBudget budget;
  private final Map<Long, List<Spot>> spots = new LinkedHashMap<>();
  private final Map<Breakpoint, Firing> firings = new LinkedHashMap<>();
  private final Set<Long> semaphores = new LinkedHashSet<>();
  private final Detours detours;
  private final List<Spot> callSpots = new ArrayList<>();
  private final Chill chill;
  private final List<String> notices = new ArrayList<>();

  /** The ids of the probes of which it was told that what they are about could not be read. */
  private final Set<Integer> unread = new HashSet<>();

  /** The arguments of functions that have not returned. */
  private final Map<Kept, Long> kept = new HashMap<>();

  /** The ids of the probes that are at places. */
  private final Set<Integer> placed = new HashSet<>();

  private Optional<Control> control = Optional.empty();

  /** Where the dynamic linker says what it did. */
  private Optional<Breakpoint> libraries = Optional.empty();

  /** What the clauses at the place that a CPU is at want of it. */
  private Sequel sequel = Sequel.GOES_ON;

  /** Whether a clause ended tracing for good. */
  private boolean over;

  private long hits;

  /**
   * @param callNumbers the numbers of a guest's system calls
   * @param interpreter whose clauses run
   */
  PlacedProbes(
      Session session,
      Optional<Recorder> recorder,
      Functions functions,
      Supplier<CallNumbers> callNumbers,
      Interpreter interpreter,
      StopBudget budget) {
    this.session = session;
    this.recorder = recorder;
    this.functions = functions;
    this.callNumbers = callNumbers;
    this.interpreter = interpreter;
    this.budget = budget;
    this.detours = new Detours(session);
    this.chill = new Chill(session::isInterrupted);
  }

  boolean isEmpty() {
    return spots.isEmpty() && callSpots.isEmpty();
  }

  /** How often a place was come to. */
  long hits() {
    return hits;
  }

  /** The nanoseconds for which the target stood still at places. */
  long still() {
    return control.map(Control::still).orElse(0L);
  }

  /** What the user should know, since this was asked last. */
  List<String> notices() {
    var told = List.copyOf(notices);
    notices.clear();
    return told;
  }

  /**
   * Has a probe at a place.
   *
   * @return why not, where it cannot be
   */
  Optional<String> add(Probe probe, Place place, Interpreter.Site site) {
    var spot = new Spot(probe, place, site);
    switch (place) {
      case Place.Timer _ -> throw new IllegalArgumentException(probe.name() + " has no place");
      case Place.CallEntry _, Place.CallReturn _ -> callSpots.add(spot);
      case Place.Code code -> {
        if (code instanceof Place.Followed point
            && session.kernel().program().memory().u32(point.point().key()) != 0) {
          return Optional.of(
              probe.name() + ": something in the guest listens already, and is called directly");
        }
        var addresses = addresses(code);
        if (addresses.isEmpty()) {
          return Optional.of(probe.name() + ": no return instruction found in the function");
        }
        placed.add(probe.id());
        for (long address : addresses) {
          var here = spots.computeIfAbsent(address, _ -> new ArrayList<>());
          here.add(spot);
          if (control.isPresent()) {
            raise(spot);
            if (here.size() == 1) {
              breakpoint(address, here);
            }
          }
        }
      }
    }
    return Optional.empty();
  }

  /** Takes over the target; probes that were added and that will be are in it while it runs. */
  void start() {
    control = Optional.of(session.control());
    watchCalls();
    spots.values().forEach(here -> here.forEach(this::raise));
    spots.forEach(this::breakpoint);
  }

  /** Stops where the dynamic linker says that libraries came or went, when {@code wanted} holds. */
  void watch(DynamicLinker linker, Condition wanted) {
    var watching = code(linker.breakpoint(), "libraries");
    watching.condition(Optional.of(wanted));
    libraries = Optional.of(watching);
  }

  /** Whether a probe is in the target, or was taken out since it held it too long. */
  boolean has(Probe probe) {
    return placed.contains(probe.id());
  }

  /**
   * Takes out the probes at code that is not there any more.
   *
   * @return those that are nowhere now
   */
  Set<Probe> drop(LongPredicate gone) {
    var dropped = new LinkedHashSet<Probe>();
    firings
        .entrySet()
        .removeIf(
            entry -> {
              if (!gone.test(entry.getValue().address)) {
                return false;
              }
              control.get().delete(entry.getKey());
              spots.remove(entry.getValue().address);
              entry.getValue().here.forEach(spot -> dropped.add(spot.probe()));
              return true;
            });
    semaphores.removeIf(address -> gone.test(address));
    if (!dropped.isEmpty()) {
      spots.values().forEach(here -> here.forEach(spot -> dropped.remove(spot.probe())));
    }
    dropped.forEach(probe -> placed.remove(probe.id()));
    return dropped;
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
        .orElseThrow(() -> new UnsupportedException("memory cannot be written"))
        .write(
            MemoryWriter.Space.VIRTUAL,
            semaphore,
            MemorySegment.ofArray(new byte[] {(byte) value, (byte) (value >> 8)}));
  }

  private void release(long semaphore) {
    try {
      addTo(semaphore, -1);
    } catch (FathomException e) {
      notices.add("a semaphore of the program stays raised: " + e.getMessage());
    }
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
    return interpreter.exited();
  }

  private void fire(Spot spot, Hit hit) {
    for (var place : meant(spot, hit)) {
      fire(spot, place, hit);
    }
  }

  /**
   * As what a spot's probe fires. The target's memory may say anything: where it cannot be read,
   * what was found until then.
   */
  private List<Place> meant(Spot spot, Hit hit) {
    var found = new ArrayList<Place>();
    try {
      if (isMeant(spot.place(), hit)) {
        switch (spot.place()) {
          case Place.Awaited back -> awaited(back, hit, found);
          case Place.Completion done -> completed(done, hit, found);
          default -> found.add(spot.place());
        }
      }
    } catch (FathomException e) {
      unread(spot, e);
    }
    return found;
  }

  private void unread(Spot spot, FathomException why) {
    if (unread.add(spot.probe().id())) {
      notices.add(
          spot.probe().name() + ": does not fire where this cannot be read: " + why.getMessage());
    }
  }

  private CType struct(String tag) {
    return session
        .kernel()
        .program()
        .types()
        .find(TypeName.struct(tag))
        .orElseThrow(() -> new UnsupportedException("struct " + tag + " is not known"));
  }

  /** Finds each bio of a request of which so many bytes are done. */
  private void completed(Place.Completion done, Hit hit, List<Place> found) {
    var context = context(new Place.Tracepoint(done.point(), 0), hit);
    long left = context.argument(2) & 0xffff_ffffL;
    var program = session.kernel().program();
    var type = struct("bio");
    var request = new Value.Ref(program, struct("request"), context.argument(0));
    long bio = request.member("bio").asLong();
    for (int i = 0; i < MOST_BIOS && bio != 0; i++) {
      var value = new Value.Ref(program, type, bio);
      left -= value.member("bi_iter.bi_size").asLong();
      if (left < 0) {
        return;
      }
      found.add(known(done.function(), bio));
      bio = value.member("bi_next").asLong();
    }
  }

  private static Place known(long function, long argument) {
    return new Place.Derived(function, Place.Filter.ALL, List.of(new Place.Known(argument)));
  }

  /** Keeps the function's argument at its entry, and finds it at its return. */
  private void awaited(Place.Awaited back, Hit hit, List<Place> found) {
    var all = List.<Place.Source>of(new Place.Parameter(0));
    var here = new Place.Derived(back.function(), Place.Filter.ALL, all);
    var context = context(here, hit);
    var of = new Kept(back.function(), context.thread());
    if (hit.pc() == back.function()) {
      if (kept.size() < MOST_KEPT) {
        kept.put(of, context.argument(0));
      }
      return;
    }
    var value = kept.remove(of);
    if (value != null) {
      found.add(known(back.function(), value));
    }
  }

  private StopContext context(Place place, Hit hit) {
    return new StopContext(
        session::kernel, session.target(), hit.cpu(), place, hit::task, Optional.of(chill));
  }

  private void fire(Spot spot, Place place, Hit hit) {
    var context = context(place, hit);
    try {
      if (!context.passes()) {
        return;
      }
    } catch (FathomException e) {
      unread(spot, e);
      return;
    }
    recorder.ifPresent(to -> to.record(spot.probe(), context));
    spot.site().fire(context);
    if (!(context.sequel() instanceof Sequel.GoesOn)) {
      sequel = sequel.then(context.sequel());
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
      case Place.Awaited back -> {
        var all = new ArrayList<>(functions.returns(back.function(), back.size()));
        if (!all.isEmpty()) {
          all.addFirst(back.function());
        }
        yield all;
      }
      case Place.Followed point -> {
        var all = new LinkedHashSet<Long>();
        for (var site : point.point().sites()) {
          all.addAll(List.of(site.code(), site.load(), site.call()));
        }
        yield List.copyOf(all);
      }
    };
  }

  /**
   * Where a system call returns: as most of them end by jumping to a function that does the work,
   * that one's returns as well, at which it is asked which system call it was.
   */
  private List<Long> systemReturns(long function, long size) {
    var found = new ArrayList<>(functions.returns(function, size));
    if (callNumbers.get().has(function)) {
      found.addAll(functions.returnsElsewhere(function, size));
    }
    return found;
  }

  private boolean returnsFrom(long function, long size, Hit hit) {
    return Long.compareUnsigned(hit.pc() - function, size) < 0
        || callNumbers.get().isIn(session.kernel(), hit.registers(), function);
  }

  /** Whether what came to a place is what its probe is about. */
  private boolean isMeant(Place place, Hit hit) {
    return switch (place) {
      case Place.SystemReturn back -> returnsFrom(back.function(), back.size(), hit);
      case Place.Executed back -> returnsFrom(back.function(), back.size(), hit);
      case Place.Followed point -> detours.arrives(point.point(), hit.pc());
      case Place.Entry _,
          Place.Return _,
          Place.At _,
          Place.SystemCall _,
          Place.Derived _,
          Place.ExecutionPath _,
          Place.Usdt _,
          Place.Awaited _,
          Place.CallEntry _,
          Place.CallReturn _,
          Place.Timer _ ->
          true;
    };
  }

  private void breakpoint(long address, List<Spot> here) {
    var added = code(address, "probe");
    var firing = new Firing(address, here);
    firings.put(added, firing);
    added.condition(Optional.of(firing));
  }

  private Breakpoint code(long address, String purpose) {
    return control
        .get()
        .add(
            new Breakpoint.At(address, purpose),
            Breakpoints.Kind.SOFTWARE,
            1,
            Optional.of(purpose));
  }

  /** Runs clauses where a breakpoint's condition would be judged; holds when tracing is over. */
  private final class Firing implements Condition {
    private final long address;
    private final List<Spot> here;

    /** How often it was come to since the time that stops take was looked at last. */
    private long lately;

    /** Whether nothing fires here any more, and CPUs are waited for that were led here. */
    private boolean leaving;

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
      if (leaving) {
        passOn(hit);
        return !detours.leadTo(address);
      }
      hits++;
      lately++;
      try {
        here.forEach(spot -> fire(spot, hit));
      } finally {
        passOn(hit);
      }
      var then = sequel;
      sequel = Sequel.GOES_ON;
      switch (then) {
        case Sequel.GoesOn _ -> {}
        case Sequel.Returns(long value) -> redirect(hit).back(value);
        case Sequel.Panics _ -> panic(hit);
        case Sequel.Stays _ -> stay();
      }
      return over || interpreter.exited();
    }

    private Redirect redirect(Hit hit) {
      return new Redirect(session.kernel().program(), session.target(), hit.cpu());
    }

    private void panic(Hit hit) {
      var probe = here.getFirst().probe().name();
      redirect(hit).panic("panic() of a D program at " + probe);
      notices.add("panic() at " + probe + ": the kernel panics");
      over = true;
    }

    /** Leaves the target stopped where it is. */
    private void stay() {
      var probe = here.getFirst().probe().name();
      session.target().find(RunControl.class).orElseThrow().leaveStopped(true);
      notices.add("breakpoint() at " + probe + ": the target stays stopped; attach to it");
      over = true;
    }

    /** A CPU that was led to a tracepoint's call must not make it, whatever became of the probe. */
    private void passOn(Hit hit) {
      for (var spot : here) {
        if (spot.place() instanceof Place.Followed point) {
          detours.pass(point.point(), hit);
          return;
        }
      }
    }
  }

  /**
   * Lets the target run for about {@code nanos} nanoseconds, or until something is to be looked at.
   *
   * @param sampler fires what is due when the target stands still
   * @return false when nothing more will fire
   */
  boolean run(long nanos, Sampler sampler) {
    boolean more = runOn(nanos, sampler);
    if (more) {
      keepBudget(sampler.still());
    }
    return more;
  }

  private boolean runOn(long nanos, Sampler sampler) {
    takeOutArrived();
    var event = control.get().proceed(Duration.ofNanos(Math.max(1, sampler.until(nanos))));
    return switch (event.cause()) {
      case StopEvent.Gone _ -> false;
      case StopEvent.Replaced _ -> {
        replaced();
        yield true;
      }
      case StopEvent.TimedOut _, StopEvent.Interrupted _ -> {
        sampler.fireDue();
        yield !interpreter.exited();
      }
      case StopEvent.AtBreakpoint _ -> !over && !interpreter.exited();
      case StopEvent.AtData _, StopEvent.Signalled _, StopEvent.Stepped _, StopEvent.Trapped _ ->
          true;
      case StopEvent.BadCondition bad -> throw new EvalException(bad.why());
    };
  }

  /** Takes out the probe that is come to most when stops hold the target for too long. */
  private void keepBudget(long sampled) {
    var verdict = budget.look(System.nanoTime(), still() + sampled);
    if (verdict == StopBudget.Verdict.OPEN) {
      return;
    }
    var busiest =
        firings.entrySet().stream().max(Comparator.comparingLong(entry -> entry.getValue().lately));
    if (busiest.isPresent() && busiest.get().getValue().lately > 0) {
      var most = busiest.get().getValue();
      var name = most.here.getFirst().probe().name().toString();
      switch (verdict) {
        case OPEN, FINE -> {}
        case MUCH ->
            notices.add(
                "stops hold the target for "
                    + budget.share()
                    + " % of the time, most of them at "
                    + name);
        case OVER -> {
          takeOut(most.here.getFirst().probe());
          notices.add(
              name
                  + " was taken out: stops held the target for "
                  + budget.share()
                  + " % of the time (-x stopbudget="
                  + budget.percent()
                  + ")");
        }
      }
    }
    firings.values().forEach(firing -> firing.lately = 0);
  }

  /** Takes a probe out of all places at which it is. */
  private void takeOut(Probe probe) {
    for (var firing : List.copyOf(firings.entrySet())) {
      if (firing.getValue().here.getFirst().probe().equals(probe)) {
        spots.remove(firing.getValue().address);
        firing.getValue().leaving = true;
      }
    }
    takeOutArrived();
  }

  /** Takes the breakpoints out at which nothing fires any more and to which no CPU was led. */
  private void takeOutArrived() {
    firings
        .entrySet()
        .removeIf(
            entry -> {
              boolean over = entry.getValue().leaving && !detours.leadTo(entry.getValue().address);
              if (over) {
                control.get().delete(entry.getKey());
              }
              return over;
            });
  }

  /**
   * Lets the target go on until the CPUs that were led past a tracepoint's load have come to its
   * call, which is not theirs to make: a matter of microseconds in the guest, as nothing else runs
   * on them meanwhile but interrupts.
   */
  private void awaitDetours() {
    long deadline = System.nanoTime() + ARRIVAL.toNanos();
    firings.values().forEach(firing -> firing.leaving = true);
    try {
      for (long left = ARRIVAL.toNanos();
          left > 0 && !detours.isEmpty() && isIn(Live.State.STOPPED);
          left = deadline - System.nanoTime()) {
        takeOutArrived();
        control.get().proceed(Duration.ofNanos(left));
      }
      if (!detours.isEmpty()) {
        notices.add("a CPU on its way to a tracepoint did not come to it: it makes the empty call");
      }
    } catch (FathomException e) {
      notices.add("CPUs on their way to a tracepoint were not waited for: " + e.getMessage());
    }
  }

  /** Whether the process's dynamic linker is watched. */
  boolean watchesLibraries() {
    return libraries.isPresent();
  }

  /** The process runs another program now, without what was at places in the old one. */
  private void replaced() {
    libraries.ifPresent(watching -> control.get().delete(watching));
    libraries = Optional.empty();
    if (!spots.isEmpty()) {
      firings.keySet().forEach(control.get()::delete);
      firings.clear();
      spots.clear();
      semaphores.clear();
      notices.add("the process became another program, which has none of the pid probes");
    }
  }

  /** Takes everything out of the target. */
  void remove() {
    if (isIn(Live.State.STOPPED)) {
      semaphores.forEach(this::release);
    }
    semaphores.clear();
    if (!over && !detours.isEmpty()) {
      awaitDetours();
    }
    control.ifPresent(c -> firings.keySet().forEach(c::delete));
    control.ifPresent(c -> libraries.ifPresent(c::delete));
    libraries = Optional.empty();
    if (!callSpots.isEmpty() && isIn(Live.State.STOPPED)) {
      control.ifPresent(c -> c.watchCalls(Set.of(), (_, _) -> false));
    }
    callSpots.clear();
    firings.clear();
    spots.clear();
  }

  private boolean isIn(Live.State state) {
    var live = session.target().find(Live.class);
    return live.isPresent() && live.get().state() == state;
  }
}
