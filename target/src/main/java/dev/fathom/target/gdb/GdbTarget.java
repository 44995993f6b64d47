// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Layout;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.DirectMemory;
import dev.fathom.target.DirectMemoryProvider;
import dev.fathom.target.FloatingRegisters;
import dev.fathom.target.Glimpse;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RawRegisters;
import dev.fathom.target.RegisterKeeper;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.SignalNames;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import dev.fathom.target.VirtualMemory;
import dev.fathom.target.monitor.MonitorRegisters;
import dev.fathom.target.monitor.RamLayout;
import java.lang.foreign.MemorySegment;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * A machine or process behind a gdb stub. Attaching stops it, as stubs do by themselves. While it
 * runs nothing can be read: a byte sent to QEMU's stub then would stop the guest.
 *
 * <p>CPUs are the stub's threads. QEMU numbers them from 1, and {@link Cpu#id} is from 0; KGDB
 * names CPUs besides tasks; of other stubs the id is the thread's number.
 */
final class GdbTarget implements Target {
  private static final List<Register> TABLES =
      List.of(
          X86_64.IDT_BASE,
          X86_64.IDT_LIMIT,
          X86_64.GDT_BASE,
          X86_64.GDT_LIMIT,
          X86_64.LDT,
          X86_64.LDT_BASE,
          X86_64.TR,
          X86_64.TR_BASE);

  /** Registers of CPUs that are taken out of the first answers to a {@link Glimpse}, in all. */
  private static final int REHEARSALS = 4000;

  private final Stub stub;
  private final Link link;
  private final RegisterMap map;
  private final Duration timeout;
  private final List<Range> ram;
  private final Optional<StubMemory> physical;
  private final StubMemory virtual;
  private final Optional<DirectMemory> direct;
  private final List<String> warnings = new ArrayList<>();
  private final Map<Integer, State> states = new ConcurrentHashMap<>();
  private final Set<String> inserted = ConcurrentHashMap.newKeySet();
  private final Powers powers = new Powers();

  private volatile Live.State state = Live.State.STOPPED;
  private long epoch;

  /** The step that the target is at, or that it stopped after. */
  private Optional<Stepping> stepping = Optional.empty();

  /** Empty where they may have changed since they were listed. */
  private Optional<List<ThreadId>> threads = Optional.empty();

  private Optional<ThreadId> current = Optional.empty();

  /** KGDB's CPUs, which do not change; empty of every other stub. */
  private final List<ThreadId> kgdbCpus;

  private Optional<GdbProcess> process = Optional.empty();

  /** The signals, by the protocol's numbers, that threads of a process get when they go on. */
  private final Map<Integer, Integer> undelivered = new LinkedHashMap<>();

  private boolean processAsked;
  private Stop lastStop;

  /** Registers of {@link #current} that came with the stop; empty once they may have changed. */
  private Optional<Registers> told = Optional.empty();

  private Map<Integer, Map<Register, Long>> tables = Map.of();
  private boolean tablesKnown;
  private int stepFlags = -1;
  private WriteForm writeForm = WriteForm.UNKNOWN;
  private volatile boolean leaveStopped;
  private boolean stoppedToLook;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** How the stub takes registers. */
  private enum WriteForm {
    UNKNOWN,
    /** {@code P}, one by one. */
    ONE,
    /** {@code G}, all at once. */
    ALL,
    /** Not at all. */
    NONE
  }

  /** What is known of one CPU while the target stays stopped. */
  private static final class State {
    private final ThreadId thread;
    private final RegisterMap.StubRegisters raw;
    private final Set<RegisterMap.Slot> written = new LinkedHashSet<>();

    /** Made of {@link #raw} when somebody asks. */
    private Optional<Registers> registers = Optional.empty();

    State(ThreadId thread, RegisterMap.StubRegisters raw) {
      this.thread = thread;
      this.raw = raw;
    }
  }

  /**
   * Asks a connected stub for everything that does not change.
   *
   * @param address where it listens: of a QEMU on this host, the memory is read in place
   */
  GdbTarget(Stub stub, SocketAddress address, Duration timeout) {
    this.stub = stub;
    this.link = stub.link();
    this.timeout = timeout;
    // First of all: gdbserver has no thread selected before it, and fails over the description.
    StopReply stopped = StopReply.parse(link.ask("?"));
    // QEMU tells of the stop that connecting causes by itself too, and in the form of thread ids
    // that was agreed on last time. The answer above is newer.
    link.strayStop();
    if (stopped.reason() instanceof Stop.Ended) {
      throw new TargetException(name() + ": nothing runs there any more");
    }
    current = stopped.thread().isPresent() ? stopped.thread() : currentThread();
    stub.stoppedIn(stopped.thread());
    Description registers = describe(stub);
    boolean described = !registers.registers().isEmpty();
    if (!described) {
      Reply all = stub.ask(stub.select(current), List.of("g")).getFirst();
      int length = all.bytes().length / 2;
      registers =
          UsualRegisters.of(length)
              .orElseThrow(
                  () ->
                      new TargetException(
                          name()
                              + ": the stub describes no registers, and "
                              + length
                              + " bytes of them fit no architecture known here"));
    }
    map = RegisterMap.of(name(), registers);
    kgdbCpus = described ? List.of() : kgdbCpus(stub.threads());
    findKgdbCpu();
    lastStop = new Stop(idOfCurrent(), stopped.reason());
    ram = stub.hasPhysicalMode() ? ram() : List.of();
    physical =
        ram.isEmpty() ? Optional.empty() : Optional.of(new StubMemory(stub, true, Optional::empty));
    virtual = new StubMemory(stub, false, () -> current);
    direct = stub.isQemu() ? direct(address) : Optional.empty();
  }

