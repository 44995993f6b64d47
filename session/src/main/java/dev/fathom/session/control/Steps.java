// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.EvalException;
import dev.fathom.model.arch.Flow;
import dev.fathom.model.unwind.Frame;
import dev.fathom.session.Session;
import dev.fathom.target.Cpu;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Steps of one thread of the operating system. Where other code must run first (a call, an
 * interrupt, other threads), the target runs to the place where this thread goes on: the same
 * thread, whatever CPU it is on by then, with the stack as high as it was.
 */
public final class Steps {
  private final Control control;
  private final Session session;

  public Steps(Session session) {
    this.session = session;
    this.control = session.control();
  }

  /**
   * One instruction; into a function when it is a call. An interrupt that gets in between runs to
   * its end first.
   *
   * @param cpu as the target numbers it
   */
  public StopEvent instruction(int cpu) {
    var before = hit(cpu);
    var flow = flow(before);
    var event = control.stepCpu(cpu);
    if (!(event.cause() instanceof StopEvent.Stepped)
        || flow.isEmpty()
        || event.pc().isEmpty()
        || isNext(before.pc(), flow.get(), event.pc().getAsLong())) {
      return event;
    }
    // Something got in between: it comes back to the instruction or to the one behind it.
    var goals = new ArrayList<Control.Goal>();
    goals.add(same(before, before.pc() + flow.get().length(), before.sp()));
    flow.get().target().ifPresent(target -> goals.add(same(before, target, before.sp())));
    goals.add(same(before, before.pc(), before.sp()));
    return control.proceed(goals, Optional.empty());
  }

  /** Whether an instruction can lead from {@code from} to {@code to} without an interrupt. */
  private static boolean isNext(long from, Flow flow, long to) {
    return switch (flow.kind()) {
      case NEXT -> to == from + flow.length() || to == from;
      case BRANCH -> to == from + flow.length() || to == flow.target().orElse(to);
      case CALL, JUMP -> to == flow.target().orElse(to);
      case INDIRECT_CALL, INDIRECT_JUMP, RETURN, EXCEPTION_RETURN, SYSTEM_CALL, TRAP -> true;
    };
  }

  /** One instruction; a call runs until it returns. */
  public StopEvent over(int cpu) {
    var before = hit(cpu);
    var flow = flow(before);
    if (flow.isEmpty() || !flow.get().kind().isCall()) {
      return instruction(cpu);
    }
    long next = before.pc() + flow.get().length();
    return back(before, next);
  }

  /** Runs until the function returns to its caller. */
  public StopEvent out(int cpu) {
    return out(cpu, 0);
  }

  /**
   * Runs until the function of a frame returns to its caller.
   *
   * @param frame its place on the stack, 0 for the innermost
   */
  public StopEvent out(int cpu, int frame) {
    var before = hit(cpu);
    return control.proceed(List.of(toCaller(before, frame)), Optional.empty());
  }

  private Control.Goal toCaller(Hit before, int frame) {
    var trace = session.kernel().stack(before.registers());
    if (trace.frames().size() < frame + 2) {
      throw new EvalException(
          "there is no caller to return to" + (trace.why().isEmpty() ? "" : ": " + trace.why()));
    }
    Frame caller = trace.frames().get(frame + 1);
    long sp = caller.registers().sp().orElse(before.sp());
    return same(before, caller.pc(), sp);
  }

  /** Runs until this thread comes to {@code address}. */
  public StopEvent until(int cpu, long address) {
    return until(cpu, List.of(address));
  }

  /** Runs until this thread comes to one of {@code addresses}. */
  public StopEvent until(int cpu, List<Long> addresses) {
    return control.proceed(goals(hit(cpu), addresses), Optional.empty());
  }

  /**
   * Runs until this thread comes to one of {@code addresses}, or the function of a frame returns.
   *
   * @param frame its place on the stack, 0 for the innermost
   */
  public StopEvent untilOrOut(int cpu, List<Long> addresses, int frame) {
    var before = hit(cpu);
    var goals = goals(before, addresses);
    var trace = session.kernel().stack(before.registers());
    if (trace.frames().size() > frame + 1) {
      goals.add(toCaller(before, frame));
    }
    return control.proceed(goals, Optional.empty());
  }

  private static List<Control.Goal> goals(Hit before, List<Long> addresses) {
    long thread = before.thread();
    var goals = new ArrayList<Control.Goal>();
    for (long address : addresses) {
      goals.add(new Control.Goal(address, hit -> thread == 0 || hit.thread() == thread, false));
    }
    return goals;
  }

  /** Runs the thread of {@code before} until its stack is no deeper, and it is at an address. */
  StopEvent back(Hit before, long address) {
    return control.proceed(List.of(same(before, address, before.sp())), Optional.empty());
  }

  /** The thread of {@code before}, at an address, its stack not deeper than {@code sp}. */
  private static Control.Goal same(Hit before, long address, long sp) {
    long thread = before.thread();
    return new Control.Goal(
        address,
        hit -> (thread == 0 || hit.thread() == thread) && Long.compareUnsigned(hit.sp(), sp) >= 0,
        false);
  }

  Hit hit(int cpu) {
    Cpu found =
        session
            .target()
            .cpu(cpu)
            .orElseThrow(() -> new EvalException("the target has no CPU " + cpu));
    var hit = new Hit(session.kernel(), found);
    if (found.registers().pc().isEmpty()) {
      throw new EvalException("the registers of CPU " + cpu + " are not known");
    }
    hit.task();
    return hit;
  }

  Optional<Flow> flow(Hit at) {
    var program = session.kernel().program();
    var decoder = program.architecture().flowDecoder();
    var code = new byte[decoder.longest()];
    int got = program.memory().read(at.pc(), MemorySegment.ofArray(code));
    return decoder.decode(code, 0, got, at.pc());
  }
}
