// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.base.LookupException;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Effect;
import dev.fathom.model.arch.Loads;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.session.Session;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Breakpoints.Kind;
import dev.fathom.target.Capability;
import dev.fathom.target.CheckedMemory;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.SystemCalls;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Lets the target run and stops it. Breakpoints are in the target only while it runs here, so that
 * whoever looks at a stopped target sees its own code. A hit that is not wanted goes by without
 * anything else being read than the CPU's registers and what the condition needs; the instruction
 * under a breakpoint is carried out here where that can be done exactly, else by a step with the
 * other CPUs held.
 */
public final class Control {
  /** How often the wish to stop is looked for. */
  private static final Duration TICK = Duration.ofMillis(100);

  /** How long a single step may take: it can wait for a busy host, not for an event. */
  private static final Duration STEP_LIMIT = Duration.ofSeconds(10);

  /**
   * How often a CPU is stepped that stands where it stood: what stopped the target before may be
   * told again in place of the step, and an instruction that repeats itself ({@code rep movsb})
   * takes one step for each time.
   */
  private static final int MOST_STEPS = 1024;

  /** More than the longest instruction of any architecture. */
  private static final int CODE = 16;

  /** The smallest page of all architectures. */
  private static final long PAGE = 4096;

  /** The opcode of x86's instruction that waits for an interrupt. */
  private static final int HLT = 0xf4;

  /**
   * The function that runs when a module's code is in place and before its initialisation
   * (kernel/module/main.c; since 3.7, in kernel/module.c until 5.17).
   */
  private static final String MODULE_LOADED = "do_init_module";

  /**
   * A place to run to.
   *
   * @param alone whether breakpoints of the table at the same place do not count when it is reached
   */
  record Goal(long address, Predicate<Hit> test, boolean alone) {}

  /** A called function that has not returned yet, and what to do when it does. */
  private record Outstanding(Goal goal, Consumer<Hit> onReturn) {}

  /** A breakpoint that is in the target now. */
  private record Inserted(Kind kind, long address, int length, byte[] code) {
    boolean same(Kind otherKind, long otherAddress, int otherLength) {
      return kind == otherKind && address == otherAddress && length == otherLength;
    }
  }

  private final Session session;
  private final RunControl run;
  private final Live live;
  private final List<Breakpoint> table = new ArrayList<>();
  private final List<Inserted> inserted = new ArrayList<>();
  private final List<Outstanding> outstanding = new ArrayList<>();

  /** The numbers of breakpoints of which {@link #inVain} has told. */
  private final Set<Integer> knownInVain = new HashSet<>();

  private OptionalInt stoppedCpu = OptionalInt.empty();

  private final BreakpointPlaces places;

  /**
   * The CPUs that stand where they were seen, each with that place: a breakpoint there has counted
   * and is passed by before the target goes on.
   */
  private final Map<Integer, Long> seen = new LinkedHashMap<>();

  /**
   * The CPUs that may yet tell of a watchpoint that was deleted: several come to one at once, and
   * QEMU tells of one of them at a time, without a word of why when that is gone.
   */
  private final Set<Integer> late = new HashSet<>();

  private BiPredicate<Hit, Stop.SystemCall> calls = (_, _) -> false;
  private OptionalLong loadHook = OptionalLong.empty();
  private Optional<Breakpoint> lastHit = Optional.empty();
  private int next = 1;

  /** When it stopped last, and how long it has stood still in all, in nanoseconds. */
  private long stopped;

  private long still;

  private Control(Session session, RunControl run, Live live) {
    this.session = session;
    this.places = new BreakpointPlaces(session);
    this.run = run;
    this.live = live;
  }

  /**
   * The engine over the target of {@code session}.
   *
   * @throws UnsupportedException when it cannot be stopped and let go
   */
  public static Control of(Session session) {
    var run = session.target().find(RunControl.class);
    var live = session.target().find(Live.class);
    if (run.isEmpty() || live.isEmpty()) {
      throw new UnsupportedException("operation not supported by target");
    }
    return new Control(session, run.get(), live.get());
  }