  private Optional<DirectMemory> direct(SocketAddress address) {
    for (DirectMemoryProvider provider : ServiceLoader.load(DirectMemoryProvider.class)) {
      try {
        Optional<DirectMemory> found = provider.find(address, this::monitor);
        if (found.isPresent()) {
          return found;
        }
      } catch (TargetException e) {
        warnings.add(e.getMessage() + ": the guest's memory is read through the stub, slowly");
      }
    }
    return Optional.empty();
  }

  private List<String> monitor(List<String> commands) {
    requireStopped("ask the monitor");
    var texts = new ArrayList<String>();
    for (String command : commands) {
      texts.add(
          stub.monitor(command)
              .orElseThrow(() -> new TargetException(name() + ": no answer to " + command)));
    }
    return texts;
  }

  private static Description describe(Stub stub) {
    if (!stub.has("qXfer:features:read")) {
      return new Description("", List.of());
    }
    return DescriptionReader.read(stub.name(), document -> stub.transfer("features", document));
  }

  private Optional<ThreadId> currentThread() {
    Reply reply = link.ask("qC");
    return reply.text().startsWith("QC")
        ? Optional.of(ThreadId.parse(reply.text().substring(2)))
        : Optional.empty();
  }

  private static List<ThreadId> kgdbCpus(List<ThreadId> threads) {
    return threads.stream().filter(thread -> thread.kgdbCpu().isPresent()).toList();
  }

  /**
   * KGDB tells which task it stopped in, and not which CPU: it is the one with the same registers.
   */
  private void findKgdbCpu() {
    if (kgdbCpus.isEmpty()) {
      return;
    }
    stub.unsettled();
    byte[] own = stub.ask(List.of("Hg0"), List.of("g")).getFirst().bytes();
    for (ThreadId cpu : kgdbCpus) {
      if (Arrays.equals(
          stub.ask(stub.select(Optional.of(cpu)), List.of("g")).getFirst().bytes(), own)) {
        current = Optional.of(cpu);
        return;
      }
    }
    current = Optional.of(kgdbCpus.getFirst());
    warnings.add("KGDB does not tell which CPU it stopped on: the first is taken for it");
  }

  private List<Range> ram() {
    List<Range> ranges = List.of();
    try {
      Optional<String> layout = stub.monitor("info mtree -f");
      if (layout.isPresent()) {
        ranges = RamLayout.parse(layout.get()).ranges();
      }
    } catch (TargetException e) {
      warnings.add(e.getMessage());
    }
    if (ranges.isEmpty()) {
      warnings.add("QEMU does not tell where the guest's RAM is: no physical memory");
    }
    return ranges;
  }

  private String name() {
    return stub.name();
  }

  @Override
  public TargetInfo info() {
    var facts = new ArrayList<Datum.Field>();
    facts.add(new Datum.Field("cpus", "CPUs", Cell.decimal(threads().size())));
    facts.add(new Datum.Field("packet_bytes", "packet size", Cell.decimal(stub.packetSize())));
    return new TargetInfo(
        "live target",
        name(),
        stub.isQemu() ? "gdb remote protocol, QEMU" : "gdb remote protocol",
        architecture(),
        List.copyOf(facts));
  }

  @Override
  public String architecture() {
    return map.architecture();
  }

  @Override
  public List<Cpu> cpus() {
    requireStopped("read registers");
    List<ThreadId> all = threads();
    load(all);
    if (stub.isQemu() && !tablesKnown && map.architecture().equals("x86_64")) {
      tables = stub.monitor("info registers -a").map(GdbTarget::tables).orElse(Map.of());
      tablesKnown = true;
    }
    return known(all);
  }

  /** Those whose registers were read. */
  private List<Cpu> known(List<ThreadId> all) {
    var cpus = new ArrayList<Cpu>(all.size());
    for (ThreadId thread : all) {
      if (states.containsKey(id(thread))) {
        cpus.add(cpuOf(id(thread)));
      }
    }
    return List.copyOf(cpus);
  }

  @Override
  public Optional<Cpu> cpu(int id) {
    requireStopped("read registers");
    Optional<ThreadId> thread = threadOf(id);
    if (thread.isEmpty()) {
      return Optional.empty();
    }
    load(List.of(thread.get()));
    return states.containsKey(id) ? Optional.of(cpuOf(id)) : Optional.empty();
  }

  /** The descriptor table registers of each x86 CPU, which the stub's own registers lack. */
  private static Map<Integer, Map<Register, Long>> tables(String printed) {
    var cpus = new HashMap<Integer, Map<Register, Long>>();
    for (MonitorRegisters.State cpu : MonitorRegisters.x86(printed)) {
      var registers = new HashMap<Register, Long>();
      for (Register register : TABLES) {
        cpu.registers().get(register).ifPresent(value -> registers.put(register, value));
      }
      cpus.put(cpu.id(), registers);
    }
    return cpus;
  }

