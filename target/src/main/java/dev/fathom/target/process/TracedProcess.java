// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import static dev.fathom.target.process.Signals.SIGTRAP;

import dev.fathom.base.TargetException;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Breakpoints.Kind;
import dev.fathom.target.ProcessTracer;
import dev.fathom.target.ProcessTracer.Change;
import dev.fathom.target.ProcessTracer.Exited;
import dev.fathom.target.ProcessTracer.Killed;
import dev.fathom.target.ProcessTracer.Stopped;
import dev.fathom.target.ProcessView;
import dev.fathom.target.SignalNames;
import dev.fathom.target.Stop;
import dev.fathom.target.local.ProcFiles;
import dev.fathom.target.local.ProcMemory;
import dev.fathom.target.local.UserRegisters;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BooleanSupplier;

/**
 * A process under ptrace, all of its threads together: either all stand still or all run. New
 * threads are traced from their first instruction on. A child gets its own code back, without the
 * breakpoints, and is let go. Used by the tracing thread alone.
 */
final class TracedProcess {
  private static final int OPTIONS =
      ProcessTracer.TRACE_CLONE
          | ProcessTracer.TRACE_FORK
          | ProcessTracer.TRACE_VFORK
          | ProcessTracer.TRACE_VFORK_DONE
          | ProcessTracer.TRACE_EXEC
          | ProcessTracer.MARK_SYSTEM_CALLS;

  /**
   * For a program that is started here: nobody else waits for it, and what is planted in it must
   * not outlive this process.
   */
  static final int START_OPTIONS = OPTIONS | ProcessTracer.KILL_WITH_TRACER;

  /** How long a started program may take until its libraries are in place. */
  private static final Duration BEGIN_LIMIT = Duration.ofSeconds(60);

  /** The auxiliary vector's entry for where the program begins (elf.h). */
  private static final long AT_ENTRY = 9;

  /** How long threads may take to stop; one that waits for a disk takes longer and is left out. */
  private static final Duration STOP_LIMIT = Duration.ofSeconds(3);

  /** How often the list of threads is looked at for new ones while they are attached to. */
  private static final int ATTACH_ROUNDS = 1000;

  private static final byte[] INT3 = {(byte) 0xcc};

  /** {@code syscall}, and what its arguments are in. */
  private static final byte[] SYSCALL = {0x0f, 0x05};

  private static final List<Register> CALL_ARGUMENTS =
      List.of(X86_64.RDI, X86_64.RSI, X86_64.RDX, X86_64.R10, X86_64.R8, X86_64.R9);

  /** The code that the kernel maps into every process has instructions that call it. */
  private static final String KERNELS_CODE = "[vdso]";

  private static final int KERNELS_CODE_LIMIT = 1 << 16;

  /** How often it is looked whether the guard is still in place, in nanoseconds. */
  private static final long GUARD_INTERVAL = 100_000_000;

  /** A step from within a system call ends behind that first. */
  private static final int CALL_STEPS = 4;

  /** {@code brk #0}. */
  private static final byte[] BRK = {0, 0, 0x20, (byte) 0xd4};

  private final ProcessTracer ptrace;
  private final ProcFiles files;
  private final UserRegisters layout;
  private final int pid;
  private final Map<Integer, Tracee> tracees = new LinkedHashMap<>();

  /** Breakpoint instructions by address, with the bytes that they stand for. */
  private final ConcurrentSkipListMap<Long, byte[]> planted =
      new ConcurrentSkipListMap<>(Long::compareUnsigned);

  /** What was planted since the process began this program: children may have copies. */
  private final Map<Long, byte[]> everPlanted = new LinkedHashMap<>();

  /**
   * Children that stand at their beginning, until it is known what they share with this process.
   */
  private final Set<Integer> strangers = new LinkedHashSet<>();

  /** Children that were announced and have not come to their beginning. */
  private final Map<Integer, Boolean> announced = new LinkedHashMap<>();

  private final DebugRegisters debug;
  private final DebugRegisterTrial trial;
  private final ArrayDeque<Stop> reports = new ArrayDeque<>();
  private final Set<Integer> passed;
  private volatile ProcMemory memory;
  private boolean running;
  private boolean halting;
  private boolean lifted;
  private Optional<Stop> ended = Optional.empty();
  private Optional<ProcessView.Ending> ending = Optional.empty();
  private Set<Long> calls = Set.of();
  private boolean started;
  private Optional<TrapGuard> guard = Optional.empty();
  private Optional<ProcessTracer.Will> will = Optional.empty();
  private boolean guardTried;
  private boolean foreignTraps;
  private long guardLooked;
  private boolean replaced;
  private Optional<String> failure = Optional.empty();

  /**
   * @param passed signals that are delivered without a stop; looked at each time
   */
  TracedProcess(ProcessTracer ptrace, ProcFiles files, UserRegisters layout, Set<Integer> passed) {
    this.ptrace = ptrace;
    this.files = files;
    this.layout = layout;
    this.pid = (int) files.pid();
    this.passed = passed;
    this.debug = new DebugRegisters(ptrace);
    this.trial = new DebugRegisterTrial(ptrace);
    this.memory = ProcMemory.open(pid);
  }

  private boolean isX86() {
    return layout.architecture() == X86_64.INSTANCE;
  }

  // Attaching and letting go

