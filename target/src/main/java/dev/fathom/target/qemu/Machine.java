// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.model.Register;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.Glimpse;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RawRegisters;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.monitor.MonitorRegisters;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What the machine does, as QEMU's {@code query-status} and events tell it, and what can be done to
 * it: stops and resumes by {@code stop} and {@code cont}, and all that needs the gdb stub by that.
 * Once the stub is connected it stops and resumes the machine too, since it tells why the machine
 * stopped. A machine that was paused by somebody else stays paused.
 */
final class Machine {
  /** How many events are looked at in one go, so that a flood of them has an end. */
  private static final int MAX_EVENTS = 1024;

  private static final String PRINT_REGISTERS = "info registers -a";

  private final String architecture;
  private final QmpClient qmp;
  private final GuestRam ram;
  private final LazyStub stub;
  private final Alive live = new Alive();
  private final Run run = new Run();
  private final Look look = new Look();
  private final Places breakpoints = new Places();
  private final Writer memoryWriter = new Writer();
  private final Setter registerWriter = new Setter();
  private final Raw rawRegisters = new Raw();
  private volatile Live.State state;
  private long epoch;

  /** Whether it would run if nobody had stopped it through this target. */
  private volatile boolean meantToRun;

  private volatile boolean leaveStopped;

  /** Why the stub cannot be used to look, once that is known. */
  private Optional<String> noStub = Optional.empty();

  Machine(String architecture, QmpClient qmp, GuestRam ram, LazyStub stub) {
    this.architecture = architecture;
    this.qmp = qmp;
    this.ram = ram;
    this.stub = stub;
    state = ask(qmp);
    meantToRun = state == Live.State.RUNNING;
  }

  private static Live.State ask(QmpClient qmp) {
    return qmp.execute("query-status", Map.of()) instanceof Map<?, ?> status
            && Boolean.TRUE.equals(status.get("running"))
        ? Live.State.RUNNING
        : Live.State.STOPPED;
  }

  Live live() {
    return live;
  }

  /** What the user should know. */
  List<String> warnings() {
    return noStub
        .map(why -> why + ": registers are read through QEMU's monitor, which takes longer")
        .stream()
        .toList();
  }

  RunControl run() {
    return run;
  }

  /** The CPUs with their registers as the monitor prints them. */
  List<Cpu> cpus(String source) {
    return cpus(qmp.monitor(PRINT_REGISTERS), source);
  }

  private List<Cpu> cpus(String printed, String source) {
    boolean arm = architecture.equals(Aarch64.INSTANCE.name());
    return (arm ? MonitorRegisters.aarch64(printed) : MonitorRegisters.x86(printed))
        .stream().map(cpu -> new Cpu(cpu.id(), cpu.registers(), source)).toList();
  }

  <C extends Capability> Optional<C> find(Class<C> capability) {
    for (Capability each :
        List.of(live, run, look, breakpoints, memoryWriter, registerWriter, rawRegisters)) {
      if (capability.isInstance(each)) {
        return Optional.of(capability.cast(each));
      }
    }
    return Optional.empty();
  }

  /** The connected stub's power {@code capability}. */
  private <C extends Capability> Optional<C> ofStub(Class<C> capability) {
    return stub.connected().flatMap(target -> target.find(capability));
  }

  /**
   * The stub's power {@code capability}; connects to it, which is to be done only while the machine
   * is stopped.
   */
  private <C extends Capability> C needed(Class<C> capability) {
    if (live.state() != Live.State.STOPPED) {
      throw new TargetException(qmp.name() + ": the machine is not stopped");
    }
    return stub.connect()
        .find(capability)
        .orElseThrow(() -> new TargetException(qmp.name() + ": the gdb stub cannot do this"));
  }

  private void takeEvents() {
    try {
      for (int i = 0; i < MAX_EVENTS && state != Live.State.GONE; i++) {
        Optional<String> event = qmp.event(Duration.ZERO);
        if (event.isEmpty()) {
          return;
        }
        take(event.get());
      }
    } catch (FathomException _) {
      gone();
    }
  }

  private void gone() {
    if (state != Live.State.GONE) {
      state = Live.State.GONE;
      epoch++;
    }
  }

  private void take(String event) {
    switch (event) {
      case "STOP" -> {
        // With the stub, it may have stopped at a breakpoint.
        if (state == Live.State.RUNNING && stub.connected().isEmpty()) {
          meantToRun = false;
        }
        state = Live.State.STOPPED;
      }
      case "RESUME" -> {
        // With the stub, it may have been a step.
        meantToRun |= stub.connected().isEmpty();
        if (state == Live.State.STOPPED) {
          state = Live.State.RUNNING;
          epoch++;
        }
      }
      case "RESET", "DEVICE_DELETED", "MEMORY_DEVICE_SIZE_CHANGE", "ACPI_DEVICE_OST" -> {
        epoch++;
        ram.invalidate();
      }
      case "SHUTDOWN", "POWERDOWN", "GUEST_PANICKED" -> epoch++;
      default -> {}
    }
  }

  /**
   * Closes the stub, and lets the machine go on when it was stopped here and is not to stay so; for
   * the end. Where it is to stay stopped and runs, it is left running.
   */
  void release() {
    boolean goOn = meantToRun && !leaveStopped;
    boolean wasConnected = stub.connected().isPresent();
    ofStub(RunControl.class).ifPresent(control -> control.leaveStopped(!goOn));
    try {
      stub.close();
    } finally {
      if (goOn && state != Live.State.GONE && (wasConnected || state == Live.State.STOPPED)) {
        letGo();
      }
    }
  }

  private void letGo() {
    try {
      letGo(qmp);
    } catch (TargetException _) {
      try (QmpClient fresh = qmp.again()) { // The old connection may be all that is broken.
        letGo(fresh);
      }
    }
  }