  private Cpu cpuOf(int id) {
    State state = states.get(id);
    if (state.registers.isEmpty()) {
      state.registers = Optional.of(map.registers(state.raw));
    }
    Registers registers = state.registers.get();
    for (Map.Entry<Register, Long> table : tables.getOrDefault(id, Map.of()).entrySet()) {
      registers = registers.with(table.getKey(), table.getValue());
    }
    return new Cpu(id, registers, stub.isQemu() ? "QEMU's gdb stub" : "gdb stub");
  }

  /** Reads the registers of those threads that were not read since the target stopped. */
  private void load(List<ThreadId> wanted) {
    var missing = new ArrayList<ThreadId>();
    var requests = new ArrayList<String>();
    for (ThreadId thread : wanted) {
      if (!states.containsKey(id(thread))) {
        missing.add(thread);
        requests.addAll(stub.select(named(thread)));
        requests.add("g");
      }
    }
    if (missing.isEmpty()) {
      return;
    }
    take(missing, requests, link.askAll(requests));
  }

  /** Takes the replies to the requests that select each thread and ask for its registers. */
  private void take(List<ThreadId> asked, List<String> requests, List<Reply> replies) {
    int next = 0;
    int request = 0;
    for (Reply reply : replies) {
      if (requests.get(request++).equals("g")) {
        keep(asked.get(next++), reply);
      } else if (!reply.isOk()) {
        stub.unsettled();
        throw new TargetException(
            name() + ": " + requests.get(request - 1) + " was answered by " + reply.shown());
      }
    }
    for (ThreadId thread : asked) {
      State loaded = states.get(id(thread));
      if (loaded != null) {
        loadOthers(loaded);
      }
    }
  }

  /** Takes the reply to {@code g}. */
  private void keep(ThreadId thread, Reply reply) {
    if (!reply.isError() && !reply.isUnknown()) {
      var raw = RegisterMap.StubRegisters.decode(reply.bytes(), map.totalBytes());
      states.put(id(thread), new State(thread, raw));
    }
  }

  /**
   * Asks one by one for the registers that {@code g} lacks: system registers of QEMU's Arm CPUs.
   */
  private void loadOthers(State cpu) {
    var slots = new ArrayList<RegisterMap.Slot>();
    var requests = new ArrayList<String>();
    for (RegisterMap.Slot slot : map.slots()) {
      if (slot.kept().isPresent() && !cpu.raw.isGeneral(slot)) {
        slots.add(slot);
        requests.add("p" + Integer.toHexString(slot.entry().number()));
      }
    }
    if (slots.isEmpty()) {
      return;
    }
    List<Reply> replies = stub.ask(stub.select(named(cpu.thread)), requests);
    for (int i = 0; i < slots.size(); i++) {
      cpu.raw.take(slots.get(i), replies.get(i));
    }
    cpu.registers = Optional.empty();
  }

  /** A thread as requests name it; empty for the only one of a stub without threads. */
  private static Optional<ThreadId> named(ThreadId thread) {
    return thread.thread() == 0 ? Optional.empty() : Optional.of(thread);
  }

  /** The stub's threads; a stub that does not list them has one, which may have no name. */
  private List<ThreadId> threads() {
    if (!kgdbCpus.isEmpty()) {
      return kgdbCpus;
    }
    if (threads.isEmpty() && state == Live.State.RUNNING) {
      return List.of(current.orElse(new ThreadId("0", 0, 0)));
    }
    if (threads.isEmpty()) {
      List<ThreadId> listed = stub.threads();
      threads =
          Optional.of(listed.isEmpty() ? List.of(current.orElse(new ThreadId("0", 0, 0))) : listed);
    }
    return threads.get();
  }

  private Optional<ThreadId> threadOf(int id) {
    if (current.isPresent() && id(current.get()) == id) {
      return current; // The one that stopped: no need to have them all listed.
    }
    for (ThreadId thread : threads()) {
      if (id(thread) == id) {
        return Optional.of(thread);
      }
    }
    return Optional.empty();
  }

  private int id(ThreadId thread) {
    if (!kgdbCpus.isEmpty()) {
      return thread.kgdbCpu().orElse((int) thread.thread());
    }
    return (int) (stub.isQemu() && thread.thread() > 0 ? thread.thread() - 1 : thread.thread());
  }

  private int idOfCurrent() {
    return current.isPresent() ? id(current.get()) : id(threads().getFirst());
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    if (capability == PhysicalMemory.class && direct.isPresent()) {
      return Optional.of(capability.cast(direct.get()));
    }
    if (capability == PhysicalMemory.class) {
      return physical.map(memory -> capability.cast(new Physical(memory)));
    }
    if (capability == VirtualMemory.class) {
      return Optional.of(capability.cast(new Virtual()));
    }
    if (capability == ProcessView.class) {
      return process().map(capability::cast);
    }
    if (capability == Live.class) {
      return Optional.of(capability.cast(powers.live));
    }
    if (capability == RunControl.class) {
      return Optional.of(capability.cast(powers.run));
    }
    if (capability == Glimpse.class) {
      return stub.isQemu() ? Optional.of(capability.cast(powers.look)) : Optional.empty();
    }
    if (capability == Breakpoints.class) {
      return Optional.of(capability.cast(powers.breakpoints));
    }
    if (capability == MemoryWriter.class) {
      return Optional.of(capability.cast(powers.memoryWriter));
    }
    if (capability == RegisterKeeper.class) {
      return Optional.of(capability.cast(powers.keeper));
    }
    if (capability == RegisterWriter.class) {
      return Optional.of(capability.cast(powers.registerWriter));
    }
    if (capability == FloatingRegisters.class) {
      return Optional.of(capability.cast(powers.floating));
    }
    return capability == RawRegisters.class
        ? Optional.of(capability.cast(powers.rawRegisters))
        : Optional.empty();
  }

