// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Register;
import dev.fathom.session.Session;
import dev.fathom.session.control.Hit;
import dev.fathom.target.RegisterWriter;
import java.util.HashMap;
import java.util.Map;

/**
 * Leads CPUs that come to a tracepoint which is not enabled through the kernel's own code for one
 * that is, up to the call of who listens, which is left out. Nothing is written but registers:
 *
 * <pre>
 *   the no-operation    the program counter: where the kernel goes on for an enabled one
 *   the load            its register, which holds 0: the tracepoint's own address, which can be
 *                       read; the program counter: behind the load
 *   the call            the arguments are there; the program counter: behind the call
 * </pre>
 *
 * Where somebody in the guest listens meanwhile, the load and the call are the guest's own.
 */
final class Detours {
  private record At(int cpu, long call) {}

  private final Session session;

  /** How often a CPU was led past a load and has not come to the call: interrupts nest. */
  private final Map<At, Integer> underWay = new HashMap<>();

  Detours(Session session) {
    this.session = session;
  }

  /** Whether no CPU is on its way from a load to a call. */
  boolean isEmpty() {
    return underWay.isEmpty();
  }

  /** Whether a CPU is on its way to the call at that address, which is not its to make. */
  boolean leadTo(long call) {
    return underWay.keySet().stream().anyMatch(at -> at.call() == call);
  }

  /** Whether the tracepoint's arguments are there. */
  boolean arrives(Tracepoints.Tracepoint point, long pc) {
    return point.sites().stream().anyMatch(site -> site.call() == pc);
  }

  /** Has a CPU go on from a place of a tracepoint. */
  void pass(Tracepoints.Tracepoint point, Hit hit) {
    for (var site : point.sites()) {
      var at = new At(hit.id(), site.call());
      if (site.code() == hit.pc()) {
        go(hit, site.target());
        return;
      }
      if (site.load() == hit.pc()) {
        if (session.kernel().program().memory().u64(point.funcs()) == 0) {
          underWay.merge(at, 1, Integer::sum);
          write(hit, site.register(), point.address());
          go(hit, site.loaded());
        }
        return;
      }
      if (site.call() == hit.pc()) {
        if (underWay.containsKey(at)) {
          underWay.compute(at, (_, count) -> count == 1 ? null : count - 1);
          go(hit, site.called());
        }
        return;
      }
    }
  }

  private void go(Hit hit, long to) {
    write(hit, hit.registers().file().pc(), to);
  }

  private void write(Hit hit, Register register, long value) {
    session
        .target()
        .find(RegisterWriter.class)
        .orElseThrow(() -> new UnsupportedException("registers cannot be written"))
        .write(hit.id(), register, value);
  }
}
