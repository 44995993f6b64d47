// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Register;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Capability;
import dev.fathom.target.CheckedMemory;
import dev.fathom.target.Cpu;
import dev.fathom.target.FloatingRegisters;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.OpenFile;
import dev.fathom.target.ProcessTracer;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RawRegisters;
import dev.fathom.target.RegisterKeeper;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.SignalControl;
import dev.fathom.target.Stop;
import dev.fathom.target.SystemCalls;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import dev.fathom.target.VirtualMemory;
import dev.fathom.target.local.ExtendedRegisters;
import dev.fathom.target.local.ProcFiles;
import dev.fathom.target.local.ProcMemory;
import dev.fathom.target.local.UserRegisters;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * A process of this host. It is looked at while it runs, and traced only from the first time on
 * that it is to be stopped; then it is all of its threads that stop and run together.
 */
final class ProcessTarget implements Target {
  /** How long letting go may take from another thread, while this one waits for a stop. */
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(15);

  private final String name;
  private final ProcFiles files;
  private final UserRegisters layout;
  private final OptionalLong started;
  private final Optional<ProcessTracer> tracer;
  private final Optional<Path> program;
  private final ProcMemory memory;
  private final ProcessMemory virtual = new ProcessMemory(this);
  private final Powers powers = new Powers();
  private volatile Optional<TargetException> failed = Optional.empty();
  private final Set<Integer> passed = ConcurrentHashMap.newKeySet();
  private final List<String> warnings = new ArrayList<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile Optional<TracedProcess> traced = Optional.empty();
  private volatile Optional<TracerThread> thread = Optional.empty();
  private volatile Optional<Boolean> shadowed = Optional.empty();
  private volatile boolean gone;
  private volatile boolean leaveStopped;
  private volatile long epoch;
  private volatile Optional<Stop> waiting = Optional.empty();

  /**
   * @param name the address as the user gave it
   * @param tracer where this machine has one, and it is to be used
   * @param program the file that is taken for the process's program
   */
  ProcessTarget(
      String name,
      ProcFiles files,
      UserRegisters layout,
      Optional<ProcessTracer> tracer,
      Optional<Path> program) {
    this.name = name;
    this.files = files;
    this.layout = layout;
    this.tracer = tracer;
    this.program = program;
    this.started =
        files.stat().flatMap(stat -> boxed(stat.start())).stream()
            .mapToLong(Long::longValue)
            .findFirst();
    this.memory = ProcMemory.open(files.pid());
    passed.addAll(Signals.QUIET);
  }