  /** The process behind the stub, where there is one that can be looked at. */
  private Optional<GdbProcess> process() {
    if (!processAsked && !stub.isQemu() && current.isPresent() && state == Live.State.STOPPED) {
      processAsked = true;
      process = GdbProcess.of(stub, current.get(), this::threads);
    }
    return process;
  }

  @Override
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  /**
   * Takes out what breakpoints are left and lets the target go on, unless it is to stay stopped.
   * May be called by another thread than the one that uses the target; what that one is at then
   * ends with an exception.
   *
   * @throws TargetException when the target could not be let go: it may stand still, or have
   *     breakpoints. Nothing is thrown where the connection ended before, as with the target
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    var failures = new ArrayList<String>();
    try {
      if (!link.takeOver()) {
        failures.add("what is being asked of the stub does not end");
      } else if (link.isBroken()) {
        link.failure().ifPresent(failures::add);
      } else if (state != Live.State.GONE) {
        letGo(failures);
      }
    } finally {
      state = Live.State.GONE;
      direct.ifPresent(DirectMemory::close);
      link.close();
    }
    if (!failures.isEmpty()) {
      throw new TargetException(
          name()
              + ": could not be let go properly: "
              + String.join("; ", failures)
              + "; it may stand still or have breakpoints left");
    }
  }

  /** Tries each step, whatever became of those before; the last one lets the target run. */
  private void letGo(List<String> failures) {
    if (state == Live.State.RUNNING) {
      if (inserted.isEmpty() && stub.isQemu() && !leaveStopped) {
        return;
      }
      attempt(failures, powers.run::stop);
    }
    for (String place : List.copyOf(inserted)) {
      attempt(failures, () -> demand("z" + place));
    }
    attempt(failures, () -> flush().forEach(this::demand));
    attempt(failures, () -> stub.addressing(false).forEach(this::demand));
    if (!leaveStopped) {
      attempt(failures, this::detach);
    }
  }

  private void attempt(List<String> failures, Runnable step) {
    if (link.isBroken()) {
      return; // The step that broke it has said why.
    }
    try {
      step.run();
    } catch (RuntimeException e) {
      String why = e.getMessage() == null ? e.toString() : e.getMessage();
      failures.add(why.startsWith(name() + ": ") ? why.substring(name().length() + 2) : why);
    }
  }

  private void demand(String request) {
    Reply reply = link.ask(request);
    if (!reply.isOk()) {
      throw new TargetException(name() + ": " + request + " was answered by " + reply.shown());
    }
  }

  private void detach() {
    var processes = new ArrayList<Long>();
    for (ThreadId thread : threads.orElse(current.map(List::of).orElse(List.of()))) {
      if (thread.process() > 0 && !processes.contains(thread.process())) {
        processes.add(thread.process());
      }
    }
    if (!stub.detach(processes)) {
      throw new TargetException(name() + ": the stub refuses to detach");
    }
  }

  private void requireStopped(String what) {
    switch (state) {
      case STOPPED -> noteStrayStop();
      case RUNNING ->
          throw new TargetException(
              name() + ": cannot " + what + " while the target runs; stop it first");
      case GONE -> throw new TargetException(name() + ": the target is gone");
    }
    if (link.isBroken()) {
      state = Live.State.GONE;
    }
  }

  /** A stop that came between replies: somebody else let the target run, and it stopped again. */
  private void noteStrayStop() {
    Optional<Reply> stray = link.strayStop();
    if (stray.isPresent()) {
      stopped(StopReply.parse(stray.get()));
    }
  }

  private void stopped(StopReply reply) {
    forget();
    epoch++;
    if (reply.thread().isPresent()) {
      current = reply.thread();
    }
    stub.stoppedIn(reply.thread());
    state = reply.reason() instanceof Stop.Ended ? Live.State.GONE : Live.State.STOPPED;
    Stop.Reason reason = signalled(reply);
    if (!stub.isQemu() || (current.isPresent() && !lists(current.get()))) {
      threads = Optional.empty();
    }
    if (reply.thread().isPresent() && !reply.registers().isEmpty()) {
      told = Optional.of(map.registers(reply.registers()));
    }
    if (state == Live.State.STOPPED && !kgdbCpus.isEmpty()) {
      current = Optional.of(kgdbCpus.getFirst());
      lastStop = new Stop(idOfCurrent(), reason);
      findKgdbCpu();
    }
    lastStop = new Stop(idOfCurrent(), reason);
    if (reply.reason() instanceof Stop.Trap && !stub.isQemu() && !stub.has("swbreak")) {
      backToTheBreakpoint();
    }
  }