  private static void letGo(QmpClient client) {
    if (ask(client) == Live.State.STOPPED) {
      client.execute("cont", Map.of());
    }
  }

  private final class Alive implements Live {
    @Override
    public State state() {
      takeEvents();
      Optional<Live> byStub = ofStub(Live.class);
      if (state == State.GONE || byStub.isEmpty()) {
        return state;
      }
      State told = byStub.get().state();
      return told == State.GONE ? withoutStub() : told;
    }

    /** The stub's connection broke: it is made anew when the stub is next needed. */
    private State withoutStub() {
      try {
        epoch += 1 + ofStub(Live.class).map(Live::epoch).orElse(0L);
        stub.drop();
        state = ask(qmp);
      } catch (FathomException _) {
        gone();
      }
      return state;
    }

    @Override
    public long epoch() {
      takeEvents();
      Optional<Live> byStub = ofStub(Live.class);
      return byStub.isEmpty() ? epoch : epoch + byStub.get().epoch();
    }

    @Override
    public void look() {
      if (state() == State.GONE) {
        throw new TargetException(qmp.name() + ": the machine is gone");
      }
      ram.forget();
    }
  }

  private final class Run implements RunControl {
    @Override
    public void stop() {
      if (live.state() != Live.State.RUNNING) {
        return;
      }
      Optional<RunControl> byStub = ofStub(RunControl.class);
      if (byStub.isPresent()) {
        byStub.get().stop();
      } else {
        qmp.execute("stop", Map.of());
        state = Live.State.STOPPED;
      }
    }

    @Override
    public void resume() {
      if (live.state() != Live.State.STOPPED) {
        return;
      }
      Optional<RunControl> byStub = ofStub(RunControl.class);
      if (byStub.isPresent()) {
        byStub.get().resume();
      } else {
        qmp.execute("cont", Map.of());
        state = Live.State.RUNNING;
        epoch++;
      }
      meantToRun = true;
    }

    @Override
    public void step(int cpu, boolean others, boolean interrupts) {
      needed(RunControl.class).step(cpu, others, interrupts);
    }

    @Override
    public Optional<Stop> await(Duration timeout) {
      Optional<RunControl> byStub = ofStub(RunControl.class);
      if (byStub.isPresent()) {
        return byStub.get().await(timeout);
      }
      long deadline = System.nanoTime() + timeout.toNanos();
      while (live.state() == Live.State.RUNNING) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return Optional.empty();
        }
        awaitEvent(Duration.ofNanos(left));
      }
      boolean ended = state == Live.State.GONE;
      return Optional.of(new Stop(0, ended ? new Stop.Ended(0) : new Stop.Signal(0)));
    }

    private void awaitEvent(Duration wait) {
      try {
        qmp.event(wait).ifPresent(Machine.this::take);
      } catch (TargetException _) {
        gone();
      }
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

  private final class Look implements Glimpse {
    /**
     * By the stub, which gives registers several times as fast as the monitor prints them; by the
     * monitor where the stub is not for us.
     */
    @Override
    public <T> Optional<T> glimpse(Function<List<Cpu>, T> look) {
      if (live.state() != Live.State.RUNNING) {
        return Optional.empty();
      }
      if (stub.connected().isEmpty() && noStub.isEmpty()) {
        connect();
      }
      Optional<Glimpse> byStub = ofStub(Glimpse.class);
      return byStub.isPresent() ? byStub.get().glimpse(look) : Optional.of(byMonitor(look));
    }

    /** That stops the machine. */
    private void connect() {
      try {
        stub.connect();
      } catch (FathomException e) {
        noStub = Optional.of(e.getMessage());
        return;
      }
      run.resume();
    }

    /** Asks for the registers in the same breath. */
    private <T> T byMonitor(Function<List<Cpu>, T> look) {
      var answers =
          qmp.executeAll(
              List.of(
                  new QmpClient.Request("stop", Map.of()),
                  new QmpClient.Request(
                      "human-monitor-command", Map.of("command-line", PRINT_REGISTERS))));
      if (answers.getFirst().error().isPresent()) {
        throw new TargetException(qmp.name() + ": stop: " + answers.getFirst().error().get());
      }
      state = Live.State.STOPPED;
      try {
        if (answers.get(1).value() instanceof String text) {
          return look.apply(cpus(text.replace("\r", ""), "QEMU"));
        }
        throw new TargetException(qmp.name() + ": " + PRINT_REGISTERS + ": no text");
      } finally {
        run.resume();
      }
    }
  }

  private final class Places implements Breakpoints {
    @Override
    public boolean insert(Kind kind, long address, int length) {
      return needed(Breakpoints.class).insert(kind, address, length);
    }

    @Override
    public void remove(Kind kind, long address, int length) {
      needed(Breakpoints.class).remove(kind, address, length);
    }
  }

  private final class Writer implements MemoryWriter {
    @Override
    public boolean writes(Space space) {
      Optional<MemoryWriter> byStub = ofStub(MemoryWriter.class);
      return byStub.isEmpty() || byStub.get().writes(space);
    }

    @Override
    public void write(Space space, long address, MemorySegment bytes) {
      needed(MemoryWriter.class).write(space, address, bytes);
    }
  }

  private final class Setter implements RegisterWriter {
    @Override
    public void write(int cpu, Register register, long value) {
      needed(RegisterWriter.class).write(cpu, register, value);
    }

    @Override
    public void settle() {
      needed(RegisterWriter.class).settle();
    }
  }

  private final class Raw implements RawRegisters {
    @Override
    public List<Raw> registers(int cpu) {
      return needed(RawRegisters.class).registers(cpu);
    }
  }
}