  /**
   * Takes over a program that {@code owner} has started, and lets it run to where it begins.
   *
   * @throws TargetException when it does not come there; it is killed then
   */
  void takeOver(TracerThread owner, ProcessTracer ptrace) {
    owner.careWith(this::care);
    thread = Optional.of(owner);
    try {
      owner.ask(
          () -> {
            var process = new TracedProcess(ptrace, files, layout, passed);
            traced = Optional.of(process);
            process.begin();
            return true;
          });
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private static Optional<Long> boxed(OptionalLong value) {
    return value.isPresent() ? Optional.of(value.getAsLong()) : Optional.empty();
  }

  long process() {
    return files.pid();
  }

  Optional<TracedProcess> traced() {
    return traced;
  }

  ProcMemory bytes() {
    var current = traced;
    return current.isPresent() ? current.get().memory() : memory;
  }

  @Override
  public TargetInfo info() {
    var facts = new ArrayList<Datum.Field>();
    facts.add(new Datum.Field("pid", "pid", Cell.decimal(files.pid())));
    files
        .program()
        .ifPresent(it -> facts.add(new Datum.Field("program", "program", Cell.text(it))));
    facts.add(new Datum.Field("threads", "threads", Cell.decimal(files.threads().size())));
    return new TargetInfo(
        "live process",
        name,
        traced.isPresent() ? "process, traced" : "process",
        architecture(),
        List.copyOf(facts));
  }

  @Override
  public String architecture() {
    return layout.architecture().name();
  }

  @Override
  public List<Cpu> cpus() {
    var cpus = new ArrayList<Cpu>();
    for (int id : files.threads()) {
      cpu(id).ifPresent(cpus::add);
    }
    return List.copyOf(cpus);
  }

  /**
   * {@inheritDoc} Of a thread that runs untraced and waits in a system call the kernel tells the
   * stack pointer, the pc and the call's arguments.
   */
  @Override
  public Optional<Cpu> cpu(int id) {
    if (isStopped()) {
      var registers = ask(process -> process.registers(id));
      if (registers.isPresent()) {
        return Optional.of(new Cpu(id, registers.get(), "ptrace"));
      }
    }
    return files.hasThread(id)
        ? Optional.of(new Cpu(id, files.waiting(id, layout), "/proc"))
        : Optional.empty();
  }

  private boolean isStopped() {
    return powers.state() == Live.State.STOPPED;
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    if (capability == VirtualMemory.class) {
      return Optional.of(capability.cast(virtual));
    }
    if (capability == ProcessView.class) {
      return Optional.of(capability.cast(powers.view));
    }
    if (capability == Live.class) {
      return Optional.of(capability.cast(powers.live));
    }
    if (tracer.isEmpty()) {
      return Optional.empty();
    }
    if (capability == RunControl.class) {
      return Optional.of(capability.cast(powers.run));
    }
    if (capability == Breakpoints.class) {
      return Optional.of(capability.cast(powers.breakpoints));
    }
    if (capability == MemoryWriter.class) {
      return Optional.of(capability.cast(powers.memoryWriter));
    }
    if (capability == RegisterWriter.class) {
      return Optional.of(capability.cast(powers.registerWriter));
    }
    if (capability == RegisterKeeper.class) {
      return Optional.of(capability.cast(powers.keeper));
    }
    if (capability == FloatingRegisters.class && layout.architecture() == X86_64.INSTANCE) {
      return Optional.of(capability.cast(powers.floating));
    }
    if (capability == RawRegisters.class && layout.architecture() == X86_64.INSTANCE) {
      return Optional.of(capability.cast(powers.raws));
    }
    if (capability == SystemCalls.class) {
      return Optional.of(capability.cast(powers.calls));
    }
    if (capability == CheckedMemory.class) {
      return shadowed() ? Optional.empty() : Optional.of(capability.cast(powers.checked));
    }
    return capability == SignalControl.class
        ? Optional.of(capability.cast(powers.signals))
        : Optional.empty();
  }

  private boolean shadowed() {
    if (shadowed.isEmpty()) {
      shadowed = Optional.of(files.hasShadowStack());
    }
    return shadowed.get();
  }

  @Override
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  // Tracing

  private interface Work<T> {
    T with(TracedProcess process);
  }

  private <T> T ask(Work<T> work) {
    var process = traced.orElseThrow(() -> new TargetException(name + ": is not traced"));
    return thread.orElseThrow().ask(() -> work.with(process));
  }

  private void order(java.util.function.Consumer<TracedProcess> work) {
    boolean done =
        ask(
            process -> {
              work.accept(process);
              return true;
            });
    if (!done) {
      throw new IllegalStateException("work was not done");
    }
  }

  /** Attaches to the process and stops it. */
  private void begin() {
    var ptrace = tracer.orElseThrow();
    var owner = new TracerThread("trace " + files.pid(), ptrace);
    owner.careWith(this::care);
    thread = Optional.of(owner);
    try {
      traced =
          Optional.of(
              owner.ask(
                  () -> {
                    var process = new TracedProcess(ptrace, files, layout, passed);
                    process.attach();
                    return process;
                  }));
    } catch (RuntimeException | Error e) {
      owner.end();
      thread = Optional.empty();
      throw e;
    }
  }

  /** On the tracing thread, between what it is asked: a stop that nobody waits for is kept. */
  private void care() {
    var process = traced;
    if (process.isPresent() && waiting.isEmpty()) {
      try {
        keep(process.get().care());
      } catch (TargetException e) {
        failed = Optional.of(e);
      }
    }
  }

  private void keep(Optional<Stop> stop) {
    if (stop.isPresent()) {
      waiting = stop;
      thread.ifPresent(owner -> owner.caring(false));
    }
  }

  private void ran() {
    epoch++;
  }

  private void requireStopped(String what) {
    switch (powers.state()) {
      case STOPPED -> {}
      case RUNNING -> throw new TargetException(name + ": stop the process to " + what);
      case GONE -> throw new TargetException(name + ": the process has ended");
    }
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try {
      var process = traced;
      if (process.isPresent()) {
        detach(process.get());
      }
    } finally {
      gone = true;
      thread.ifPresent(TracerThread::end);
      memory.close();
    }
  }

  /** What the tracing thread is at, such as output that nobody reads, can take for ever. */
  private void detach(TracedProcess process) {
    try {
      thread
          .orElseThrow()
          .ask(
              () -> {
                process.detach(leaveStopped);
                process.close();
                return true;
              },
              CLOSE_LIMIT);
    } catch (TargetException e) {
      if (!process.hasEnded()) {
        process.restoreAll();
      }
      throw e;
    }
  }

  /** The powers, each for itself because their methods have like names. */
  private final class Powers {
    private final View view = new View();
    private final Alive live = new Alive();
    private final Run run = new Run();
    private final Points breakpoints = new Points();
    private final Poke memoryWriter = new Poke();
    private final PokeRegisters registerWriter = new PokeRegisters();
    private final Keeper keeper = new Keeper();
    private final Floating floating = new Floating();
    private final Raws raws = new Raws();
    private final SignalTable signals = new SignalTable();
    private final Calls calls = new Calls();
    private final Checked checked = new Checked();

    Live.State state() {
      return live.state();
    }
  }

  private final class Alive implements Live {
    @Override
    public State state() {
      if (gone) {
        return State.GONE;
      }
      var process = traced;
      if (process.isPresent()) {
        return process.get().hasEnded()
            ? State.GONE
            : process.get().isRunning() ? State.RUNNING : State.STOPPED;
      }
      return lives() ? State.RUNNING : State.GONE;
    }

    /** Whether there still is the process that was attached to, and not another of its number. */
    private boolean lives() {
      var stat = files.stat();
      return stat.isPresent()
          && stat.get().state() != 'Z'
          && stat.get().state() != 'X'
          && stat.get().start().equals(started);
    }

    @Override
    public long epoch() {
      return epoch;
    }

    @Override
    public void look() {
      if (failed.isPresent()) {
        var failure = failed.get();
        failed = Optional.empty();
        throw failure;
      }
      // How it ended can still be asked, and nothing else of it.
      if (state() == State.GONE && traced.flatMap(TracedProcess::ending).isEmpty()) {
        throw new TargetException(name + ": the process has ended");
      }
    }
  }

  private final class Run implements RunControl {
    @Override
    public void stop() {
      if (powers.state() == Live.State.GONE) {
        throw new TargetException(name + ": the process has ended");
      }
      if (traced.isEmpty()) {
        begin();
        ran();
        return;
      }
      if (powers.state() == Live.State.RUNNING) {
        order(TracedProcess::stop);
        thread.orElseThrow().caring(false);
        ran();
      }
      // Where nobody was told of it yet, whoever stood at a breakpoint comes to it again.
      order(_ -> waiting = waiting.filter(stop -> !(stop.reason() instanceof Stop.Trap)));
    }

    @Override
    public void resume() {
      requireStopped("let it go on");
      ran();
      if (waiting.isEmpty()) {
        order(TracedProcess::resume);
        thread.orElseThrow().caring(true);
      }
    }

    @Override
    public void step(int cpu, boolean others, boolean interrupts) {
      requireStopped("step it");
      ran();
      order(process -> process.step(cpu, others, interrupts));
      thread.orElseThrow().caring(true);
    }

    @Override
    public Optional<Stop> await(Duration timeout) {
      if (traced.isEmpty()) {
        return Optional.empty();
      }
      var stop =
          ask(
              process -> {
                var kept = waiting;
                waiting = Optional.empty();
                return kept.isPresent() ? kept : process.await(timeout);
              });
      if (stop.isPresent()) {
        thread.orElseThrow().caring(false);
        ran();
        ask(TracedProcess::takeFailure).ifPresent(warnings::add);
      }
      return stop;
    }

    @Override
    public <T> T nearStops(Supplier<T> work) {
      var owner = thread;
      return owner.isPresent() ? owner.get().ask(work::get) : work.get();
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

  private final class Points implements Breakpoints {
    @Override
    public boolean insert(Kind kind, long address, int length) {
      requireStopped("set breakpoints");
      return ask(process -> process.insert(kind, address, length));
    }

    @Override
    public void require(Kind kind) {
      if (kind != Kind.SOFTWARE && layout.architecture() == X86_64.INSTANCE) {
        order(TracedProcess::requireTraps);
      }
    }

    @Override
    public void remove(Kind kind, long address, int length) {
      requireStopped("remove breakpoints");
      order(process -> process.remove(kind, address, length));
    }
  }

  private final class Poke implements MemoryWriter {
    @Override
    public boolean writes(Space space) {
      return space == Space.VIRTUAL;
    }

    @Override
    public void write(Space space, long address, MemorySegment bytes) {
      if (space != Space.VIRTUAL) {
        throw new UnsupportedException("a process has no physical addresses");
      }
      ran();
      boolean good =
          traced.isPresent()
              ? ask(process -> process.write(address, bytes))
              : memory.write(address, bytes);
      if (!good) {
        throw new FaultException(virtual.name(), address, Readability.UNMAPPED);
      }
    }
  }

  private final class PokeRegisters implements RegisterWriter {
    @Override
    public void write(int cpu, Register register, long value) {
      requireStopped("write registers");
      ran();
      if (!ask(process -> process.set(cpu, register, value))) {
        if (ask(process -> process.registers(cpu)).isEmpty()) {
          throw new TargetException(name + ": thread " + cpu + " is not there, or does not stop");
        }
        throw new UnsupportedException(
            name + ": " + register.name() + " of thread " + cpu + " cannot be written");
      }
    }

    /** What is written is in the thread when it goes on; here it is put there at once. */
    @Override
    public void settle() {
      order(TracedProcess::settleAll);
    }
  }

  private final class Keeper implements RegisterKeeper {
    @Override
    public Kept keep(int cpu) {
      requireStopped("keep registers");
      var back = ask(process -> process.keep(cpu));
      return () -> {
        requireStopped("put registers back");
        ran();
        if (!ask(_ -> back.getAsBoolean())) {
          throw new TargetException(name + ": registers of thread " + cpu + " cannot be put back");
        }
      };
    }
  }

  private final class Floating implements FloatingRegisters {
    private ExtendedRegisters all(int cpu) {
      return ask(process -> process.floating(cpu))
          .map(ExtendedRegisters::new)
          .orElseThrow(
              () ->
                  new TargetException(
                      name + ": thread " + cpu + " is not there, or does not stop"));
    }

    @Override
    public byte[] vector(int cpu, int number) {
      requireStopped("read registers");
      return all(cpu).vector(number);
    }

    @Override
    public void setVector(int cpu, int number, byte[] bytes) {
      requireStopped("write registers");
      ran();
      var all = all(cpu);
      all.setVector(number, bytes);
      if (!ask(process -> process.setFloating(cpu, all.area()))) {
        throw new TargetException(name + ": xmm" + number + " of thread " + cpu + " is not taken");
      }
    }

    @Override
    public byte[] floating(int cpu, int number) {
      requireStopped("read registers");
      return all(cpu).floating(number);
    }
  }

  private final class Raws implements RawRegisters {
    @Override
    public List<Raw> registers(int cpu) {
      requireStopped("read registers");
      return ask(process -> process.extended(cpu))
          .map(area -> new ExtendedRegisters(area).all())
          .orElseThrow(
              () ->
                  new TargetException(
                      name + ": thread " + cpu + " is not there, or does not stop"));
    }
  }

  private final class Calls implements SystemCalls {
    @Override
    public void watch(Set<Long> numbers) {
      requireStopped("watch system calls");
      order(process -> process.watch(numbers));
    }
  }

  private final class Checked implements CheckedMemory {
    @Override
    public boolean read(long address, byte[] into) {
      requireStopped("read its memory as it does");
      return ask(process -> process.load(address, into));
    }

    @Override
    public boolean write(long address, byte[] bytes) {
      requireStopped("write its memory as it does");
      ran();
      return ask(process -> process.store(address, bytes));
    }
  }

  private final class SignalTable implements SignalControl {
    @Override
    public Set<Integer> passed() {
      return Set.copyOf(passed);
    }

    @Override
    public void pass(int signal, boolean at) {
      if (at) {
        passed.add(signal);
      } else {
        passed.remove(signal);
      }
    }

    @Override
    public int pending(int cpu) {
      return isStopped() ? ask(process -> process.pending(cpu)) : 0;
    }

    @Override
    public void pending(int cpu, int signal) {
      requireStopped("choose a signal");
      if (signal < 0 || signal > Signals.LAST || !ask(process -> process.pending(cpu, signal))) {
        throw new TargetException(name + ": thread " + cpu + " cannot get signal " + signal);
      }
    }
  }

  private final class View implements ProcessView {
    @Override
    public Optional<Ending> ending() {
      return traced.flatMap(TracedProcess::ending);
    }

    @Override
    public long process() {
      return files.pid();
    }

    @Override
    public OptionalLong parent() {
      return files.stat().map(ProcFiles.Stat::parent).orElse(OptionalLong.empty());
    }

    @Override
    public String name() {
      return files.stat().map(ProcFiles.Stat::name).orElse("");
    }

    @Override
    public Optional<String> program() {
      return files.program();
    }

    @Override
    public List<String> arguments() {
      return files.arguments();
    }

    @Override
    public Optional<String> directory() {
      return files.link("cwd");
    }

    @Override
    public Optional<String> root() {
      return files.link("root");
    }

    @Override
    public Optional<OpenFile> openFile(long descriptor) {
      return files.openFile(descriptor);
    }

    @Override
    public List<Mapped> mappings() {
      return files.maps();
    }

    @Override
    public List<ThreadState> threads() {
      var found = new ArrayList<ThreadState>();
      for (int id : files.threads()) {
        files.stat(id).ifPresent(stat -> found.add(thread(id, stat)));
      }
      // The first thread has the process's number, and others may have smaller ones.
      found.sort(
          java.util.Comparator.comparing((ThreadState one) -> one.id() != files.pid())
              .thenComparing(ThreadState::id));
      return List.copyOf(found);
    }

    @Override
    public Optional<ThreadState> thread(int id) {
      return files.hasThread(id) ? files.stat(id).map(stat -> thread(id, stat)) : Optional.empty();
    }

    private ThreadState thread(int id, ProcFiles.Stat stat) {
      var signal = signalInfo(id).map(SignalState::of);
      return new ThreadState(id, stat.name(), stat.state(), stat.cpu(), signal);
    }

    @Override
    public Optional<byte[]> signalInfo(int thread) {
      return isStopped() ? ask(process -> process.signalInfo(thread)) : Optional.empty();
    }

    @Override
    public Map<Long, Long> auxiliary() {
      return files.auxiliary();
    }

    @Override
    public Optional<Path> file(Mapped mapping) {
      return program.isPresent() && files.program().filter(mapping.name()::equals).isPresent()
          ? program
          : files.file(mapping);
    }
  }
}