  /**
   * Stubs that do not say that they care for it ({@code swbreak}, such as KGDB) leave the CPU where
   * int3 does: behind the byte, in the middle of the instruction that was there.
   */
  private void backToTheBreakpoint() {
    int cpu = idOfCurrent();
    boolean stepped = stepping.isPresent() && stepping.get().cpu() == cpu;
    OptionalLong pc =
        hasBreakpoints() && map.architecture().equals("x86_64")
            ? cpu(cpu).map(c -> c.registers().pc()).orElse(OptionalLong.empty())
            : OptionalLong.empty();
    if (pc.isEmpty() || !isBreakpoint(Breakpoints.Kind.SOFTWARE, pc.getAsLong() - 1)) {
      return;
    }
    // A step that came here from elsewhere, and a debug register, trap without int3.
    boolean byInt3 =
        stepped
            ? stepping.get().from().equals(OptionalLong.of(pc.getAsLong() - 1))
            : !isBreakpoint(Breakpoints.Kind.HARDWARE, pc.getAsLong())
                && (!kgdbCpus.isEmpty()
                    || !isBreakpoint(Breakpoints.Kind.SOFTWARE, pc.getAsLong()));
    if (byInt3) {
      powers.registerWriter.write(cpu, X86_64.RIP, pc.getAsLong() - 1);
    }
  }

  private boolean hasBreakpoints() {
    return inserted.stream().anyMatch(place -> place.startsWith("0,"));
  }

  private boolean isBreakpoint(Breakpoints.Kind kind, long address) {
    return inserted.contains(Places.place(kind, address, 1));
  }

  /**
   * The reason of a stop, with a process's signal by the system's number. The process gets it when
   * it goes on, but for an interrupt, which a debugger asks for more often than a user.
   */
  private Stop.Reason signalled(StopReply reply) {
    if (!(reply.reason() instanceof Stop.Signal(int number))
        || number == 0
        || number == SignalNumbers.INTERRUPT
        || reply.thread().isEmpty()
        || process().isEmpty()) {
      return reply.reason();
    }
    undelivered.put(id(reply.thread().get()), number);
    OptionalInt own = SignalNumbers.toLinux(number);
    return own.isPresent() ? new Stop.Signal(own.getAsInt()) : reply.reason();
  }

  /** How all threads go on, those that were stopped by a signal with it. */
  private String onwards() {
    if (!stub.resumesThreads()) {
      return "c";
    }
    var actions = new StringBuilder("vCont");
    undelivered.forEach(
        (cpu, number) ->
            threadOf(cpu)
                .filter(_ -> stub.resumesWithSignals())
                .ifPresent(thread -> actions.append(";C%02x:%s".formatted(number, thread.text()))));
    undelivered.clear();
    return actions.append(";c").toString();
  }

  private boolean lists(ThreadId wanted) {
    for (ThreadId thread : threads.orElse(List.of())) {
      if (thread.same(wanted)) {
        return true;
      }
    }
    return false;
  }

  private void forget() {
    states.clear();
    told = Optional.empty();
    tables = Map.of();
    tablesKnown = false;
    virtual.forget();
    physical.ifPresent(StubMemory::forget);
  }

  /** The requests that bring written registers to the stub. */
  private List<String> flush() {
    var requests = new ArrayList<String>();
    for (State cpu : states.values()) {
      if (!cpu.written.isEmpty()) {
        requests.addAll(stub.select(named(cpu.thread)));
        if (writeForm == WriteForm.ALL) {
          requests.add("G" + cpu.raw.encode());
        } else {
          for (RegisterMap.Slot slot : cpu.written) {
            requests.add(one(cpu, slot));
          }
        }
        cpu.written.clear();
      }
    }
    return requests;
  }

  private static String one(State cpu, RegisterMap.Slot slot) {
    return "P" + Integer.toHexString(slot.entry().number()) + "=" + Hex.encode(cpu.raw.bytes(slot));
  }

  private void release(List<String> before, String last) {
    stoppedToLook = false;
    stepping = Optional.empty();
    link.atOnce(
        () -> {
          link.release(before, last);
          state = Live.State.RUNNING;
          return true;
        });
    epoch++;
    forget();
  }

  private final class Physical implements PhysicalMemory {
    private final StubMemory memory;

    Physical(StubMemory memory) {
      this.memory = memory;
    }

    @Override
    public String name() {
      return "physical";
    }

    @Override
    public Layout layout() {
      return new Layout(map.order(), 8);
    }

    @Override
    public List<Range> ranges() {
      return ram;
    }

    /** Outside of RAM QEMU would answer with zeros, or touch a device. */
    @Override
    public int read(long address, MemorySegment into) {
      requireStopped("read memory");
      int done = 0;
      while (done < into.byteSize()) {
        Optional<Range> range = rangeOf(address + done);
        if (range.isEmpty()) {
          break;
        }
        long count = Math.min(into.byteSize() - done, range.get().end() - (address + done));
        int got = memory.read(address + done, into.asSlice(done, count));
        done += got;
        if (got < count) {
          break;
        }
      }
      return done;
    }

    @Override
    public Readability at(long address) {
      return rangeOf(address).isPresent() ? Readability.READABLE : Readability.UNMAPPED;
    }

    private Optional<Range> rangeOf(long address) {
      for (Range range : ram) {
        if (range.contains(address)) {
          return Optional.of(range);
        }
      }
      return Optional.empty();
    }
  }

  private final class Virtual implements VirtualMemory {
    @Override
    public String name() {
      return "virtual";
    }

    @Override
    public Layout layout() {
      return new Layout(map.order(), 8);
    }

    @Override
    public List<Segment> segments() {
      return List.of();
    }