  /**
   * Watches system calls of a process.
   *
   * @param numbers those that are watched; none ends it
   * @param seen told of each, with the thread; says whether the target is to stay stopped
   * @throws UnsupportedException when the target does not tell of system calls
   */
  public void watchCalls(Set<Long> numbers, BiPredicate<Hit, Stop.SystemCall> seen) {
    calls = seen;
    need(SystemCalls.class, "tell of system calls").watch(numbers);
  }

  // The table

  /** The number of the breakpoint that was set last, also when it is gone. */
  public OptionalLong lastNumber() {
    return next == 1 ? OptionalLong.empty() : OptionalLong.of(next - 1);
  }

  /** The breakpoints in the order of their numbers. */
  public List<Breakpoint> breakpoints() {
    return List.copyOf(table);
  }

  /**
   * Adds a breakpoint on code, or on data when {@code kind} watches.
   *
   * @param length bytes watched; 1 for code
   * @param purpose what it is for, when the user did not name the place himself
   */
  public Breakpoint add(Breakpoint.Place place, Kind kind, int length, Optional<String> purpose) {
    session.target().find(Breakpoints.class).ifPresent(points -> points.require(kind));
    var added = new Breakpoint(next++, place, kind, length, purpose);
    resolve(added);
    table.add(added);
    return added;
  }

  /**
   * The breakpoint with that number.
   *
   * @throws LookupException when there is none
   */
  public Breakpoint breakpoint(long id) {
    for (var breakpoint : table) {
      if (breakpoint.id() == id) {
        return breakpoint;
      }
    }
    throw new LookupException("breakpoint", Long.toString(id));
  }

  public void delete(Breakpoint breakpoint) {
    table.remove(breakpoint);
    if (breakpoint.watches() && !running()) {
      session.target().cpus().forEach(cpu -> late.add(cpu.id()));
    }
  }

  /** Another kernel runs now: what is known by name is looked up in it. */
  public void kernelChanged() {
    stoppedCpu = OptionalInt.empty();
    seen.clear();
    knownInVain.clear();
    outstanding.clear();
    table.forEach(this::resolve);
  }

  private void resolve(Breakpoint breakpoint) {
    breakpoint.addresses(addresses(breakpoint.place()));
  }

  /**
   * What the user must be told, once for each: breakpoints that wait for a name whose module is
   * loaded and does not have it.
   */
  public List<String> inVain() {
    var said = new ArrayList<String>();
    for (var breakpoint : table) {
      var module = breakpoint.place().module();
      if (!module.isEmpty()
          && !knownInVain.contains(breakpoint.id())
          && addresses(breakpoint.place()).isEmpty()
          && isLoaded(module)) {
        knownInVain.add(breakpoint.id());
        said.add(
            "breakpoint "
                + breakpoint.id()
                + " waits in vain: "
                + module
                + " is loaded and has no '"
                + named(breakpoint.place())
                + "'");
      }
    }
    return said;
  }

  /** What a place is called in its module. */
  private static String named(Breakpoint.Place place) {
    return place.text().substring(place.text().indexOf('`') + 1);
  }

  private boolean isLoaded(String module) {
    for (var image : kernel().images()) {
      if (image.name().equals(module)) {
        return true;
      }
    }
    return false;
  }

  /** Where a place is now; none while it waits for its module. */
  public List<Long> addresses(Breakpoint.Place place) {
    return places.addresses(place);
  }

  // State

  Session session() {
    return session;
  }

  Kernel kernel() {
    return session.kernel();
  }

  <C extends Capability> C need(Class<C> capability, String what) {
    return session
        .target()
        .find(capability)
        .orElseThrow(() -> new UnsupportedException("this target cannot " + what));
  }

  public boolean running() {
    return live.state() == Live.State.RUNNING;
  }

  /** The CPU that stopped the target last, as the target numbers it. */
  public OptionalInt stoppedCpu() {
    return stoppedCpu;
  }

  /** The breakpoint that stopped the target last. */
  public Optional<Breakpoint> lastHit() {
    return lastHit;
  }

  /** Whether something is set that could stop the target, or a called function has to return. */
  public boolean armed() {
    if (!outstanding.isEmpty()) {
      return true;
    }
    for (var breakpoint : table) {
      if (breakpoint.enabled()) {
        return true;
      }
    }
    return false;
  }

