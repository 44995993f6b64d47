// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.probe.EnabledProbe;
import dev.fathom.dtrace.probe.Plan;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeContext;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.FaultKind;
import dev.fathom.dtrace.record.Firing;
import dev.fathom.dtrace.record.ProbeError;
import dev.fathom.dtrace.record.RecordSink;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a plan's clauses as closures. An engine asks once for the {@link #site} of each probe and
 * calls {@link Site#fire} whenever it fires. {@code BEGIN}, {@code END} and {@code ERROR} are the
 * interpreter's own: {@link #begin}, {@link #end}, and each fault. Used by one thread.
 */
public final class Interpreter {
  /** A clause at a probe, as closures. */
  private record Step(
      EnabledProbe enabled, Code.Number predicate, Code.Action body, boolean records) {}

  /** The clauses of one probe. */
  public final class Site {
    private Step[] steps;

    private Site(List<Step> steps) {
      this.steps = steps.toArray(Step[]::new);
    }

    private void add(Step step) {
      steps = Arrays.copyOf(steps, steps.length + 1);
      steps[steps.length - 1] = step;
    }

    /** Whether nothing is enabled here. */
    public boolean isEmpty() {
      return steps.length == 0;
    }

    /** Runs the clauses, in order; none after an {@code exit()}. */
    public void fire(ProbeContext context) {
      Interpreter.this.fire(steps, context, false);
    }
  }

  private final Machine machine;
  private final RecordSink sink;
  private final Plan plan;
  private final ClosureBuilder builder;
  private final Map<Integer, Step> bodies = new HashMap<>();
  private final Map<Integer, Site> sites = new HashMap<>();
  private final Site nowhere = new Site(List.of());
  private int errorDepth;

  /**
   * Prepares a plan.
   *
   * @param order of the target
   * @param seed for {@code rand()}; not 0
   */
  public Interpreter(Plan plan, RecordSink sink, ByteOrder order, long seed) {
    this.sink = sink;
    this.machine = new Machine(plan.program(), sink, order, seed == 0 ? 1 : seed);
    this.plan = plan;
    this.builder = new ClosureBuilder(plan.program());
    var steps = new HashMap<Integer, List<Step>>();
    for (var e : plan.enabled()) {
      steps.computeIfAbsent(e.probe().id(), _ -> new ArrayList<>()).add(step(e));
    }
    steps.forEach((id, list) -> sites.put(id, new Site(list)));
  }

  private Step step(EnabledProbe e) {
    var known = bodies.computeIfAbsent(e.clause(), c -> step(plan.program().clause(c), e));
    return new Step(e, known.predicate(), known.body(), known.records());
  }

  private Step step(Clause clause, EnabledProbe e) {
    return new Step(
        e,
        clause.predicate().map(builder::number).orElse(null),
        builder.body(clause.body()),
        clause.records());
  }

  /** Has a clause run at a probe that came after the plan was prepared. */
  public void enable(EnabledProbe added) {
    sites.computeIfAbsent(added.probe().id(), _ -> new Site(List.of())).add(step(added));
  }

  /** The clauses of a probe. */
  public Site site(Probe probe) {
    return sites.getOrDefault(probe.id(), nowhere);
  }

  /** Whether a clause has called {@code exit()}: nothing but {@code END} fires any more. */
  public boolean exited() {
    return machine.exited;
  }

  public void begin(ProbeContext context) {
    fire(sites.getOrDefault(Probe.BEGIN, nowhere).steps, context, false);
  }

  public void end(ProbeContext context) {
    fire(sites.getOrDefault(Probe.END, nowhere).steps, context, true);
  }

  private void fire(Step[] steps, ProbeContext context, boolean afterExit) {
    var m = machine;
    if (steps.length == 0 || (m.exited && !afterExit)) {
      return;
    }
    m.enterFiring(context);
    for (var step : steps) {
      if (m.exited && !afterExit) {
        return;
      }
      m.enterClause(step.enabled());
      try {
        if (step.predicate() != null && step.predicate().get(m) == 0) {
          continue;
        }
        step.body().run(m);
        if (step.records() && !m.abandoned) {
          sink.firing(
              new Firing(
                  step.enabled().epid(),
                  context.cpu(),
                  context.timestamp(),
                  m.speculation,
                  m.items));
        }
      } catch (ArithmeticException e) {
        failed(step, context, FaultKind.DIVIDE_BY_ZERO, 0);
      } catch (FaultException e) {
        failed(step, context, FaultKind.BAD_ADDRESS, e.address());
      } catch (EvalException e) {
        if (m.isFault(e)) {
          failed(step, context, m.faultKind, m.faultValue);
        } else {
          failed(step, context, FaultKind.ILLEGAL_OPERATION, 0);
        }
      } catch (FathomException e) {
        failed(step, context, FaultKind.ILLEGAL_OPERATION, 0);
      }
    }
  }

  /** Fires {@code ERROR} for a clause that was given up, then reports it. */
  private void failed(Step step, ProbeContext context, FaultKind kind, long value) {
    if (errorDepth > 0) {
      sink.dropped(Drop.ERROR_IN_ERROR, context.cpu(), 1);
      return;
    }
    var error =
        new ProbeError(step.enabled().epid(), context.cpu(), machine.statement, kind, value);
    var handlers = sites.getOrDefault(Probe.ERROR, nowhere).steps;
    if (handlers.length > 0) {
      errorDepth++;
      try {
        fire(handlers, new ErrorContext(context, error), false);
      } finally {
        errorDepth--;
        machine.enterFiring(context);
      }
    }
    sink.error(error);
  }
}