    @Override
    public int read(long address, MemorySegment into) {
      requireStopped("read memory");
      return virtual.read(address, into);
    }

    @Override
    public Readability at(long address) {
      requireStopped("read memory");
      return virtual.at(address);
    }
  }

  /** The capabilities that act. */
  private final class Powers {
    private final Alive live = new Alive();
    private final Run run = new Run();
    private final Look look = new Look();
    private final Places breakpoints = new Places();
    private final Writer memoryWriter = new Writer();
    private final Setter registerWriter = new Setter();
    private final Keeper keeper = new Keeper();
    private final Floating floating = new Floating();
    private final Raw rawRegisters = new Raw();
  }

  private final class Alive implements Live {
    @Override
    public State state() {
      if (state == State.RUNNING) {
        powers.run.await(Duration.ZERO);
      }
      if (link.isBroken() || (direct.isPresent() && direct.get().ended())) {
        state = State.GONE;
      }
      return state;
    }

    @Override
    public long epoch() {
      if (state == State.STOPPED) {
        noteStrayStop();
      }
      return epoch;
    }

    @Override
    public boolean stopsToLook() {
      return true;
    }

    /** Stops the target, which cannot be read while it runs. */
    @Override
    public void look() {
      if (state() == State.RUNNING) {
        powers.run.stop();
        // What stopped by itself at the same moment is a stop that somebody waits for.
        stoppedToLook = inserted.isEmpty() || lastStop.reason() instanceof Stop.Signal;
      } else {
        requireStopped("look");
      }
    }

    @Override
    public void rest() {
      if (stoppedToLook && state == State.STOPPED) {
        powers.run.resume();
      }
    }
  }

  private final class Run implements RunControl {
    @Override
    public void stop() {
      if (state != Live.State.RUNNING) {
        requireStopped("stop");
        stoppedToLook = false; // Now somebody wants it stopped.
        return;
      }
      if (await(Duration.ZERO).isPresent()) {
        return;
      }
      link.interrupt();
      if (await(timeout).isEmpty()) {
        throw new TargetException(name() + ": did not stop within " + timeout.toMillis() + " ms");
      }
    }

    @Override
    public void resume() {
      requireStopped("resume");
      var before = new ArrayList<String>(flush());
      if (!stub.resumesThreads()) {
        before.add("Hc-1");
      }
      release(before, onwards());
    }

    @Override
    public void step(int cpu, boolean others, boolean interrupts) {
      requireStopped("step");
      var known = states.containsKey(cpu) ? Optional.of(cpuOf(cpu).registers()) : told(cpu);
      var from = known.map(Registers::pc).orElse(OptionalLong.empty());
      ThreadId thread =
          threadOf(cpu).orElseThrow(() -> new TargetException(name() + ": no CPU " + cpu));
      var before = new ArrayList<String>(flush());
      int flags = interrupts ? 1 : 7;
      if (stub.hasStepFlags() && flags != stepFlags) {
        before.add("Qqemu.sstep=" + Integer.toHexString(flags));
        stepFlags = flags;
      }
      if (stub.resumesThreads()) {
        String which = thread.thread() == 0 ? "" : ":" + thread.text();
        release(before, "vCont;s" + which + (others && !which.isEmpty() ? ";c" : ""));
      } else {
        if (thread.thread() != 0) {
          before.add("Hc" + thread.text());
        }
        release(before, "s");
      }
      stepping = Optional.of(new Stepping(cpu, from));
    }

    @Override
    public Optional<Stop> await(Duration wait) {
      if (state == Live.State.STOPPED) {
        return Optional.of(lastStop);
      }
      if (state == Live.State.GONE) {
        if (lastStop.reason() instanceof Stop.Ended) {
          return Optional.of(lastStop);
        }
        throw new TargetException(name() + ": the target is gone");
      }
      Optional<Reply> reply;
      try {
        reply = link.awaitStop(System.nanoTime() + wait.toNanos());
      } catch (dev.fathom.base.FathomException e) {
        if (link.isBroken()) {
          state = Live.State.GONE;
        }
        throw e;
      }
      if (reply.isEmpty()) {
        return Optional.empty();
      }
      stopped(StopReply.parse(reply.get()));
      Optional<String> refused = link.refusal();
      if (refused.isPresent()) {
        throw new TargetException(name() + ": the target ran although " + refused.get());
      }
      return Optional.of(lastStop);
    }

    @Override
    public Optional<Registers> told(int cpu) {
      requireStopped("read registers");
      return current.isPresent() && id(current.get()) == cpu ? told : Optional.empty();
    }

    @Override
    public boolean leaveStopped() {
      return leaveStopped;
    }

    @Override
    public void leaveStopped(boolean stopped) {
      leaveStopped = stopped;
    }
  }

  /** Of QEMU, whose threads are its CPUs: the registers are asked for with the byte that stops. */
  private final class Look implements Glimpse {
    private boolean rehearsed;

