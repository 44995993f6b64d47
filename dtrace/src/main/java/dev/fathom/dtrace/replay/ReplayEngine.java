// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.replay;

import dev.fathom.base.BadDataException;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.probe.Engine;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.record.RecordSink;
import dev.fathom.dtrace.run.Interpreter;
import dev.fathom.trace.EventCursor;
import dev.fathom.trace.Trace;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Runs clauses over the events of a recorded trace, as fast as they can be read. Time is that of
 * the trace.
 */
public final class ReplayEngine implements Engine {
  /** Events between two looks at the clock. */
  private static final int BATCH = 4096;

  private final Trace trace;
  private final TraceProvider provider;
  private final Interpreter.Site[] sites;
  private final EventCursor cursor;
  private final EventContext context;
  private Optional<Interpreter> interpreter = Optional.empty();
  private volatile boolean interrupted;
  private long events;
  private Optional<String> problem = Optional.empty();

  /** An engine over {@code trace}, which the caller closes. */
  public ReplayEngine(Trace trace) {
    this.trace = trace;
    provider = new TraceProvider(trace);
    sites = new Interpreter.Site[provider.count()];
    cursor = trace.events();
    context = new EventContext(cursor);
  }

  @Override
  public String name() {
    return "replay";
  }

  @Override
  public List<Provider> providers() {
    return List.of(provider);
  }

  @Override
  public Set<Builtin> builtins() {
    return EnumSet.complementOf(
        EnumSet.of(
            Builtin.CWD,
            Builtin.ERRNO,
            Builtin.EXECARGS,
            Builtin.GID,
            Builtin.PPID,
            Builtin.ROOT,
            Builtin.UCALLER,
            Builtin.UID,
            Builtin.USTACKDEPTH,
            Builtin.VTIMESTAMP));
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

  /** How many events were gone through. */
  public long events() {
    return events;
  }

  /** Why the trace ended before its end. */
  public Optional<String> problem() {
    return problem;
  }

  @Override
  public List<String> start(Plan plan, RecordSink sink) {
    var ready = new Interpreter(plan, sink, EventContext.LAYOUT.order(), System.nanoTime());
    interpreter = Optional.of(ready);
    plan.probes()
        .filter(probe -> probe.id() > Probe.ERROR)
        .forEach(probe -> sites[TraceProvider.tracepoint(probe)] = ready.site(probe));
    context.moment(0);
    ready.begin(context);
    return new ArrayList<>();
  }

  @Override
  public boolean work(long nanos) {
    var running = interpreter.orElseThrow();
    long end = System.nanoTime() + nanos;
    try {
      do {
        for (int i = 0; i < BATCH; i++) {
          if (running.exited() || !cursor.next()) {
            return false;
          }
          events++;
          var site = sites[cursor.tracepoint().number()];
          if (site != null) {
            context.event();
            site.fire(context);
          }
        }
      } while (!interrupted && System.nanoTime() - end < 0);
    } catch (BadDataException e) {
      problem = Optional.of(e.getMessage());
      return false;
    }
    return !interrupted;
  }

  @Override
  public void stop() {
    context.moment(context.timestamp());
    interpreter.ifPresent(running -> running.end(context));
  }

  @Override
  public void interrupt() {
    interrupted = true;
  }

  @Override
  public void close() {
    java.util.Arrays.fill(sites, null);
  }

  /** Names of addresses that the trace has. */
  public TraceNames names() {
    return new TraceNames(trace.names());
  }
}