  /**
   * Attaches to every thread and stops them.
   *
   * @throws TargetException when this is not permitted; nothing is traced then
   */
  void attach() {
    try {
      running = true;
      boolean more = true;
      for (int round = 0; more && round < ATTACH_ROUNDS; round++) {
        more = false;
        for (int thread : files.threads()) {
          if (!tracees.containsKey(thread)) {
            more |= add(thread);
          }
        }
      }
      if (tracees.isEmpty()) {
        throw new TargetException("process " + pid + " has ended");
      }
      stop();
    } catch (RuntimeException | Error e) {
      try {
        detach(false);
      } catch (TargetException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /**
   * Takes a program over that {@link ProcessTracer#start} has started, and lets it run to where it
   * begins: the dynamic linker has mapped its libraries by then.
   */
  void begin() {
    started = true;
    var first = new Tracee(pid);
    first.stopped = true;
    tracees.put(pid, first);
    Long entry = files.auxiliary().get(AT_ENTRY);
    if (entry == null || !insert(Kind.SOFTWARE, entry, 1)) {
      throw new TargetException("process " + pid + ": it is not known where its program begins");
    }
    resume();
    var stop = await(BEGIN_LIMIT);
    if (stop.isEmpty()) {
      throw new TargetException(
          "process "
              + pid
              + ": its libraries are not in place after "
              + BEGIN_LIMIT.toSeconds()
              + " s");
    }
    switch (stop.get().reason()) {
      case Stop.Trap _ -> remove(Kind.SOFTWARE, entry, 1);
      case Stop.Ended(int status) ->
          throw new TargetException(
              "process " + pid + ": it ended with status " + status + " before it began");
      case Stop.Signal _, Stop.Replaced _, Stop.Watch _, Stop.SystemCall _ -> {
        remove(Kind.SOFTWARE, entry, 1);
        reports.addFirst(stop.get()); // Whoever lets it go on is told.
      }
    }
  }

  /** Ends a program that was started here. */
  private void kill() {
    ptrace.signal(pid, pid, Signals.SIGKILL);
    long deadline = System.nanoTime() + STOP_LIMIT.toNanos();
    while (ended.isEmpty() && System.nanoTime() - deadline < 0) {
      if (!drain()) {
        takeNext(deadline);
      }
    }
  }

  /**
   * Begins to trace a thread; false when it has ended. One that began meanwhile is traced already:
   * the kernel attaches to what a traced thread starts.
   */
  private boolean add(int thread) {
    try {
      boolean traced = ptrace.seize(thread, OPTIONS);
      if (traced) {
        tracees.put(thread, new Tracee(thread));
      }
      return traced;
    } catch (TargetException e) {
      var stat = files.stat(thread);
      if (stat.isEmpty() || stat.get().state() == 'Z' || stat.get().state() == 'X') {
        return false;
      }
      long tracer = files.tracer(thread);
      if (tracer == 0) {
        throw e;
      }
      if (!tracees.isEmpty() && tracer == files.tracer(tracees.keySet().iterator().next())) {
        born(thread);
        return true;
      }
      throw new TargetException(
          "process "
              + pid
              + " is traced by process "
              + new ProcFiles(tracer).group().orElse(tracer)
              + " already",
          e);
    }
  }

  /**
   * Takes everything out and lets all threads go on untraced. A program that was started here is
   * killed instead.
   *
   * @param stayStopped whether the process is stopped, as by SIGSTOP
   */
  void detach(boolean stayStopped) {
    if (ended.isPresent()) {
      return;
    }
    if (started && !stayStopped) {
      kill();
      return;
    }
    stop();
    if (ended.isPresent()) {
      return;
    }
    removeAll();
    releaseStrangers();
    guard.ifPresent(it -> it.close(memory, foreignTraps));
    forgetGuard();
    if (stayStopped) {
      ptrace.signal(pid, pid, Signals.SIGSTOP);
    }
    var failures = new ArrayList<String>();
    for (var tracee : tracees.values()) {
      int next = next(tracee);
      // What else was held is sent again: it waits in the kernel from now on.
      tracee.held.forEach(signal -> ptrace.signal(pid, tracee.id(), signal));
      if (tracee.stopped) {
        settle(tracee);
      }
      if (tracee.stopped && !ptrace.detach(tracee.id(), next)) {
        continue; // It has ended.
      }
      if (!tracee.stopped && !tracee.lending) {
        failures.add("thread " + tracee.id() + " does not stop");
      }
    }
    tracees.clear();
    running = true;
    if (!failures.isEmpty()) {
      throw new TargetException(
          "process "
              + pid
              + ": "
              + String.join(", ", failures)
              + "; it is let go when this program ends");
    }
  }

  private void removeAll() {
    if (!lifted) {
      planted.forEach(this::restore);
    }
    planted.clear();
    if (!debug.isEmpty()) {
      debug.clear();
      forStopped(tracee -> debug.apply(tracee.id()));
    }
  }

  /** Children whose parent ended, or became another program, before it told of them. */
  private void releaseStrangers() {
    for (int child : List.copyOf(strangers)) {
      letChildGo(child, false);
    }
    strangers.clear();
    announced.clear();
  }

  /** Only where the breakpoint still is: something else may be mapped there by now. */
  private void restore(long address, byte[] code) {
    cleanse(memory, address, code);
  }

  /**
   * Puts the code back from another thread than the one that traces, which does not answer: the
   * kernel lets the process go when that ends.
   */
  void restoreAll() {
    planted.forEach(this::restore);
  }

  private void forStopped(java.util.function.Consumer<Tracee> action) {
    for (var tracee : tracees.values()) {
      if (tracee.stopped) {
        action.accept(tracee);
      }
    }
  }

  // State

  boolean isRunning() {
    return running && ended.isEmpty();
  }

  /** How the process ended. */
  Optional<ProcessView.Ending> ending() {
    return ending;
  }

  /** Says which system calls to stop at. */
  void watch(Set<Long> numbers) {
    calls = Set.copyOf(numbers);
  }

  boolean hasEnded() {
    return ended.isPresent();
  }

  /** Whether the process became another program since this was asked last. */
  boolean takeReplaced() {
    boolean was = replaced;
    replaced = false;
    return was;
  }

  /** What could not be done for a child, told once. */
  Optional<String> takeFailure() {
    var was = failure;
    failure = Optional.empty();
    return was;
  }

  ProcMemory memory() {
    return memory;
  }

  /** The ids of the threads. */
  List<Integer> threads() {
    return List.copyOf(tracees.keySet());
  }

  /** The registers of a stopped thread; empty of one that could not be stopped. */
  Optional<Registers> registers(int thread) {
    var tracee = tracees.get(thread);
    if (tracee == null || !tracee.stopped) {
      return Optional.empty();
    }
    if (tracee.registers.isEmpty()) {
      tracee.registers =
          raw(tracee).map(bytes -> withThreadPointer(thread, layout.decode(bytes, 0)));
    }
    return tracee.registers;
  }

  /** With what x86 has among the general registers, and 64-bit Arm in a set of its own. */
  private Registers withThreadPointer(int thread, Registers general) {
    return layout.architecture() instanceof Aarch64
        ? ptrace
            .registers(thread, ProcessTracer.ARM_THREAD_POINTER)
            .filter(bytes -> bytes.length >= Long.BYTES)
            .map(bytes -> ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong())
            .map(pointer -> general.with(Aarch64.TPIDR_EL0, pointer))
            .orElse(general)
        : general;
  }

  /** The registers as the kernel lays them out, read once in a stop. */
  private Optional<byte[]> raw(Tracee tracee) {
    if (tracee != null && tracee.stopped && tracee.raw.isEmpty()) {
      tracee.raw = ptrace.registers(tracee.id(), ProcessTracer.GENERAL_REGISTERS);
    }
    return tracee == null || !tracee.stopped ? Optional.empty() : tracee.raw;
  }

  /** The floating-point registers of a stopped thread, as the kernel lays them out. */
  Optional<byte[]> floating(int thread) {
    var tracee = tracees.get(thread);
    return tracee == null || !tracee.stopped
        ? Optional.empty()
        : ptrace.registers(thread, ProcessTracer.FLOATING_REGISTERS);
  }

  /** As {@link #floating}, with all else that XSAVE knows where the CPU has that. */
  Optional<byte[]> extended(int thread) {
    var tracee = tracees.get(thread);
    return tracee == null || !tracee.stopped
        ? Optional.empty()
        : ptrace.registers(thread, ProcessTracer.EXTENDED_REGISTERS).or(() -> floating(thread));
  }

  /** Sets the floating-point registers of a stopped thread; false when they cannot be set. */
  boolean setFloating(int thread, byte[] bytes) {
    var tracee = tracees.get(thread);
    return tracee != null
        && tracee.stopped
        && ptrace.setRegisters(thread, ProcessTracer.FLOATING_REGISTERS, bytes);
  }

  /** Sets a register of a stopped thread; false when it cannot be set. */
  boolean set(int thread, Register register, long value) {
    var tracee = tracees.get(thread);
    if (raw(tracee).isEmpty()) {
      return false;
    }
    byte[] bytes = tracee.raw.orElseThrow().clone();
    if (!layout.set(bytes, register, value)) {
      return false;
    }
    if (register.equals(X86_64.RIP)) {
      // Else the kernel would go back to the system call that was interrupted.
      layout.set(bytes, X86_64.ORIG_RAX, -1);
    }
    tracee.raw = Optional.of(bytes);
    tracee.registers = Optional.empty();
    tracee.changed = true;
    return true;
  }

  /** Puts changed registers into a thread that is to go on. */
  private void settle(Tracee tracee) {
    if (tracee.changed) {
      tracee.changed = false;
      byte[] bytes = tracee.raw.orElseThrow();
      try {
        ptrace.setRegisters(tracee.id(), ProcessTracer.GENERAL_REGISTERS, bytes);
      } catch (TargetException e) {
        tracee.raw = Optional.empty(); // A value that the kernel does not take: as it was.
        tracee.registers = Optional.empty();
        throw e;
      }
    }
  }

  /** Puts all changed registers into their threads. */
  void settleAll() {
    forStopped(this::settle);
  }

  /** What a thread had when {@link #keep} was asked. */
  private record KeptThread(
      byte[] general, int set, Optional<byte[]> floating, int deliver, Optional<byte[]> info) {}

  /**
   * Keeps the registers of a stopped thread and the signal that it would get, which it does not get
   * now.
   *
   * @return puts them back; says whether that was possible
   */
  BooleanSupplier keep(int thread) {
    var tracee = tracees.get(thread);
    if (raw(tracee).isEmpty()) {
      throw new TargetException("thread " + thread + " is not there, or does not stop");
    }
    int set = ProcessTracer.EXTENDED_REGISTERS;
    var floating = isX86() ? ptrace.registers(thread, set) : Optional.<byte[]>empty();
    if (floating.isEmpty()) {
      set = ProcessTracer.FLOATING_REGISTERS;
      floating = ptrace.registers(thread, set);
    }
    var kept =
        new KeptThread(
            tracee.raw.orElseThrow().clone(), set, floating, tracee.deliver, signalInfo(thread));
    tracee.deliver = 0;
    return () -> putBack(thread, kept);
  }

  private boolean putBack(int thread, KeptThread kept) {
    var tracee = tracees.get(thread);
    if (tracee == null || !tracee.stopped) {
      return false;
    }
    tracee.raw = Optional.of(kept.general());
    tracee.registers = Optional.empty();
    tracee.changed = true;
    // A signal that came meanwhile from elsewhere comes now; a fault was the function's.
    boolean later = tracee.deliver != 0 && !SignalNames.isOwn(tracee.deliver);
    if (later && kept.deliver() != 0) {
      tracee.held.add(tracee.deliver);
    }
    tracee.deliver = later && kept.deliver() == 0 ? tracee.deliver : kept.deliver();
    boolean good =
        kept.floating().isEmpty() || ptrace.setRegisters(thread, kept.set(), kept.floating().get());
    if (kept.info().isPresent() && tracee.atSignal) {
      good &= ptrace.setSignalInfo(thread, kept.info().get());
    }
    return good;
  }

  int pending(int thread) {
    var tracee = tracees.get(thread);
    return tracee == null ? 0 : tracee.deliver;
  }

  boolean pending(int thread, int signal) {
    var tracee = tracees.get(thread);
    if (tracee == null || !tracee.stopped) {
      return false;
    }
    tracee.deliver = signal;
    return true;
  }

  /** The signal that stopped a thread, as the kernel tells it. */
  Optional<byte[]> signalInfo(int thread) {
    var tracee = tracees.get(thread);
    return tracee == null || !tracee.stopped || tracee.deliver == 0
        ? Optional.empty()
        : ptrace.signalInfo(thread);
  }

  // Running and stopping

  /** Stops all threads; what they report meanwhile is kept for the next {@link #await}. */
  void stop() {
    if (ended.isPresent() || !running) {
      return;
    }
    halt();
    running = false;
    // Whoever stood at a breakpoint comes to it again.
    reports.removeIf(report -> report.reason() instanceof Stop.Trap);
  }

  private void halt() {
    halting = true;
    try {
      haltAll();
    } finally {
      halting = false;
    }
  }

  private void haltAll() {
    if (allStand()) {
      return; // Nothing can have changed.
    }
    drain();
    long deadline = System.nanoTime() + STOP_LIMIT.toNanos();
    while (ended.isEmpty() && awaited() && System.nanoTime() - deadline < 0) {
      // New threads come while others are stopped.
      tracees.values().forEach(this::interrupt);
      if (!drain()) {
        takeNext(deadline);
      }
    }
  }

  private void interrupt(Tracee tracee) {
    if (!tracee.stopped && !tracee.interrupted && !tracee.fresh && ptrace.interrupt(tracee.id())) {
      tracee.interrupted = true;
    }
  }

  private boolean allStand() {
    for (var tracee : tracees.values()) {
      if (!tracee.stopped) {
        return false;
      }
    }
    return true;
  }

  private boolean awaited() {
    for (var tracee : tracees.values()) {
      if (!tracee.stopped && !tracee.lending) {
        return true;
      }
    }
    return false;
  }

  /** Lets all threads go on. */
  void resume() {
    if (ended.isPresent() || running) {
      return;
    }
    if (!allStand()) {
      drain();
    }
    if (!reports.isEmpty()) {
      running = true; // What is left to tell comes first: nothing moves.
      return;
    }
    running = true;
    for (var tracee : List.copyOf(tracees.values())) {
      tracee.stepping = false;
      if (tracee.stopped) {
        go(tracee);
      }
    }
  }

  /** Lets a thread execute one instruction, without signals unless {@code signals}. */
  void step(int thread, boolean others, boolean signals) {
    var tracee = tracees.get(thread);
    if (tracee == null || !tracee.stopped) {
      throw new TargetException("thread " + thread + " is not there, or cannot be stopped");
    }
    if (!allStand()) {
      drain();
    }
    running = true;
    if (others) {
      for (var other : List.copyOf(tracees.values())) {
        if (other != tracee && other.stopped) {
          go(other);
        }
      }
    }
    tracee.stepping = true;
    int signal = 0;
    if (signals) {
      signal = next(tracee);
    }
    stepOn(tracee, signal);
  }

  private void stepOn(Tracee tracee, int signal) {
    settle(tracee);
    tracee.runs();
    if (!ptrace.step(tracee.id(), signal)) {
      tracee.stepping = false; // It is being killed: its end is reported.
    }
  }

  /** The signal that a thread gets when it goes on. */
  private int next(Tracee tracee) {
    int signal = tracee.deliver;
    tracee.deliver = 0;
    if (signal == 0 && !tracee.held.isEmpty()) {
      signal = tracee.held.poll();
    }
    if (signal != 0 && tracee.stopped && !tracee.atSignal) {
      ptrace.signal(pid, tracee.id(), signal);
      return 0;
    }
    return signal;
  }

  private void go(Tracee tracee) {
    int signal = next(tracee);
    settle(tracee);
    tracee.runs();
    if (tracee.jobStopped) {
      tracee.jobStopped = false;
      ptrace.listen(tracee.id());
      return;
    }
    if (calls.isEmpty()) {
      tracee.call = OptionalLong.empty();
      ptrace.resume(tracee.id(), signal);
    } else {
      ptrace.resumeToSystemCall(tracee.id(), signal);
    }
    // What was held beside it waits in the kernel from now on.
    tracee.held.forEach(more -> ptrace.signal(pid, tracee.id(), more));
    tracee.held.clear();
  }

  /** Waits for a stop to tell; all threads stand still then. */
  Optional<Stop> await(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      var stop = care();
      if (stop.isPresent() || !isRunning() || System.nanoTime() - deadline >= 0) {
        return stop;
      }
      takeNext(deadline);
    }
  }

  /** Turns to what the threads want now; the stop that is to be told, if there is one. */
  Optional<Stop> care() {
    if (ended.isPresent()) {
      return ended;
    }
    if (!running) {
      return Optional.empty();
    }
    if (reports.isEmpty()) {
      drain();
    }
    if (ended.isPresent()) {
      return ended;
    }
    if (reports.isEmpty()) {
      return Optional.empty();
    }
    var first = reports.poll();
    halt();
    if (ended.isPresent()) {
      return ended;
    }
    boolean replacedMeanwhile =
        reports.stream().anyMatch(report -> report.reason() instanceof Stop.Replaced);
    if (replacedMeanwhile || !tracees.containsKey(first.cpu())) {
      // The thread that had something to tell is gone.
      first = reports.poll();
    }
    running = false;
    keepGuard();
    reports.removeIf(report -> report.reason() instanceof Stop.Trap);
    if (first == null) {
      resume();
    }
    return Optional.ofNullable(first);
  }

  /** Takes all changes that there are; whether there was any. */
  private boolean drain() {
    boolean any = false;
    while (takeNext(Duration.ZERO)) {
      any = true;
      if (allStand()) {
        break; // Nothing more can come.
      }
    }
    return any;
  }

  /** Waits for a change until {@code deadline}, and takes it. */
  private void takeNext(long deadline) {
    takeNext(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
  }

  private boolean takeNext(Duration limit) {
    var change = next(limit);
    change.ifPresent(this::take);
    return change.isPresent();
  }

  /**
   * Where a guard is to keep the process alive, a thread at a breakpoint is sent back before its
   * signal is taken: when this process ends before, the thread gets it; when it ends after that,
   * the thread goes on from where it was.
   */
  private Optional<Change> next(Duration limit) {
    if (guard.isEmpty()) {
      return limit.isZero() ? ptrace.change() : ptrace.change(limit);
    }
    var change = ptrace.look(limit);
    if (change.isPresent()) {
      if (change.get() instanceof Stopped(int thread, int signal, int event)
          && event == 0
          && signal == SIGTRAP) {
        sendBack(thread);
      }
      return ptrace.change(change.get().thread());
    }
    return change;
  }

  private void sendBack(int thread) {
    var tracee = tracees.get(thread);
    if (tracee == null || tracee.stopped) {
      return;
    }
    tracee.code = ptrace.signalInfo(thread).map(TracedProcess::code);
    if (tracee.code.filter(code -> code == Signals.SI_KERNEL).isEmpty()) {
      return;
    }
    tracee.stopped = true;
    var pc = registers(thread).map(Registers::pc).orElse(OptionalLong.empty());
    if (pc.isPresent() && planted.containsKey(pc.getAsLong() - INT3.length)) {
      set(thread, X86_64.RIP, pc.getAsLong() - INT3.length);
      settle(tracee);
      tracee.sentBack = true;
    }
  }

  private void take(Change change) {
    switch (change) {
      case Exited(int thread, int status) ->
          gone(thread, status, new ProcessView.Ending(status, OptionalInt.empty()));
      case Killed(int thread, int signal) ->
          gone(thread, 128 + signal, new ProcessView.Ending(0, OptionalInt.of(signal)));
      case Stopped stopped -> take(stopped);
    }
  }

  private void gone(int thread, int status, ProcessView.Ending how) {
    var tracee = tracees.remove(thread);
    if (thread == pid) {
      // The first thread's end is told when no other is left.
      tracees.clear();
      planted.clear();
      releaseStrangers();
      ended = Optional.of(new Stop(pid, new Stop.Ended(status)));
      ending = Optional.of(how);
    } else if (tracee != null && tracee.stepping && !tracees.isEmpty()) {
      reports.add(new Stop(tracees.keySet().iterator().next(), new Stop.Signal(0)));
    }
  }

  private void take(Stopped stopped) {
    var tracee = tracees.get(stopped.thread());
    if (tracee == null) {
      if (!files.hasThread(stopped.thread())) {
        child(stopped.thread());
        return;
      }
      tracee = born(stopped.thread());
    }
    tracee.stopped = true;
    tracee.mayCall = stopped.event() == 0 || stopped.event() == ProcessTracer.EVENT_STOP;
    boolean atCall = stopped.event() == 0 && stopped.signal() == ProcessTracer.SYSTEM_CALL_STOP;
    tracee.atSignal = stopped.event() == 0 && !atCall;
    tracee.interrupted = false; // Any stop does for one that was asked for.
    if (tracee.fresh) {
      tracee.fresh = false;
      if (!debug.isEmpty()) {
        debug.apply(tracee.id());
      }
    }
    if (atCall) {
      tracee.mayCall = false;
      systemCall(tracee);
      return;
    }
    switch (stopped.event()) {
      case 0 -> signal(tracee, stopped.signal());
      case ProcessTracer.EVENT_STOP -> {
        boolean traps = ptrace.raised(tracee.id(), SIGTRAP);
        // A job's stop comes again behind the signal.
        tracee.jobStopped = stopped.signal() != SIGTRAP && !traps;
        if (traps) {
          tellTrap(tracee);
        } else {
          goUnlessHalting(tracee);
        }
      }
      case ProcessTracer.EVENT_CLONE -> {
        ptrace.message(tracee.id()).ifPresent(id -> expect(id.intValue()));
        goUnlessHalting(tracee);
      }
      case ProcessTracer.EVENT_FORK -> {
        ptrace.message(tracee.id()).ifPresent(id -> announce(id.intValue(), false));
        goUnlessHalting(tracee);
      }
      case ProcessTracer.EVENT_VFORK -> {
        lift();
        tracee.lending = true;
        ptrace.message(tracee.id()).ifPresent(id -> announce(id.intValue(), true));
        tracee.runs();
        ptrace.resume(tracee.id(), 0);
      }
      case ProcessTracer.EVENT_VFORK_DONE -> {
        tracee.lending = false;
        plantAgain();
        goUnlessHalting(tracee);
      }
      case ProcessTracer.EVENT_EXEC -> became(tracee);
      default -> goUnlessHalting(tracee);
    }
  }

  /**
   * A thread was stopped when it had come to a breakpoint, or to the end of a step, but not told of
   * it: a stop that is asked for comes before signals. It is let go as far as that, since a SIGTRAP
   * that nobody takes back kills the process.
   */
  private void tellTrap(Tracee tracee) {
    boolean stepping = tracee.stepping;
    tracee.runs();
    tracee.interrupted = true; // Asked again it would stop in the same place.
    if (stepping) {
      ptrace.step(tracee.id(), 0);
    } else {
      ptrace.resume(tracee.id(), 0);
    }
  }

  /** A thread enters a system call or leaves it. */
  private void systemCall(Tracee tracee) {
    var at = ptrace.systemCall(tracee.id());
    if (at.isPresent()) {
      boolean entry = at.get() instanceof ProcessTracer.SystemCallEntry;
      if (at.get() instanceof ProcessTracer.SystemCallEntry(long number)) {
        tracee.call = OptionalLong.of(number);
      }
      var call = tracee.call;
      if (!entry) {
        tracee.call = OptionalLong.empty();
      }
      if (call.isPresent() && calls.contains(call.getAsLong())) {
        reports.add(new Stop(tracee.id(), new Stop.SystemCall(call.getAsLong(), entry)));
        return;
      }
    }
    goUnlessHalting(tracee);
  }

  /** A thread begins, which stops first of all. */
  private void expect(int thread) {
    if (!tracees.containsKey(thread) && files.hasThread(thread)) {
      born(thread);
    }
  }

  private Tracee born(int thread) {
    var tracee = new Tracee(thread);
    tracee.fresh = true;
    tracees.put(thread, tracee);
    return tracee;
  }

  /** Where all are to stop it stays so; else it was nothing to stop for. */
  private void goUnlessHalting(Tracee tracee) {
    if (!running || halting) {
      return;
    }
    if (tracee.stepping) {
      stepOn(tracee, 0);
    } else if (!stepsAlone()) {
      go(tracee);
    }
  }

  private boolean stepsAlone() {
    for (var tracee : tracees.values()) {
      if (tracee.stepping) {
        return true;
      }
    }
    return false;
  }

  /** A child process stands at its beginning. */
  private void child(int child) {
    var borrows = announced.remove(child);
    if (borrows == null) {
      strangers.add(child);
    } else {
      letChildGo(child, borrows);
    }
  }

  /**
   * This process tells of a child that it has made.
   *
   * @param borrows whether the child uses this process's memory while it waits (vfork)
   */
  private void announce(int child, boolean borrows) {
    if (strangers.remove(child)) {
      letChildGo(child, borrows);
    } else {
      announced.put(child, borrows);
    }
  }

  /** A child that begins has a copy of the memory, with the breakpoints that were in it then. */
  private void letChildGo(int child, boolean borrows) {
    if (!borrows && !everPlanted.isEmpty()) {
      try (var its = ProcMemory.open(child)) {
        everPlanted.forEach((address, code) -> cleanse(its, address, code));
        if (!lifted && sharesMemory()) {
          // What was taken out there is out here too.
          plant();
        }
      } catch (TargetException e) {
        if (new ProcFiles(child).exists()) {
          failure =
              Optional.of("process " + child + ", its child, keeps breakpoints: " + e.getMessage());
        }
      }
    }
    ptrace.detach(child, 0);
  }

  private void cleanse(ProcMemory its, long address, byte[] code) {
    var there = new byte[breakpoint().length];
    if (its.read(address, MemorySegment.ofArray(there)) == there.length
        && java.util.Arrays.equals(there, breakpoint())) {
      its.write(address, MemorySegment.ofArray(code));
    }
  }

  /** Whether the breakpoints are gone here because they were taken out of a child's memory. */
  private boolean sharesMemory() {
    var first = planted.firstEntry();
    return first != null && !java.util.Arrays.equals(breakpoint(), bytes(first.getKey()));
  }

  private byte[] bytes(long address) {
    var bytes = new byte[breakpoint().length];
    int got = memory.read(address, MemorySegment.ofArray(bytes));
    return java.util.Arrays.copyOf(bytes, got);
  }

  private byte[] breakpoint() {
    return isX86() ? INT3 : BRK;
  }

  /** The parent waits for a child that uses its memory: without breakpoints meanwhile. */
  private void lift() {
    if (!lifted) {
      planted.forEach(this::restore);
      lifted = true;
    }
  }

  private void plantAgain() {
    for (var tracee : tracees.values()) {
      if (tracee.lending) {
        return;
      }
    }
    if (lifted) {
      lifted = false;
      plant();
    }
  }

  private void plant() {
    for (long address : planted.keySet()) {
      memory.write(address, MemorySegment.ofArray(breakpoint()));
    }
  }

  /** The process is another program now, in its one thread that is left. */
  private void became(Tracee tracee) {
    tracees.keySet().removeIf(thread -> thread != pid);
    planted.clear();
    releaseStrangers();
    everPlanted.clear();
    forgetGuard();
    guardTried = false;
    foreignTraps = false;
    lifted = false;
    debug.clear();
    memory.close();
    memory = ProcMemory.open(pid);
    replaced = true;
    tracee.held.clear();
    tracee.deliver = 0;
    tracee.interrupted = false;
    tracee.stepping = false;
    reports.clear();
    reports.add(new Stop(pid, new Stop.Replaced()));
  }

  private void signal(Tracee tracee, int signal) {
    if (signal == SIGTRAP) {
      if (trapped(tracee)) {
        return;
      }
      foreignTraps = true;
    }
    boolean quiet = passed.contains(signal);
    if (tracee.stepping && !(Signals.isFault(signal) && isOfInstruction(tracee))) {
      tracee.held.add(signal);
      if (running && !halting) {
        stepOn(tracee, 0);
      }
      return;
    }
    tracee.deliver = signal;
    if (quiet && tracee.stepping && !halting) {
      // Into its handler, where the step ends.
      stepOn(tracee, next(tracee));
    } else if (quiet) {
      goUnlessHalting(tracee);
    } else {
      tracee.stepping = false;
      reports.add(new Stop(tracee.id(), new Stop.Signal(signal)));
    }
  }

  /** Whether the signal that stopped a thread was raised by what it executes. */
  private boolean isOfInstruction(Tracee tracee) {
    return code(tracee) > 0;
  }

  /** {@code si_code} of the signal that stopped a thread. */
  private int code(Tracee tracee) {
    if (tracee.code.isEmpty()) {
      tracee.code = ptrace.signalInfo(tracee.id()).map(TracedProcess::code);
    }
    return tracee.code.orElse(0);
  }

  private static int code(byte[] info) {
    return ByteBuffer.wrap(info).order(ByteOrder.LITTLE_ENDIAN).getInt(8);
  }

  /** Whether a SIGTRAP is of our making, and is therefore not the process's. */
  private boolean trapped(Tracee tracee) {
    if (tracee.sentBack) {
      tracee.stepping = false;
      reports.add(new Stop(tracee.id(), new Stop.Trap()));
      return true;
    }
    int code = code(tracee);
    if (code == Signals.TRAP_HWBKPT || code == Signals.TRAP_TRACE) {
      var hit = debug.hit(tracee.id());
      if (hit.isPresent()) {
        tracee.stepping = false;
        boolean execution = hit.get().kind() == Kind.HARDWARE;
        reports.add(
            new Stop(
                tracee.id(),
                execution
                    ? new Stop.Trap()
                    : new Stop.Watch(hit.get().kind(), hit.get().address())));
        return true;
      }
    }
    if (code == Signals.SI_KERNEL || code == Signals.TRAP_BRKPT) {
      var pc = registers(tracee.id()).flatMap(known -> known.pc().stream().boxed().findFirst());
      long at = pc.orElse(0L) - (isX86() ? INT3.length : 0);
      if (pc.isPresent() && planted.containsKey(at)) {
        if (isX86()) {
          set(tracee.id(), X86_64.RIP, at);
          if (!started) {
            settle(tracee); // When this process ends now, the thread goes on from there.
          }
        }
        tracee.stepping = false;
        reports.add(new Stop(tracee.id(), new Stop.Trap()));
        return true;
      }
    }
    // A step of a system call that left the process's own trap flag alone ends with TRAP_BRKPT.
    if (tracee.stepping && code > 0 && code != Signals.SI_KERNEL) {
      tracee.stepping = false;
      reports.add(new Stop(tracee.id(), new Stop.Trap()));
      return true;
    }
    return false;
  }

  // Breakpoints

  /** As {@link DebugRegisterTrial#require}. */
  void requireTraps() {
    trial.require();
  }

  boolean insert(Kind kind, long address, int length) {
    if (kind != Kind.SOFTWARE) {
      return isX86() && insert(new DebugRegisters.Point(kind, address, length));
    }
    if (planted.containsKey(address)) {
      return true;
    }
    arm(); // Before the code is read: it puts code back that another has left.
    byte[] code = bytes(address);
    if (code.length < breakpoint().length) {
      return false;
    }
    protect(address, code[0]);
    if (!lifted && !memory.write(address, MemorySegment.ofArray(breakpoint()))) {
      return false;
    }
    planted.put(address, code);
    everPlanted.put(address, code);
    return true;
  }

  /** Sees to it that the process outlives this one with breakpoints planted in it. */
  private void arm() {
    if (started || !isX86() || guardTried) {
      return; // What was started here ends with it.
    }
    // A sandbox may answer unexpected system calls by ending the process.
    boolean confined = files.isConfined();
    if (!confined && caller().isEmpty()) {
      return; // All threads are busy with something that is not to be disturbed.
    }
    guardTried = true;
    long token = new SecureRandom().nextLong();
    guard = confined ? Optional.empty() : TrapGuard.over(memory, token, this::call);
    guardLooked = System.nanoTime();
    if (guard.isPresent()) {
      will =
          TrapRestorer.command(guard.get().base(), token)
              .map(command -> ptrace.will(Path.of("/proc/" + pid), command));
    } else {
      failure =
          Optional.of(
              "process " + pid + " cannot be protected: it ends when this one is killed (-9)");
    }
  }

  private void protect(long address, byte code) {
    if (guard.isPresent() && !guard.get().add(memory, address, code)) {
      failure =
          Optional.of(
              "process "
                  + pid
                  + " has more breakpoints than it is protected from: it may end when"
                  + " this one is killed (-9)");
    }
  }

  private void forgetGuard() {
    guard = Optional.empty();
    will.ifPresent(ProcessTracer.Will::revoke);
    will = Optional.empty();
  }

  /**
   * The kernel takes a handler away when a thread comes to a breakpoint that has the signal
   * blocked.
   */
  private void keepGuard() {
    if (System.nanoTime() - guardLooked <= GUARD_INTERVAL) {
      return;
    }
    if (guard.isPresent()) {
      guardLooked = System.nanoTime();
      if (!files.catches(SIGTRAP)) {
        guard.get().armAgain();
      }
    } else if (!guardTried && !lifted && !planted.isEmpty()) {
      guardLooked = System.nanoTime();
      armLate();
    }
  }

  /** No thread could carry out system calls when the breakpoints were planted: now one may. */
  private void armLate() {
    arm();
    if (guard.isEmpty()) {
      return;
    }
    for (long address : List.copyOf(planted.keySet())) {
      byte[] now = bytes(address);
      // What an earlier tracer has left there was put back, by its table: it is no breakpoint now.
      if (now.length == breakpoint().length
          && !java.util.Arrays.equals(now, breakpoint())
          && memory.write(address, MemorySegment.ofArray(breakpoint()))) {
        planted.put(address, now);
        everPlanted.put(address, now);
      }
      protect(address, planted.get(address)[0]);
    }
  }

  /** A thread that can carry out a system call: none that is about to do something else. */
  private Optional<Tracee> caller() {
    for (var tracee : tracees.values()) {
      if (tracee.stopped
          && tracee.mayCall
          && !tracee.jobStopped
          && !tracee.lending
          && tracee.deliver == 0
          && tracee.held.isEmpty()
          && !files.isConfined(tracee.id())) {
        return Optional.of(tracee);
      }
    }
    return Optional.empty();
  }

  /** Lets a stopped thread carry out a system call, the others held. */
  private OptionalLong call(long number, long... arguments) {
    var tracee = caller();
    var instruction = callingCode();
    return tracee.isPresent() && instruction.isPresent() && registers(tracee.get().id()).isPresent()
        ? call(tracee.get(), instruction.getAsLong(), number, arguments)
        : OptionalLong.empty();
  }

  /** Where there is an instruction for system calls. */
  private OptionalLong callingCode() {
    for (var mapping : files.maps()) {
      if (mapping.name().equals(KERNELS_CODE)) {
        var code =
            new byte
                [(int)
                    Math.min(KERNELS_CODE_LIMIT, mapping.range().end() - mapping.range().start())];
        int count = memory.read(mapping.range().start(), MemorySegment.ofArray(code));
        for (int i = 0; i + SYSCALL.length <= count; i++) {
          if (code[i] == SYSCALL[0] && code[i + 1] == SYSCALL[1]) {
            return OptionalLong.of(mapping.range().start() + i);
          }
        }
      }
    }
    return OptionalLong.empty();
  }

  private OptionalLong call(Tracee tracee, long instruction, long number, long... arguments) {
    settle(tracee);
    byte[] saved = tracee.raw.orElseThrow();
    var before = tracee.registers;
    byte[] calling = saved.clone();
    layout.set(calling, X86_64.RIP, instruction);
    layout.set(calling, X86_64.RAX, number);
    layout.set(calling, X86_64.ORIG_RAX, -1);
    for (int i = 0; i < arguments.length; i++) {
      layout.set(calling, CALL_ARGUMENTS.get(i), arguments[i]);
    }
    if (!ptrace.setRegisters(tracee.id(), ProcessTracer.GENERAL_REGISTERS, calling)) {
      return OptionalLong.empty();
    }
    var after = Optional.<Registers>empty();
    for (int i = 0; i < CALL_STEPS && after.isEmpty() && stepOver(tracee); i++) {
      after =
          ptrace
              .registers(tracee.id(), ProcessTracer.GENERAL_REGISTERS)
              .map(bytes -> layout.decode(bytes, 0))
              .filter(it -> it.pc().orElse(0) == instruction + SYSCALL.length);
    }
    ptrace.setRegisters(tracee.id(), ProcessTracer.GENERAL_REGISTERS, saved);
    tracee.raw = Optional.of(saved);
    tracee.registers = before;
    return after.isEmpty() ? OptionalLong.empty() : after.get().get(X86_64.RAX);
  }

  /** One instruction of one thread, without signals; false when it does not end. */
  private boolean stepOver(Tracee tracee) {
    long deadline = System.nanoTime() + STOP_LIMIT.toNanos();
    boolean was = halting;
    halting = true;
    try {
      boolean steps = ptrace.step(tracee.id(), 0);
      while (steps && ended.isEmpty() && System.nanoTime() - deadline < 0) {
        var change = ptrace.change(Duration.ofNanos(deadline - System.nanoTime()));
        if (change.isEmpty()) {
          continue;
        }
        if (!(change.get() instanceof Stopped stopped) || stopped.thread() != tracee.id()) {
          take(change.get());
        } else if (stopped.event() == 0 && stopped.signal() == SIGTRAP) {
          return true;
        } else {
          if (stopped.event() == 0 && stopped.signal() != ProcessTracer.SYSTEM_CALL_STOP) {
            tracee.held.add(stopped.signal());
          }
          steps = ptrace.step(tracee.id(), 0);
        }
      }
      return false;
    } finally {
      halting = was;
    }
  }

  private boolean insert(DebugRegisters.Point point) {
    if (!debug.add(point)) {
      return false;
    }
    for (var tracee : tracees.values()) {
      if (tracee.stopped && !debug.apply(tracee.id())) {
        remove(point);
        return false;
      }
    }
    return true;
  }

  void remove(Kind kind, long address, int length) {
    if (kind != Kind.SOFTWARE) {
      remove(new DebugRegisters.Point(kind, address, length));
      return;
    }
    byte[] code = planted.remove(address);
    if (code != null && !lifted) {
      restore(address, code);
    }
    guard.ifPresent(it -> it.remove(memory, address));
  }

  private void remove(DebugRegisters.Point point) {
    debug.remove(point);
    // Another thread may have hit it too, which is nobody's business any more.
    reports.removeIf(
        report -> report.reason() instanceof Stop.Watch it && it.address() == point.address());
    forStopped(tracee -> debug.apply(tracee.id()));
  }

  /** Puts the process's own code over what was read from {@code address} on. */
  void hideBreakpoints(long address, MemorySegment read, int count) {
    long reach = breakpoint().length - 1L;
    if (planted.isEmpty() || count == 0) {
      return;
    }
    long last = address + count - 1;
    for (var entry :
        planted.subMap(address - Math.min(reach, address), true, last, true).entrySet()) {
      byte[] code = entry.getValue();
      for (int i = 0; i < code.length; i++) {
        long at = entry.getKey() + i - address;
        if (at >= 0 && at < count) {
          read.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at, code[i]);
        }
      }
    }
  }

  /** What is written to where a breakpoint is counts for when it is taken out. */
  boolean write(long address, MemorySegment bytes) {
    boolean good = memory.write(address, bytes);
    if (good && !planted.isEmpty()) {
      for (var entry : planted.entrySet()) {
        byte[] code = entry.getValue();
        for (int i = 0; i < code.length; i++) {
          long at = entry.getKey() + i - address;
          if (at >= 0 && at < bytes.byteSize()) {
            code[i] = bytes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at);
          }
        }
      }
      if (!lifted) {
        plant();
      }
    }
    return good;
  }

  /** Reads where the process itself may; its own code, where breakpoints are. */
  boolean load(long address, byte[] into) {
    boolean good = ptrace.load(pid, address, into);
    if (good) {
      hideBreakpoints(address, MemorySegment.ofArray(into), into.length);
    }
    return good;
  }

  /** Writes where the process itself may, and no breakpoint is. */
  boolean store(long address, byte[] bytes) {
    if (address < 0) {
      return false; // The kernel is there.
    }
    long reach = breakpoint().length - 1L;
    return planted
            .subMap(address - Math.min(reach, address), true, address + bytes.length - 1, true)
            .isEmpty()
        && ptrace.store(pid, address, bytes);
  }

  void close() {
    memory.close();
  }
}