    @Override
    public <T> Optional<T> glimpse(Function<List<Cpu>, T> look) {
      if (state != Live.State.RUNNING || powers.run.await(Duration.ZERO).isPresent()) {
        return Optional.empty();
      }
      if (threads.isEmpty()) { // Nobody asked for them while it stood still.
        powers.run.stop();
        threads();
        powers.run.resume();
      }
      List<ThreadId> all = threads();
      var requests = new ArrayList<String>();
      for (ThreadId thread : all) {
        requests.add("Hg" + thread.text());
        requests.add("g");
      }
      List<Reply> replies = link.interruptAndAsk(requests);
      Optional<Reply> told = link.strayStop();
      if (told.isEmpty()) {
        throw new TargetException(name() + ": answers without having stopped");
      }
      stopped(StopReply.parse(told.get()));
      if (!(lastStop.reason() instanceof Stop.Signal)) {
        stub.unsettled();
        return Optional.empty(); // It came to a breakpoint first.
      }
      Optional<T> result;
      try {
        stub.stoppedIn(Optional.of(all.getLast())); // The one that is selected now.
        result = Optional.of(look.apply(cpus(all, requests, replies)));
      } finally {
        powers.run.resume();
      }
      rehearse(all, replies);
      return result;
    }

    private List<Cpu> cpus(List<ThreadId> all, List<String> requests, List<Reply> replies) {
      take(all, requests, replies);
      return known(all);
    }

    /** Takes registers out of replies, so that this is compiled at the next stop. */
    private void rehearse(List<ThreadId> all, List<Reply> replies) {
      for (int i = 0; i < REHEARSALS / all.size() && !rehearsed; i++) {
        for (int each = 0; each < all.size(); each++) {
          keep(all.get(each), replies.get(2 * each + 1));
        }
        known(all);
      }
      rehearsed = true;
      states.clear();
    }
  }

  private final class Places implements Breakpoints {
    @Override
    public boolean insert(Kind kind, long address, int length) {
      requireStopped("set a breakpoint");
      String place = place(kind, address, length);
      Reply reply =
          link.atOnce(
              () -> {
                Reply told = link.ask("Z" + place);
                if (told.isOk()) {
                  inserted.add(place);
                }
                return told;
              });
      if (reply.isOk()) {
        return true;
      }
      if (reply.isError() && kind == Kind.SOFTWARE) {
        throw new TargetException(
            name() + ": no breakpoint at 0x" + Long.toHexString(address) + ": " + reply.text());
      }
      return false;
    }

    @Override
    public void remove(Kind kind, long address, int length) {
      requireStopped("remove a breakpoint");
      String place = place(kind, address, length);
      Reply reply =
          link.atOnce(
              () -> {
                Reply told = link.ask("z" + place);
                inserted.remove(place);
                return told;
              });
      if (!reply.isOk()) {
        throw new TargetException(
            name()
                + ": the breakpoint at 0x"
                + Long.toHexString(address)
                + " could not be removed: "
                + reply.shown());
      }
    }

    private static String place(Kind kind, long address, int length) {
      int number =
          switch (kind) {
            case SOFTWARE -> 0;
            case HARDWARE -> 1;
            case WRITE -> 2;
            case READ -> 3;
            case ACCESS -> 4;
          };
      return number + "," + Long.toHexString(address) + "," + Integer.toHexString(length);
    }
  }

  private final class Writer implements MemoryWriter {
    @Override
    public boolean writes(Space space) {
      return space == Space.VIRTUAL || physical.isPresent();
    }

    @Override
    public void write(Space space, long address, MemorySegment bytes) {
      requireStopped("write memory");
      boolean isPhysical = space == Space.PHYSICAL;
      if (isPhysical && physical.isEmpty()) {
        throw new TargetException(name() + ": the stub takes no physical addresses");
      }
      try {
        if (isPhysical) {
          physical.orElseThrow().write(address, bytes, "physical", Optional.empty());
        } else {
          // Who stores for a CPU writes its registers next, and those go all together.
          boolean registers =
              writeForm == WriteForm.ALL
                  && told.isPresent()
                  && !states.containsKey(idOfCurrent())
                  && stub.select(current).isEmpty();
          virtual
              .write(address, bytes, "virtual", registers ? Optional.of("g") : Optional.empty())
              .ifPresent(reply -> keep(current.orElseThrow(), reply));
        }
      } finally {
        epoch++;
        virtual.forget();
        physical.ifPresent(StubMemory::forget);
      }
    }
  }

  private final class Setter implements RegisterWriter {
    @Override
    public void write(int cpu, Register register, long value) {
      State state = loaded(cpu, "write a register");
      RegisterMap.Slot slot =
          map.slotOf(register)
              .filter(state.raw::has)
              .orElseThrow(
                  () -> new UnsupportedException(name() + ": cannot write " + register.name()));
      write(state, slot, map.encode(slot, value), register.name());
    }

    private void write(State state, RegisterMap.Slot slot, byte[] value, String what) {
      if (writeForm == WriteForm.NONE) {
        throw new UnsupportedException(name() + ": the stub lets no registers be written");
      }
      told = Optional.empty();
      byte[] before = state.raw.bytes(slot);
      state.raw.set(slot, value);
      if (writeForm == WriteForm.UNKNOWN) {
        first(state, slot, before, what);
      } else {
        state.written.add(slot);
      }
      state.registers = Optional.empty();
      epoch++;
      virtual.forget();
    }

    @Override
    public void settle() {
      requireStopped("write a register");
      List<String> requests = flush();
      // Whatever becomes of them: the stub is asked what it has now.
      states.clear();
      told = Optional.empty();
      requests.forEach(GdbTarget.this::demand);
    }

