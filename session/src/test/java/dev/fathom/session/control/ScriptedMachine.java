// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A machine whose CPUs come to places in the order of a script. Like QEMU it stops at once when it
 * is let go with a CPU that stands at a breakpoint.
 */
final class ScriptedMachine
    implements Target, Live, RunControl, Breakpoints, RegisterWriter, MemoryWriter {
  /** What happens next while it runs. */
  private record Visit(Stop stop, long pc, long sp, boolean always) {}

  private final Target base;
  private final Map<Integer, Registers> registers = new LinkedHashMap<>();
  private final Deque<Visit> script = new ArrayDeque<>();
  private final Set<Long> code = new LinkedHashSet<>();
  private final List<String> log = new ArrayList<>();
  private State state = State.STOPPED;
  private Optional<Stop> pending = Optional.empty();
  private Runnable atEnd = () -> {};
  private long epoch;
  private long stepTo;
  private int standing;
  private final Deque<Stop> instead = new ArrayDeque<>();
  private boolean writable;
  private boolean physical = true;
  private boolean hang;
  private boolean keeps;
  private boolean tells;
  private boolean faults;
  private Optional<RuntimeException> stepFailure = Optional.empty();

  ScriptedMachine(Target base) {
    this.base = base;
    for (var cpu : base.cpus()) {
      registers.put(cpu.id(), cpu.registers());
    }
  }

  /** A CPU comes to a place, which stops it only at a breakpoint. */
  ScriptedMachine comes(int cpu, long pc) {
    return comes(cpu, pc, registers.get(cpu).sp().orElse(0));
  }

  ScriptedMachine comes(int cpu, long pc, long sp) {
    script.add(new Visit(new Stop(cpu, new Stop.Trap()), pc, sp, false));
    return this;
  }

  /** Something stops it whatever breakpoints there are. */
  ScriptedMachine stops(Stop stop, long pc) {
    script.add(new Visit(stop, pc, 0, true));
    return this;
  }

  /** Done when the script is over and the machine runs on. */
  void atEnd(Runnable action) {
    atEnd = action;
  }

  /** Where the next step of a CPU leads. */
  void stepTo(long pc) {
    stepTo = pc;
  }

  /** The next steps of a CPU end where they began. */
  void stepsInPlace(int count) {
    standing = count;
  }

  /** What the next steps are answered by, none of which happens. */
  void stopsInsteadOfSteps(List<Stop> stops) {
    instead.addAll(stops);
  }

  void put(int cpu, long pc) {
    registers.put(cpu, registers.get(cpu).with(X86_64.RIP, pc));
  }

  void set(int cpu, Registers values) {
    registers.put(cpu, values);
  }

  Registers registers(int cpu) {
    return registers.get(cpu);
  }

  /** Memory can be written from now on; what is written is only logged. */
  void writable() {
    writable = true;
  }

  /** Tells the program counter and the stack pointer with a stop. */
  void tells() {
    tells = true;
  }

  /** Refuses what is stored. */
  void faults() {
    faults = true;
  }

  /** Memory can be written by virtual address only. */
  void virtualOnly() {
    physical = false;
  }

  /** The next step fails after it began. */
  void stepFails(RuntimeException failure) {
    stepFailure = Optional.of(failure);
  }

  /** No step ends before the machine is stopped. */
  void stepsHang() {
    hang = true;
  }

  /** Registers cannot be written. */
  void keepsRegisters() {
    keeps = true;
  }

  List<String> log() {
    return log;
  }

  Set<Long> inserted() {
    return code;
  }

  @Override
  public Optional<Stop> await(Duration timeout) {
    if (stepFailure.isPresent()) {
      var failure = stepFailure.get();
      stepFailure = Optional.empty();
      pending = Optional.empty();
      throw failure;
    }
    if (pending.isPresent()) {
      var stop = pending;
      pending = Optional.empty();
      state = stop.get().reason() instanceof Stop.Ended ? State.GONE : State.STOPPED;
      return stop;
    }
    while (!script.isEmpty()) {
      var visit = script.removeFirst();
      if (!(visit.stop().reason() instanceof Stop.Ended)) {
        int cpu = visit.stop().cpu();
        put(cpu, visit.pc());
        if (visit.sp() != 0) {
          registers.put(cpu, registers.get(cpu).with(X86_64.RSP, visit.sp()));
        }
      }
      if (visit.always() || code.contains(visit.pc())) {
        state = visit.stop().reason() instanceof Stop.Ended ? State.GONE : State.STOPPED;
        return Optional.of(visit.stop());
      }
    }
    atEnd.run();
    return Optional.empty();
  }

  @Override
  public void resume() {
    log.add("resume");
    epoch++;
    state = State.RUNNING;
    registers.forEach(
        (cpu, values) -> {
          if (code.contains(values.pc().orElse(0))) {
            pending = Optional.of(new Stop(cpu, new Stop.Trap()));
          }
        });
  }

  @Override
  public void step(int cpu, boolean others, boolean interrupts) {
    long pc = registers.get(cpu).pc().orElse(0);
    log.add(
        "step "
            + cpu
            + (others ? " with others" : "")
            + (interrupts ? " with interrupts" : "")
            + (code.contains(pc) ? " in place" : ""));
    epoch++;
    state = State.RUNNING;
    if (hang) {
      return;
    }
    if (!instead.isEmpty()) {
      pending = Optional.of(instead.removeFirst());
      return;
    }
    if (standing > 0) {
      standing--;
    } else {
      put(cpu, stepTo);
    }
    pending = Optional.of(new Stop(cpu, new Stop.Trap()));
  }

  @Override
  public void stop() {
    state = State.STOPPED;
  }

  @Override
  public boolean insert(Kind kind, long address, int length) {
    if (kind == Kind.HARDWARE) {
      return false;
    }
    if (kind == Kind.SOFTWARE) {
      code.add(address);
    }
    return true;
  }

  @Override
  public void remove(Kind kind, long address, int length) {
    if (kind == Kind.SOFTWARE && !code.remove(address)) {
      throw new TargetException("error 22: no breakpoint at 0x" + Long.toHexString(address));
    }
  }

  @Override
  public boolean writes(Space space) {
    return space == Space.VIRTUAL || physical;
  }

  @Override
  public void write(Space space, long address, MemorySegment bytes) {
    if (faults) {
      throw new FaultException("virtual", address, Readability.UNMAPPED);
    }
    log.add("write " + space + " " + Long.toHexString(address));
  }

  @Override
  public void write(int cpu, Register register, long value) {
    if (keeps) {
      throw new UnsupportedException("no register can be written");
    }
    log.add(register.name() + "=" + Long.toHexString(value));
    registers.put(cpu, registers.get(cpu).with(register, value));
    epoch++;
  }

  @Override
  public void settle() {}

  @Override
  public Optional<Registers> told(int cpu) {
    var all = registers.get(cpu);
    return tells
        ? Optional.of(
            Registers.none(all.file())
                .with(X86_64.RIP, all.pc().orElseThrow())
                .with(X86_64.RSP, all.sp().orElseThrow()))
        : Optional.empty();
  }

  @Override
  public Optional<Cpu> cpu(int id) {
    if (tells) {
      log.add("registers " + id);
    }
    return Optional.ofNullable(registers.get(id)).map(values -> new Cpu(id, values, "script"));
  }

  @Override
  public List<Cpu> cpus() {
    var cpus = new ArrayList<Cpu>();
    registers.forEach((id, values) -> cpus.add(new Cpu(id, values, "script")));
    return cpus;
  }

  @Override
  public State state() {
    return state;
  }

  @Override
  public long epoch() {
    return epoch;
  }

  @Override
  public boolean leaveStopped() {
    return false;
  }

  @Override
  public void leaveStopped(boolean stopped) {
    log.add("leave stopped " + stopped);
  }

  @Override
  public TargetInfo info() {
    return base.info();
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    return capability.isInstance(this) && (writable || capability != MemoryWriter.class)
        ? Optional.of(capability.cast(this))
        : base.find(capability);
  }

  @Override
  public List<String> warnings() {
    return List.of();
  }

  @Override
  public void close() {
    base.close();
  }
}
