// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.kernel.Task;
import dev.fathom.session.Session;
import dev.fathom.target.Cpu;
import dev.fathom.target.DirectMemory;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RunControl;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The probes of time, {@code profile} and {@code tick}: fires them where the target stands still
 * anyway, and stops one that runs for the moments in which samples are taken.
 */
final class Sampler {
  /** The share of time that samples may take from the target; more often they are left out. */
  private static final double MOST_STILL = 0.25;

  /** The same where only registers and stacks are copied while the target stands still. */
  private static final double MOST_STILL_DIRECT = 0.05;

  private static final int REHEARSALS = 50;

  private final Session session;
  private final Timers timers = new Timers();

  /** The memory of a guest that is read beside it, running or not. */
  private final Optional<DirectMemory> direct;

  private long started;
  private long samples;
  private long skipped;
  private long still;
  private long stopped;

  /** What the target said at the last stop of the time for which it has stood still. */
  private long counted;

  Sampler(Session session) {
    this.session = session;
    this.direct =
        session
            .target()
            .find(PhysicalMemory.class)
            .filter(DirectMemory.class::isInstance)
            .map(DirectMemory.class::cast);
  }

  /** Tracing begins. */
  void start(long now) {
    started = now;
  }

  void add(Place.Timer timer, Interpreter.Site site) {
    timers.add(timer, site);
  }

  void clear() {
    timers.clear();
  }

  /** Nanoseconds until the first is due, at most {@code nanos} and at least 0. */
  long until(long nanos) {
    return timers.until(nanos);
  }

  /** How often samples were taken of all CPUs. */
  long samples() {
    return samples;
  }

  /** How many samples were left out, since they would have held the target too long. */
  long skipped() {
    return skipped;
  }

  /** The nanoseconds for which the target stood still for samples. */
  long still() {
    return still;
  }

  /** Fires what is due while the target stands still at a breakpoint or for another reason. */
  void fireDue() {
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
    timer
        .site()
        .fire(
            new StopContext(session::kernel, session.target(), at.cpu(), timer.place(), at::task));
  }

  private boolean tooStill() {
    double most = direct.isPresent() ? MOST_STILL_DIRECT : MOST_STILL;
    return samples > 0 && still > (System.nanoTime() - started) * most;
  }

  private void sample(Timers.Timer timer) {
    for (var cpu : session.target().cpus()) {
      if (cpu.registers().pc().isPresent()) {
        timer
            .site()
            .fire(
                new StopContext(
                    session::kernel,
                    session.target(),
                    cpu,
                    timer.place(),
                    () -> session.kernel().running(cpu)));
      }
    }
  }

  private RunControl need() {
    return session
        .target()
        .find(RunControl.class)
        .orElseThrow(() -> new UnsupportedException("this target cannot be stopped"));
  }

  /**
   * Without breakpoints the target runs; it is stopped for samples alone.
   *
   * @param over whether tracing has ended
   * @return false when nothing more will fire
   */
  boolean sample(long nanos, BooleanSupplier over) {
    long end = System.nanoTime() + nanos;
    var live = session.target().find(Live.class);
    if (timers.sample() && live.isPresent() && live.get().state() == Live.State.STOPPED) {
      need().resume();
    }
    if (direct.isPresent() && timers.sample() && samples == 0) {
      rehearse();
    }
    while (!over.getAsBoolean()) {
      if (live.isPresent() && live.get().state() == Live.State.GONE) {
        return false;
      }
      long wait = timers.until(Math.max(0, end - System.nanoTime()));
      if (!sleep(wait)) {
        return true;
      }
      fireTimersOfRunning();
      if (System.nanoTime() - end >= 0) {
        return !over.getAsBoolean();
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
      LockSupport.parkNanos(Math.min(50_000_000L, end - System.nanoTime()));
    }
    return true;
  }
}