    /** The first write goes out at once and tells which form the stub takes. */
    private void first(State state, RegisterMap.Slot slot, byte[] before, String what) {
      List<String> select = stub.select(named(state.thread));
      Reply reply = stub.ask(select, List.of(one(state, slot))).getFirst();
      if (reply.isOk()) {
        writeForm = WriteForm.ONE;
        return;
      }
      boolean unknown = reply.isUnknown();
      if (unknown) {
        reply = link.ask("G" + state.raw.encode());
        if (reply.isOk()) {
          writeForm = WriteForm.ALL;
          return;
        }
        writeForm = WriteForm.NONE;
      }
      state.raw.set(slot, before);
      throw new UnsupportedException(
          name() + ": " + what + " cannot be written: the stub answered " + reply.shown());
    }
  }

  /** A CPU's registers. */
  private State loaded(int cpu, String what) {
    requireStopped(what);
    threadOf(cpu).ifPresent(thread -> load(List.of(thread)));
    State state = states.get(cpu);
    if (state == null) {
      throw new TargetException(name() + ": no CPU " + cpu);
    }
    return state;
  }

  /** As gdb's features {@code org.gnu.gdb.i386.core} and {@code .sse} name them. */
  private final class Floating implements FloatingRegisters {
    private RegisterMap.Slot slot(State state, String name, int bytes) {
      return map.slots().stream()
          .filter(slot -> slot.entry().name().equals(name) && slot.entry().bits() == 8 * bytes)
          .filter(state.raw::has)
          .findFirst()
          .orElseThrow(
              () -> new UnsupportedException(name() + ": the stub does not tell of " + name));
    }

    @Override
    public byte[] vector(int cpu, int number) {
      State state = loaded(cpu, "read registers");
      return state.raw.bytes(slot(state, "xmm" + number, VECTOR_BYTES));
    }

    @Override
    public void setVector(int cpu, int number, byte[] bytes) {
      State state = loaded(cpu, "write registers");
      String name = "xmm" + number;
      powers.registerWriter.write(state, slot(state, name, VECTOR_BYTES), bytes, name);
    }

    @Override
    public byte[] floating(int cpu, int number) {
      State state = loaded(cpu, "read registers");
      return state.raw.bytes(slot(state, "st" + number, FLOATING_BYTES));
    }
  }

  private final class Keeper implements RegisterKeeper {
    @Override
    public Kept keep(int cpu) {
      State kept = loaded(cpu, "keep registers");
      var all = new ArrayList<String>();
      for (RegisterMap.Slot slot : map.slots()) {
        if (kept.raw.has(slot)) {
          all.add(one(kept, slot));
        }
      }
      Optional<Integer> signal = Optional.ofNullable(undelivered.remove(cpu));
      return new Kept(cpu, kept.thread, "G" + kept.raw.encode(), List.copyOf(all), signal);
    }

    private static boolean isFault(int number) {
      OptionalInt own = SignalNumbers.toLinux(number);
      return own.isPresent() && SignalNames.isOwn(own.getAsInt());
    }

    /** All at once where the stub takes that, else one by one. */
    private final class Kept implements RegisterKeeper.Kept {
      private final int cpu;
      private final ThreadId thread;
      private final String whole;
      private final List<String> all;
      private final Optional<Integer> signal;

      Kept(int cpu, ThreadId thread, String whole, List<String> all, Optional<Integer> signal) {
        this.cpu = cpu;
        this.thread = thread;
        this.whole = whole;
        this.all = all;
        this.signal = signal;
      }

      @Override
      public void putBack() {
        requireStopped("put registers back");
        if (threadOf(cpu).isEmpty()) {
          throw new TargetException(name() + ": no CPU " + cpu);
        }
        // A signal that came meanwhile from elsewhere comes now; a fault was the function's.
        undelivered.computeIfPresent(cpu, (_, number) -> isFault(number) ? null : number);
        signal.ifPresent(number -> undelivered.put(cpu, number));
        states.remove(cpu); // What was written meanwhile is not wanted any more.
        told = Optional.empty();
        epoch++;
        virtual.forget();
        Reply reply = stub.ask(stub.select(named(thread)), List.of(whole)).getFirst();
        if (!reply.isOk()) {
          all.forEach(GdbTarget.this::demand);
        }
      }
    }
  }

  private final class Raw implements RawRegisters {
    @Override
    public List<RawRegisters.Raw> registers(int cpu) {
      if (GdbTarget.this.cpu(cpu).isEmpty()) {
        throw new TargetException(name() + ": no CPU " + cpu);
      }
      State state = states.get(cpu);
      var all = new ArrayList<RawRegisters.Raw>();
      for (RegisterMap.Slot slot : map.slots()) {
        if (state.raw.has(slot)) {
          byte[] value = state.raw.bytes(slot);
          if (map.order() == java.nio.ByteOrder.BIG_ENDIAN) {
            reverse(value);
          }
          all.add(
              new RawRegisters.Raw(
                  slot.entry().name(), slot.entry().bits(), slot.entry().type(), value));
        }
      }
      return List.copyOf(all);
    }

    private static void reverse(byte[] value) {
      for (int i = 0, j = value.length - 1; i < j; i++, j--) {
        byte b = value[i];
        value[i] = value[j];
        value[j] = b;
      }
    }
  }

  /**
   * A CPU's step.
   *
   * @param from where it began, if that was known
   */
  private record Stepping(int cpu, OptionalLong from) {}
}