  // Running

  /** Stops the target; does nothing when it stands still. */
  public StopEvent stop() {
    run.stop();
    return event(new StopEvent.Interrupted(), stoppedCpu);
  }

  /** Lets the target go on, without breakpoints, and does not wait. */
  public void release() {
    stoppedCpu = OptionalInt.empty();
    seen.clear();
    if (!running()) {
      run.resume();
    }
  }

  /** Lets the target run until something stops it that the user wants to know of. */
  public StopEvent proceed() {
    return proceed(List.of(), Optional.empty());
  }

  /** As {@link #proceed()}, for at most {@code limit}: then the target is stopped. */
  public StopEvent proceed(Duration limit) {
    return proceed(List.of(), Optional.of(limit));
  }

  /** The nanoseconds that the target has stood still at stops which went by. */
  public long still() {
    return still;
  }

  StopEvent proceed(List<Goal> goals, Optional<Duration> limit) {
    long deadline = limit.isPresent() ? System.nanoTime() + limit.get().toNanos() : Long.MAX_VALUE;
    run.stop();
    table.forEach(this::resolve);
    return run.nearStops(() -> runBetween(goals, limit, deadline));
  }

  /** Runs with the breakpoints of the table in the target. */
  private StopEvent runBetween(List<Goal> goals, Optional<Duration> limit, long deadline) {
    stopped = System.nanoTime();
    StopEvent event;
    try {
      insertAll(goals);
      event = runOn(goals, limit, deadline);
    } catch (RuntimeException | Error e) {
      try {
        removeAll();
      } catch (FathomException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    removeAll();
    return event;
  }

  private StopEvent runOn(List<Goal> goals, Optional<Duration> limit, long deadline) {
    var stop = passBy();
    while (true) {
      while (stop.isPresent()) {
        var event = judge(stop.get(), goals);
        if (event.isPresent()) {
          return event.get();
        }
        stop = passBy();
      }
      boolean asked = session.takeInterrupt();
      if (!asked && !overdue(deadline, limit)) {
        still += System.nanoTime() - stopped;
        run.resume();
        stop = awaitStop();
        while (stop.isEmpty() && !asked && !overdue(deadline, limit)) {
          asked = session.takeInterrupt();
          stop = asked ? stop : awaitStop();
        }
      }
      if (stop.isEmpty()) {
        run.stop();
        return event(
            asked ? new StopEvent.Interrupted() : new StopEvent.TimedOut(), OptionalInt.empty());
      }
    }
  }

  /**
   * Catches a called function when it returns, however much later: {@code onReturn} runs where
   * {@code goal} is reached, and the target goes on.
   */
  void expect(Goal goal, Consumer<Hit> onReturn) {
    outstanding.add(new Outstanding(goal, onReturn));
  }

  /** Whether this stop is the return of a function that was called before. */
  private boolean returned(Hit hit) {
    for (var one : outstanding) {
      if (one.goal().address() == hit.pc() && one.goal().test().test(hit)) {
        one.onReturn().accept(hit);
        outstanding.remove(one);
        return true;
      }
    }
    return false;
  }

  /**
   * Waits a little for a stop; what the kernel may have changed by then is not believed after it.
   */
  private Optional<Stop> awaitStop() {
    var stop = run.await(TICK);
    if (stop.isPresent()) {
      stopped = System.nanoTime();
      kernel().ran();
    }
    return stop;
  }

  private static boolean overdue(long deadline, Optional<Duration> limit) {
    return limit.isPresent() && System.nanoTime() - deadline > 0;
  }

  /**
   * Where a CPU stands, before it is made to do something else.
   *
   * @param seen the breakpoint there, if it has counted
   */
  record Standing(OptionalInt stopped, int cpu, OptionalLong seen) {}

  Standing standing(int cpu) {
    var at = seen.get(cpu);
    return new Standing(stoppedCpu, cpu, at == null ? OptionalLong.empty() : OptionalLong.of(at));
  }

  /** The CPU is back where it stood: what has counted there does not count again. */
  void standAgain(Standing before) {
    seen.remove(before.cpu());
    before.seen().ifPresent(at -> seen.put(before.cpu(), at));
    stoppedCpu = before.stopped();
  }

  /** One instruction of one CPU, the others held. */
  StopEvent stepCpu(int cpu) {
    run.stop();
    seen.remove(cpu);
    var stepped = stepAndWait(cpu, false);
    if (stepped.isEmpty()) {
      return event(new StopEvent.Interrupted(), OptionalInt.of(cpu));
    }
    var stop = stepped.get();
    return switch (stop.reason()) {
      case Stop.Ended(int status) -> gone(status);
      case Stop.Signal(int number) -> event(new StopEvent.Signalled(number), of(stop));
      case Stop.Replaced _ -> replaced(stop);
      case Stop.Trap _, Stop.Watch _, Stop.SystemCall _ -> arrived(stop);
    };
  }

  /** Where a step ended: at a breakpoint it counts as a hit. */
  private StopEvent arrived(Stop stop) {
    var cpu = session.target().cpu(stop.cpu());
    if (cpu.isEmpty()) {
      return event(new StopEvent.Stepped(), of(stop));
    }
    var hit = new Hit(kernel(), cpu.get());
    passAt(stop.cpu(), hit.pc());
    var judged = judgeCode(hit, stop);
    return judged.event().orElseGet(() -> event(new StopEvent.Stepped(), of(stop)));
  }

  private static OptionalInt of(Stop stop) {
    return OptionalInt.of(stop.cpu());
  }

  /**
   * One instruction.
   *
   * @return what stopped the target; empty when the user asked to stop first
   */
  private Optional<Stop> stepAndWait(int cpu, boolean others) {
    // A halted CPU goes on with an interrupt only.
    run.step(cpu, others, halts(cpu));
    long deadline = System.nanoTime() + STEP_LIMIT.toNanos();
    while (System.nanoTime() - deadline < 0) {
      var stop = awaitStop();
      if (stop.isPresent()) {
        return stop;
      }
      if (session.takeInterrupt()) {
        run.stop();
        kernel().ran();
        return Optional.empty();
      }
    }
    run.stop();
    throw new TargetException(
        "CPU " + cpu + " did not finish its instruction in " + STEP_LIMIT.toSeconds() + " s");
  }

  /** Whether the next instruction of a CPU waits for an interrupt. */
  private boolean halts(int id) {
    var cpu = session.target().cpu(id);
    if (kernel().program().architecture() != X86_64.INSTANCE
        || cpu.isEmpty()
        || cpu.get().registers().pc().isEmpty()) {
      return false;
    }
    var code = new byte[1];
    int got =
        kernel()
            .program()
            .memory()
            .read(cpu.get().registers().pc().getAsLong(), MemorySegment.ofArray(code));
    return got == 1 && (code[0] & 0xff) == HLT;
  }

  // Deciding

  /** What the user is told of a stop; empty when it goes by. */
  private Optional<StopEvent> judge(Stop stop, List<Goal> goals) {
    return switch (stop.reason()) {
      case Stop.Ended(int status) -> Optional.of(gone(status));
      case Stop.Signal(int number) -> Optional.of(event(new StopEvent.Signalled(number), of(stop)));
      case Stop.Replaced _ -> Optional.of(replaced(stop));
      case Stop.Watch(Kind kind, long address) -> watched(stop, kind, address);
      case Stop.SystemCall call -> called(stop, call);
      case Stop.Trap _ -> trapped(stop, goals);
    };
  }

  /** A thread is at a system call: it goes on unless who watches them says otherwise. */
  private Optional<StopEvent> called(Stop stop, Stop.SystemCall call) {
    var at = hit(stop.cpu());
    return at.isPresent() && calls.test(at.get(), call)
        ? Optional.of(event(new StopEvent.Stepped(), of(stop)))
        : Optional.empty();
  }

  private StopEvent gone(int status) {
    stoppedCpu = OptionalInt.empty();
    return new StopEvent(
        new StopEvent.Gone(status), OptionalInt.empty(), Optional.empty(), OptionalLong.empty());
  }

  /** Another program runs in the process: what was put into the old one is gone with it. */
  private StopEvent replaced(Stop stop) {
    inserted.clear();
    seen.clear();
    outstanding.clear();
    return event(new StopEvent.Replaced(), of(stop));
  }

  /** A stop of a CPU; empty where the target has no registers of it. */
  private Optional<Hit> hit(int id) {
    var told = run.told(id);
    if (told.isPresent() && told.get().pc().isPresent()) {
      return Optional.of(new Hit(kernel(), id, told, () -> cpu(id)));
    }
    return session.target().cpu(id).map(cpu -> new Hit(kernel(), cpu));
  }

  private Cpu cpu(int id) {
    return session
        .target()
        .cpu(id)
        .orElseThrow(() -> new TargetException("no registers of CPU " + id));
  }

  private Optional<StopEvent> trapped(Stop stop, List<Goal> goals) {
    var at = hit(stop.cpu());
    if (at.isEmpty()) {
      return Optional.of(event(new StopEvent.Trapped(), of(stop)));
    }
    var hit = at.get();
    long pc = hit.pc();
    if (seen.containsKey(stop.cpu()) && seen.get(stop.cpu()) == pc) {
      return Optional.empty(); // It has counted, and has not moved since.
    }
    if (returned(hit)) {
      passAt(stop.cpu(), pc);
      return Optional.empty();
    }
    for (var goal : goals) {
      if (goal.alone() && goal.address() == pc && goal.test().test(hit)) {
        passAt(stop.cpu(), pc);
        return Optional.of(event(new StopEvent.Stepped(), of(stop)));
      }
    }
    var judged = judgeCode(hit, stop);
    boolean ours = judged.ours() || isReturn(pc);
    if (loadHook.isPresent() && loadHook.getAsLong() == pc) {
      ours = true;
      moduleLoaded();
    }
    for (var goal : goals) {
      if (goal.address() == pc) {
        ours = true;
        if (judged.event().isEmpty() && goal.test().test(hit)) {
          passAt(stop.cpu(), pc);
          return Optional.of(event(new StopEvent.Stepped(), of(stop)));
        }
      }
    }
    if (ours) {
      passAt(stop.cpu(), pc);
      return judged.event();
    }
    if (late.remove(stop.cpu())) {
      return Optional.empty();
    }
    return Optional.of(event(new StopEvent.Trapped(), of(stop)));
  }

  private boolean isReturn(long pc) {
    for (var one : outstanding) {
      if (one.goal().address() == pc) {
        return true;
      }
    }
    return false;
  }

  /** Whether breakpoints of the table are at a place, and what the user is told of them. */
  private record Judged(boolean ours, Optional<StopEvent> event) {}

  private Judged judgeCode(Hit hit, Stop stop) {
    boolean ours = false;
    List<Breakpoint> wanted = new ArrayList<>();
    for (var breakpoint : table) {
      if (!breakpoint.watches()
          && breakpoint.enabled()
          && breakpoint.addresses().contains(hit.pc())) {
        ours = true;
        try {
          if (breakpoint.accepts(hit)) {
            wanted.add(breakpoint);
          }
        } catch (FathomException e) {
          return new Judged(
              true,
              Optional.of(event(new StopEvent.BadCondition(breakpoint, e.getMessage()), of(stop))));
        }
      }
    }
    if (wanted.isEmpty()) {
      return new Judged(ours, Optional.empty());
    }
    wanted.forEach(this::wasHit);
    return new Judged(
        true, Optional.of(event(new StopEvent.AtBreakpoint(List.copyOf(wanted)), of(stop))));
  }

  private void wasHit(Breakpoint breakpoint) {
    lastHit = Optional.of(breakpoint);
    if (breakpoint.temporary()) {
      table.remove(breakpoint);
    }
    if (breakpoint.disableOnHit()) {
      breakpoint.enabled(false);
    }
  }

  private Optional<StopEvent> watched(Stop stop, Kind kind, long address) {
    Breakpoint found = null;
    for (var breakpoint : table) {
      if (breakpoint.enabled()
          && (breakpoint.covers(address) || (found == null && breakpoint.kind() == kind))) {
        found = breakpoint;
      }
    }
    var cpu = session.target().cpu(stop.cpu());
    if (found == null || cpu.isEmpty()) {
      return Optional.of(event(new StopEvent.Trapped(), of(stop)));
    }
    var before = found.value();
    var after = data(found);
    found.value(after);
    try {
      if (!found.accepts(new Hit(kernel(), cpu.get()))) {
        return Optional.empty();
      }
    } catch (FathomException e) {
      return Optional.of(event(new StopEvent.BadCondition(found, e.getMessage()), of(stop)));
    }
    wasHit(found);
    return Optional.of(event(new StopEvent.AtData(found, address, before, after), of(stop)));
  }

  private Optional<byte[]> data(Breakpoint breakpoint) {
    try {
      return Optional.of(
          kernel()
              .program()
              .memory()
              .bytes(breakpoint.address().orElseThrow(), breakpoint.length()));
    } catch (FathomException _) {
      return Optional.empty(); // Not mapped now: the watchpoint waits for it.
    }
  }

  /** A module came: breakpoints that wait for it find their places. */
  private void moduleLoaded() {
    kernel().refresh();
    for (var breakpoint : table) {
      if (breakpoint.address().isEmpty() || !(breakpoint.place() instanceof Breakpoint.At)) {
        resolve(breakpoint);
        insert(breakpoint);
      }
    }
  }

  private StopEvent event(StopEvent.Cause cause, OptionalInt at) {
    Optional<Cpu> cpu = at.isPresent() ? session.target().cpu(at.getAsInt()) : Optional.empty();
    if (cpu.isEmpty()) {
      cpu = busiest(session.target().cpus());
    }
    if (cpu.isEmpty()) {
      stoppedCpu = at;
      return new StopEvent(cause, at, Optional.empty(), OptionalLong.empty());
    }
    stoppedCpu = OptionalInt.of(cpu.get().id());
    Optional<Task> task = Optional.empty();
    try {
      task = kernel().running(cpu.get());
    } catch (FathomException _) {
      task = Optional.empty(); // The kernel is not readable here: it is being booted or torn down.
    }
    return new StopEvent(cause, stoppedCpu, task, cpu.get().registers().pc());
  }

  /** The first CPU that does not idle, else the first. */
  private Optional<Cpu> busiest(List<Cpu> cpus) {
    for (var cpu : cpus) {
      try {
        var task = kernel().running(cpu);
        if (task.isPresent() && task.get().id().orElse(0) != 0) {
          return Optional.of(cpu);
        }
      } catch (FathomException _) {
        continue; // Nothing is known of this one.
      }
    }
    return cpus.isEmpty() ? Optional.empty() : Optional.of(cpus.getFirst());
  }

  // Getting off a breakpoint

  private void passAt(int cpu, long pc) {
    stoppedCpu = OptionalInt.of(cpu);
    seen.put(cpu, pc);
  }

  /**
   * Gets the CPUs off the breakpoints at which they were seen, which would stop them again. One
   * that stands at a breakpoint and was not told of yet is left there: it is told of next.
   *
   * @return what stopped the target meanwhile, other than the steps themselves
   */
  private Optional<Stop> passBy() {
    for (int id : List.copyOf(seen.keySet())) {
      long at = seen.get(id);
      var under = inserted(at);
      var hit = under.isEmpty() ? Optional.<Hit>empty() : hit(id);
      if (hit.isEmpty() || hit.get().pc() != at || emulated(hit.get(), under.get())) {
        seen.remove(id);
        continue;
      }
      var passing = stepped(id, under.get());
      if (!passing.here()) {
        seen.remove(id);
      }
      if (passing.interrupted() || passing.stop().isPresent()) {
        return passing.stop();
      }
    }
    return Optional.empty();
  }

  private boolean emulated(Hit hit, Inserted under) {
    var writer = session.target().find(RegisterWriter.class);
    if (writer.isEmpty()) {
      return false;
    }
    var effect = hit.told().flatMap(few -> effect(under, few));
    if (effect.isEmpty()) {
      effect = effect(under, hit.registers());
    }
    if (effect.isEmpty()) {
      return false;
    }
    for (var store : effect.get().stores()) {
      if (watched() || crossesPage(store) || !store(store)) {
        return false;
      }
    }
    try {
      effect.get().registers().forEach(w -> writer.get().write(hit.id(), w.register(), w.value()));
    } catch (UnsupportedException _) {
      return false; // What was stored is stored again by the step.
    }
    return true;
  }

  private Optional<Effect> effect(Inserted under, Registers registers) {
    var memory = watched() ? Optional.<CheckedMemory>empty() : checked();
    Optional<Loads> loads =
        memory.map(
            from ->
                (address, count) -> {
                  var bytes = new byte[count];
                  return from.read(address, bytes) ? Optional.of(bytes) : Optional.empty();
                });
    return kernel()
        .program()
        .architecture()
        .emulate(under.code(), under.address(), registers, loads);
  }

  /** Whether data is watched: what is stored here does not trip the CPU's watchpoints. */
  private boolean watched() {
    for (var spot : inserted) {
      if (spot.kind() != Kind.SOFTWARE && spot.kind() != Kind.HARDWARE) {
        return true;
      }
    }
    return false;
  }

  /** Whether a store may touch two pages, which need not be neighbours in physical memory. */
  private static boolean crossesPage(Effect.Store store) {
    return (store.address() & (PAGE - 1)) + store.bytes().length > PAGE;
  }

  private Optional<CheckedMemory> checked() {
    return session.target().find(CheckedMemory.class);
  }

  private boolean store(Effect.Store store) {
    var checked = checked();
    if (checked.isPresent()) {
      return checked.get().write(store.address(), store.bytes());
    }
    var memory = session.target().find(MemoryWriter.class);
    if (memory.isEmpty()) {
      return false;
    }
    var bytes = MemorySegment.ofArray(store.bytes());
    if (memory.get().writes(MemoryWriter.Space.PHYSICAL)) {
      var physical = kernel().program().memory().physical(store.address());
      if (physical.isPresent()) {
        return wrote(memory.get(), MemoryWriter.Space.PHYSICAL, physical.getAsLong(), bytes);
      }
      return false;
    }
    // Behind such a target there is one address space: a process, or the kernel's own stub.
    return wrote(memory.get(), MemoryWriter.Space.VIRTUAL, store.address(), bytes);
  }

  private static boolean wrote(
      MemoryWriter memory, MemoryWriter.Space space, long address, MemorySegment bytes) {
    try {
      memory.write(space, address, bytes);
      return true;
    } catch (FaultException _) {
      return false; // What becomes of it, a stack that has to grow or a signal, is the CPU's part.
    }
  }

  /**
   * How a step off a breakpoint went.
   *
   * @param stop what stopped the target, other than the step itself
   * @param here whether the CPU may still stand there
   * @param interrupted whether the user asked to stop before it was done
   */
  private record Passing(Optional<Stop> stop, boolean here, boolean interrupted) {}

  private Passing stepped(int cpu, Inserted under) {
    var points = need(Breakpoints.class, "set breakpoints");
    // What is out is not in the list: whatever ends this, the rest is taken out as ever.
    var out = new ArrayList<Inserted>();
    for (var spot : List.copyOf(inserted)) {
      if (spot.address() == under.address()) {
        points.remove(spot.kind(), spot.address(), spot.length());
        inserted.remove(spot);
        out.add(spot);
      }
    }
    var stop = stepAndWait(cpu, false);
    for (int more = 1; more < MOST_STEPS && stands(stop, cpu, under.address()); more++) {
      stop = stepAndWait(cpu, false);
    }
    if (stop.isPresent() && stop.get().reason() instanceof Stop.Ended) {
      return new Passing(stop, false, false);
    }
    for (var spot : out) {
      put(points, spot, "the breakpoint that was stepped off");
    }
    if (stop.isEmpty()) {
      session.interrupt(); // Whoever runs the target is to see it too.
      return new Passing(stop, true, true);
    }
    if (!(stop.get().reason() instanceof Stop.Trap) || stop.get().cpu() != cpu) {
      return new Passing(stop, true, false);
    }
    // The step may have ended on the next breakpoint, which counts.
    long pc = hit(cpu).map(Hit::pc).orElse(0L);
    return new Passing(inserted(pc).isPresent() ? stop : Optional.empty(), false, false);
  }

  /** Whether a step ended where it began: the instruction there is not done. */
  private boolean stands(Optional<Stop> step, int cpu, long at) {
    if (step.isEmpty() || !(step.get().reason() instanceof Stop.Trap) || step.get().cpu() != cpu) {
      return false;
    }
    var hit = hit(cpu);
    return hit.isPresent() && hit.get().pc() == at;
  }

  /** The breakpoint on code that is in the target at an address. */
  private Optional<Inserted> inserted(long address) {
    for (var spot : inserted) {
      if (spot.address() == address
          && (spot.kind() == Kind.SOFTWARE || spot.kind() == Kind.HARDWARE)) {
        return Optional.of(spot);
      }
    }
    return Optional.empty();
  }

  // In and out of the target

  private void insertAll(List<Goal> goals) {
    boolean waiting = false;
    for (var breakpoint : table) {
      insert(breakpoint);
      waiting |= breakpoint.enabled() && breakpoint.address().isEmpty();
    }
    for (var goal : goals) {
      insert(Kind.SOFTWARE, goal.address(), 1, "the place to run to");
    }
    for (var one : outstanding) {
      insert(Kind.SOFTWARE, one.goal().address(), 1, "the return of a function that was called");
    }
    loadHook = OptionalLong.empty();
    if (waiting) {
      var hook = kernel().program().symbols().first(MODULE_LOADED);
      if (hook.isPresent()) {
        loadHook = OptionalLong.of(hook.get().address());
        insert(Kind.SOFTWARE, hook.get().address(), 1, MODULE_LOADED);
      }
    }
  }

  private void insert(Breakpoint breakpoint) {
    if (breakpoint.enabled() && breakpoint.address().isPresent()) {
      for (long address : breakpoint.addresses()) {
        insert(breakpoint.kind(), address, breakpoint.length(), "breakpoint " + breakpoint.id());
      }
      if (breakpoint.watches()) {
        breakpoint.value(data(breakpoint));
      }
    }
  }

  private void insert(Kind kind, long address, int length, String what) {
    for (var spot : inserted) {
      if (spot.same(kind, address, length)) {
        return;
      }
    }
    byte[] code = new byte[0];
    if (kind == Kind.SOFTWARE || kind == Kind.HARDWARE) {
      code = new byte[CODE];
      int got = kernel().program().memory().read(address, MemorySegment.ofArray(code));
      code = Arrays.copyOf(code, got);
    }
    put(
        need(Breakpoints.class, "set breakpoints"),
        new Inserted(kind, address, length, code),
        what);
  }

  private void put(Breakpoints points, Inserted spot, String what) {
    if (!points.insert(spot.kind(), spot.address(), spot.length())) {
      throw new UnsupportedException(
          what
              + ": the target has no "
              + spot.kind().name().toLowerCase(java.util.Locale.ROOT)
              + " breakpoint for 0x"
              + Long.toHexString(spot.address())
              + ", or no more of them");
    }
    inserted.add(spot);
  }

  /**
   * Takes out all that is in the target: one that cannot be taken out does not keep the others in.
   *
   * @throws FathomException the first failure, once all were tried
   */
  private void removeAll() {
    var spots = List.copyOf(inserted);
    inserted.clear();
    if (live.state() == Live.State.GONE || spots.isEmpty()) {
      return;
    }
    var failures = new ArrayList<FathomException>();
    attempt(run::stop, failures);
    var points = need(Breakpoints.class, "set breakpoints");
    for (var spot : spots) {
      if (live.state() != Live.State.GONE) {
        attempt(() -> points.remove(spot.kind(), spot.address(), spot.length()), failures);
      }
    }
    if (!failures.isEmpty()) {
      var first = failures.removeFirst();
      failures.forEach(first::addSuppressed);
      throw first;
    }
  }

  private static void attempt(Runnable action, List<FathomException> failures) {
    try {
      action.run();
    } catch (FathomException e) {
      failures.add(e);
    }
  }
}
