// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.Range;
import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowKind;
import dev.fathom.model.source.SourceInfo;
import dev.fathom.model.source.SourceLine;
import dev.fathom.session.Session;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Steps of one thread by lines of the source, as gdb's: a step ends where a statement of another
 * line begins. What has no lines is passed over. A function that returns in the middle of a
 * caller's line goes on to that caller's next line. Code that was inlined counts by its lines; to
 * step over calls passes over it, too.
 */
public final class LineSteps {
  /** How a step goes on. */
  public enum How {
    /** Into functions that have lines. */
    INTO,
    /** Over calls and what is inlined. */
    OVER,
    /** As {@link #OVER}, and on until a later line when a loop jumps back. */
    FORWARD
  }

  /** Instructions of a procedure linkage table's entry. */
  private static final int STUB = 6;

  /** Linux's stand-ins for returns and for calls through registers (arch/x86/lib/retpoline.S). */
  private static final Pattern THUNK =
      Pattern.compile(
          "__x86_(return|indirect)_(thunk|its|call|jump).*|(srso|retbleed|entry|zen).*_(return|ret|untrain).*");

  private final Session session;
  private final Control control;
  private final SourceInfo source;
  private final Steps steps;

  public LineSteps(Session session) {
    this.session = session;
    this.control = session.control();
    this.source = session.sources();
    this.steps = new Steps(session);
  }

  /**
   * One step.
   *
   * @param cpu as the target numbers it
   * @return empty, and nothing is done, where the line of the code is not known
   */
  public Optional<StopEvent> step(int cpu, How how) {
    long pc = steps.hit(cpu).pc();
    var line = described(pc);
    return line.isEmpty() ? Optional.empty() : Optional.of(new Walk(how, cpu, pc, line.get()).go());
  }

  /** The line of an instruction; empty for code that has none or that stands for an instruction. */
  private Optional<SourceLine> described(long pc) {
    var name = session.kernel().program().symbols().at(pc).map(at -> at.symbol().name());
    return name.isPresent() && THUNK.matcher(name.get()).matches()
        ? Optional.empty()
        : source.line(pc);
  }

  /** A step under way. */
  private final class Walk {
    private final How how;
    private int cpu;
    private SourceLine line;
    private Optional<Range> range;

    /** The first address of the function, and how many are inlined into each other. */
    private long function;

    private int depth;

    /** Whether a called function was entered. */
    private boolean entered;

    Walk(How how, int cpu, long pc, SourceLine line) {
      this.how = how;
      this.cpu = cpu;
      this.line = line;
      enter(pc, line);
    }

    private void enter(long pc, SourceLine at) {
      var activations = source.activations(pc);
      line = at;
      depth = activations.size();
      function = activations.isEmpty() ? 0 : activations.getLast().entry();
      range = source.lineRange(pc);
    }

    StopEvent go() {
      while (true) {
        if (session.takeInterrupt()) {
          return control.stop();
        }
        var hit = steps.hit(cpu);
        var flow = steps.flow(hit);
        boolean calls = flow.isPresent() && flow.get().kind().isCall();
        entered = false;
        var event =
            calls
                ? how == How.INTO ? into(hit, flow.get()) : steps.over(cpu)
                : steps.instruction(cpu);
        if (!goesOn(event) || entered) {
          return event;
        }
        long now = event.pc().orElseThrow();
        boolean returned = flow.isPresent() && flow.get().kind() == FlowKind.RETURN;
        if (!calls && (returned || leaves(now))) {
          var left = left(event, returned);
          if (left.isPresent()) {
            return left.get();
          }
        } else if (ends(now)) {
          return event;
        }
      }
    }

    private boolean goesOn(StopEvent event) {
      cpu = event.cpu().orElse(cpu);
      return event.cause() instanceof StopEvent.Stepped && event.pc().isPresent();
    }

    /** Whether an instruction that is no call led out of the function. */
    private boolean leaves(long now) {
      if (range.isPresent() && range.get().contains(now)) {
        return false;
      }
      var activations = source.activations(now);
      return activations.isEmpty() || activations.getLast().entry() != function;
    }

    /** In the same function: whether another line begins here. */
    private boolean ends(long now) {
      var at = source.line(now);
      if (at.isEmpty() || at.get().line() == 0 || at.get().sameLine(line)) {
        return false;
      }
      boolean over = how != How.INTO && source.activations(now).size() > depth;
      boolean back =
          how == How.FORWARD
              && range.isPresent()
              && Long.compareUnsigned(now, range.get().end()) < 0;
      return !over && !back && source.beginsStatement(now);
    }

    /** In another function, by a return or a jump: what ends the step there, if anything does. */
    private Optional<StopEvent> left(StopEvent event, boolean returned) {
      var arrived = event;
      if (!returned && described(event.pc().orElseThrow()).isEmpty()) {
        arrived = steps.out(cpu);
        if (!goesOn(arrived)) {
          return Optional.of(arrived);
        }
      } else if (!returned) {
        return Optional.of(body(event));
      }
      long now = arrived.pc().orElseThrow();
      var at = described(now);
      if (at.isEmpty()) {
        return Optional.of(arrived);
      }
      boolean same = at.get().sameLine(line);
      enter(now, at.get());
      boolean begins = range.isPresent() && range.get().start() == now;
      return begins && !same && source.beginsStatement(now)
          ? Optional.of(arrived)
          : Optional.empty();
    }

    /** From a function's first instruction to where its variables are in place. */
    private StopEvent body(StopEvent event) {
      long entry = event.pc().orElseThrow();
      long body = source.body(entry);
      return body == entry ? event : steps.until(cpu, body);
    }

    /** Into a called function, when it has lines; else until it returns. */
    private StopEvent into(Hit before, Flow flow) {
      if (flow.target().isPresent() && !leadsToLines(flow.target().getAsLong())) {
        return steps.over(cpu);
      }
      var event = steps.instruction(cpu);
      boolean jumped = false;
      for (int i = 0; i < STUB && goesOn(event); i++) {
        if (described(event.pc().orElseThrow()).isPresent()) {
          entered = true;
          return body(event);
        }
        var next = steps.flow(steps.hit(cpu));
        if (jumped
            || next.isEmpty()
            || !(next.get().kind() == FlowKind.NEXT || isJump(next.get()))) {
          break;
        }
        jumped = isJump(next.get());
        event = steps.instruction(cpu);
      }
      return goesOn(event) ? steps.back(before, before.pc() + flow.length()) : event;
    }

    /** Whether the code at a call's target has lines, or may be a stub that jumps to such code. */
    private boolean leadsToLines(long target) {
      // Only processes, which are in the lower half of the addresses, have linkage tables.
      return described(target).isPresent() || target >= 0;
    }

    private static boolean isJump(Flow flow) {
      return flow.kind() == FlowKind.JUMP || flow.kind() == FlowKind.INDIRECT_JUMP;
    }
  }
}
