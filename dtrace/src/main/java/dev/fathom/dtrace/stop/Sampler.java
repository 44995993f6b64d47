// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.kernel.Occupant;
import dev.fathom.session.Session;
import dev.fathom.target.Cpu;
import dev.fathom.target.DirectMemory;
import dev.fathom.target.Glimpse;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RunControl;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * The probes of time, {@code profile} and {@code tick}: fires them where the target stands still
 * anyway, and stops one that runs for the moments in which samples are taken.
 */
final class Sampler {
  /** The share of time that samples may take from the target; more often they are left out. */
  private static final double MOST_STILL = 0.25;

  /** The same where only registers and stacks are copied while the target stands still. */
  private static final double MOST_STILL_DIRECT = 0.05;

  private static final int REHEARSALS = 1000;

  private final Session session;
  private final Timers timers = new Timers();

  /** How a guest is looked at whose memory is read beside it, running or not. */
  private final Optional<Direct> direct;

  /** Whether clauses have looked at memory of user mode. */
  private boolean user;

  private long started;
  private long samples;
  private long skipped;
  private long still;

  private boolean rehearsed;

  Sampler(Session session) {
    this.session = session;
    this.direct =
        session
            .target()
            .find(PhysicalMemory.class)
            .filter(DirectMemory.class::isInstance)
            .map(DirectMemory.class::cast)
            .flatMap(
                memory ->
                    session.target().find(Glimpse.class).map(look -> new Direct(memory, look)));
  }

  private record Direct(DirectMemory memory, Glimpse glimpse) {}

  /** Whether the target is read beside it while it runs. */
  boolean isDirect() {
    return direct.isPresent();
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
    long from = System.nanoTime();
    var moments = List.<Moment>of();
    if (sample && direct.isPresent()) {
      moments = moments(direct.get());
      sample = !moments.isEmpty();
    } else if (sample) {
      need().stop();
      session.kernel().ran();
    }
    try {
      for (var timer : due) {
        if (!timer.place().everyCpu()) {
          timer.site().fire(new HostContext(session::kernel));
        } else if (direct.isPresent()) {
          moments.forEach(at -> fire(timer, at));
        } else if (sample) {
          sample(timer);
        }
      }
      samples += sample ? 1 : 0;
    } finally {
      if (direct.isPresent()) {
        direct.get().memory().release();
      } else if (sample) {
        need().resume();
        still += System.nanoTime() - from;
      }
    }
  }

  /** A CPU as it was at a stop, and what was on it. */
  private record Moment(Cpu cpu, Optional<Occupant> occupant) {}

  /** All CPUs at a stop, and the pages that were copied. */
  private record Look(List<Moment> moments, long[] pages) {}

  /**
   * Copies what a sample looks at while the target stands still; clauses run and stacks are unwound
   * while it goes on. Pages are found by what was known before the stop of the page tables; where
   * these say something else afterwards, the copies are of no use.
   */
  private List<Moment> moments(Direct by) {
    var look = glimpse(by, cpus -> look(by.memory(), cpus));
    session.kernel().ran();
    if (look.isEmpty()) {
      return List.of();
    }
    look.get().moments().forEach(at -> session.kernel().occupant(at.cpu())); // For the next stop.
    if (!Arrays.equals(look.get().pages(), pages(look.get().moments()))) {
      by.memory().release();
    }
    return look.get().moments();
  }

  /**
   * Looks at the CPUs at a stop. Its time is counted from the request on until the order to go on
   * was taken: what QEMU says of its stops leaves out how long its CPUs take to go on, and a guest
   * loses that as well.
   */
  private <T> Optional<T> glimpse(Direct by, Function<List<Cpu>, T> look) {
    long from = System.nanoTime();
    var seen = by.glimpse().glimpse(look);
    still += System.nanoTime() - from;
    return seen;
  }

  private Look look(DirectMemory memory, List<Cpu> cpus) {
    var moments = new ArrayList<Moment>();
    for (var cpu : cpus) {
      if (cpu.registers().pc().isPresent()) {
        moments.add(new Moment(cpu, session.kernel().occupant(cpu)));
      }
    }
    long[] pages = pages(moments);
    memory.keep(pages);
    return new Look(moments, pages);
  }

  private long[] pages(List<Moment> moments) {
    var stacks = new StackPages(session.kernel());
    moments.forEach(at -> stacks.add(at.cpu().registers(), at.occupant(), user));
    return stacks.pages();
  }

  /**
   * Does what a sample does while the target stands still, but lets it run: so that at the first
   * stop all is loaded and compiled, and the layouts are known.
   */
  private void rehearse(Direct by) {
    var cpus = glimpse(by, List::copyOf).orElse(List.of());
    rehearsed = !cpus.isEmpty();
    for (int i = 0; i < REHEARSALS && rehearsed; i++) {
      look(by.memory(), cpus);
      by.memory().release();
      session.kernel().ran();
    }
  }

  private void fire(Timers.Timer timer, Moment at) {
    var context =
        new StopContext(
            session::kernel,
            session.target(),
            at.cpu(),
            timer.place(),
            () -> at.occupant().map(session.kernel()::running));
    timer.site().fire(context);
    user |= context.userRead();
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
    if (direct.isPresent() && timers.sample() && !rehearsed) {
      rehearse(direct.get());
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
