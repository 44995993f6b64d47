// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Engine;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.record.RecordSink;
import dev.fathom.dtrace.run.Interpreter;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** Runs programs that have no target: {@code BEGIN}, {@code END} and {@code tick} alone. */
public final class ClockEngine implements Engine {
  private static final long NAP = 50_000_000;

  private final Places places = new Places();
  private final Timers timers = new Timers();
  private Optional<Interpreter> interpreter = Optional.empty();
  private volatile boolean interrupted;

  @Override
  public String name() {
    return "clock";
  }

  @Override
  public List<Provider> providers() {
    return List.of(new TimerProvider(places));
  }

  @Override
  public Set<Builtin> builtins() {
    return EnumSet.complementOf(EnumSet.of(Builtin.VTIMESTAMP));
  }

  @Override
  public Set<Subroutine> subroutines() {
    return Subroutine.withoutSystem();
  }

  @Override
  public Set<Stmt.Destruction> destructions() {
    return Set.of();
  }

  @Override
  public int cpus() {
    return 1;
  }

  private static HostContext context() {
    return new HostContext(
        () -> {
          throw new UnsupportedException("there is no target: --on, -p");
        });
  }

  @Override
  public List<String> start(Plan plan, RecordSink sink) {
    var ready = new Interpreter(plan, sink, ByteOrder.nativeOrder(), System.nanoTime());
    interpreter = Optional.of(ready);
    plan.probes()
        .filter(probe -> probe.id() > Probe.ERROR)
        .forEach(probe -> timers.add((Place.Timer) places.of(probe), ready.site(probe)));
    ready.begin(context());
    return List.of();
  }

  @Override
  public boolean work(long nanos) {
    var running = interpreter.orElseThrow();
    long end = System.nanoTime() + nanos;
    while (!running.exited() && !interrupted) {
      LockSupport.parkNanos(Math.min(NAP, timers.until(Math.max(0, end - System.nanoTime()))));
      timers.due().forEach(timer -> timer.site().fire(context()));
      if (System.nanoTime() - end >= 0) {
        return !running.exited();
      }
    }
    return false;
  }

  @Override
  public void stop() {
    timers.clear();
    interpreter.ifPresent(running -> running.end(context()));
  }

  @Override
  public void interrupt() {
    interrupted = true;
  }

  @Override
  public void close() {
    timers.clear();
  }
}
