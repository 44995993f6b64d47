// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.CType;
import dev.fathom.session.Session;
import dev.fathom.target.Cpu;
import dev.fathom.target.FloatingRegisters;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RegisterKeeper;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.SignalNames;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * Runs a function in a thread of a process, in user mode, by the System V calling convention (AMD64
 * supplement, 3.2). It returns to where the program began, which no thread executes any more, and
 * is caught there. All registers are put back, those of floating point too, and the signal that had
 * stopped the thread; a system call that was interrupted goes on afterwards.
 */
final class ProcessCalls {
  /** What a function without calls may use below the stack pointer (3.2.2). */
  private static final long RED_ZONE = 128;

  /** The direction flag is clear when a function begins (3.2.1), and nothing is stepped. */
  private static final long DIRECTION_AND_TRAP = 0x500;

  /** The selector of 64-bit code in user mode (Linux arch/x86/include/asm/segment.h). */
  private static final long USER_CODE = 0x33;

  /** The auxiliary vector's entry for where the program begins (Linux uapi/linux/auxvec.h). */
  private static final long AT_ENTRY = 9;

  private final Session session;
  private final Control control;
  private final ProcessView view;

  ProcessCalls(Session session, ProcessView view) {
    this.session = session;
    this.control = session.control();
    this.view = view;
  }

  /**
   * As {@link Calls#call}.
   *
   * @param before the thread
   * @param top of what is free of its stack, but for the red zone
   */
  Calls.Done call(
      Cpu before,
      long top,
      long function,
      CType type,
      List<Calls.Argument> arguments,
      Duration limit) {
    int thread = before.id();
    if (before.registers().get(X86_64.CS).orElse(USER_CODE) != USER_CODE) {
      throw new UnsupportedException(
          "thread " + thread + " runs 32-bit code: its functions cannot be called");
    }
    long back = returnAddress();
    var writer = control.need(RegisterWriter.class, "write registers");
    var keeper = control.need(RegisterKeeper.class, "keep all registers of a thread");
    var stack = Calls.Frame.of(top - RED_ZONE, type, arguments, back);
    var places = stack.places();
    if (!places.vectors().isEmpty() || Returned.needsFloating(type)) {
      floating().vector(thread, 0); // The target must tell of them.
    }
    long flags = Calls.need(before, X86_64.RFLAGS) & ~DIRECTION_AND_TRAP;
    var place = control.standing(thread);
    var kept = keeper.keep(thread);
    StopEvent event;
    try {
      stack.writes().forEach((address, bytes) -> Calls.poke(session, address, bytes));
      for (int i = 0; i < places.words().size(); i++) {
        writer.write(thread, Calls.ARGUMENTS.get(i), places.words().get(i));
      }
      for (int i = 0; i < places.vectors().size(); i++) {
        byte[] bytes = places.vectors().get(i);
        floating().setVector(thread, i, Arrays.copyOf(bytes, FloatingRegisters.VECTOR_BYTES));
      }
      // Functions with a variable number of arguments are told how many vectors they got.
      writer.write(thread, X86_64.RAX, places.vectors().size());
      writer.write(thread, X86_64.RFLAGS, flags);
      writer.write(thread, X86_64.RSP, stack.sp());
      writer.write(thread, X86_64.RIP, function);
      leaveSystemCall(writer, before);
      writer.settle();
      var goal =
          new Control.Goal(
              back, hit -> hit.id() == thread && hit.sp() == stack.sp() + Long.BYTES, true);
      event = control.proceed(List.of(goal), Optional.of(limit));
    } catch (RuntimeException | Error e) {
      try {
        putBack(kept, place);
      } catch (FathomException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    var bytes =
        finish(
            event,
            thread,
            kept,
            place,
            () -> Returned.bytes(session, thread, type, stack.result(), this::floating));
    return new Calls.Done(bytes, stack.result());
  }

  private FloatingRegisters floating() {
    return control.need(FloatingRegisters.class, "read registers for numbers with a fraction");
  }

  private byte[] finish(
      StopEvent event,
      int thread,
      RegisterKeeper.Kept kept,
      Control.Standing place,
      Supplier<byte[]> value) {
    return switch (event.cause()) {
      case StopEvent.Gone(int status) ->
          throw new EvalException("the process ended in the function, with status " + status);
      case StopEvent.Replaced _ ->
          throw new EvalException("the process became another program in the function");
      default -> {
        var now = session.target().cpu(thread).filter(cpu -> cpu.registers().pc().isPresent());
        if (now.isEmpty()) {
          throw new EvalException("thread " + thread + " ended in the function");
        }
        boolean returned = event.cause() instanceof StopEvent.Stepped;
        byte[] result;
        try {
          result = returned ? value.get() : new byte[0];
        } finally {
          putBack(kept, place);
        }
        if (!returned) {
          throw new EvalException(
              "the function did not return ("
                  + why(event, thread)
                  + "): its thread's registers were put back in the middle of it, and what it holds"
                  + " stays held");
        }
        yield result;
      }
    };
  }

  private void putBack(RegisterKeeper.Kept kept, Control.Standing place) {
    kept.putBack();
    control.standAgain(place);
  }

  /** Else the kernel would go back to the system call that was interrupted. */
  private static void leaveSystemCall(RegisterWriter writer, Cpu before) {
    if (before.registers().get(X86_64.ORIG_RAX).isPresent()) {
      writer.write(before.id(), X86_64.ORIG_RAX, -1);
    }
  }

  private long returnAddress() {
    var entry = view.auxiliary().get(AT_ENTRY);
    if (entry == null) {
      throw new EvalException("it is not known where the program begins: nothing can be called");
    }
    return entry;
  }

  private static String why(StopEvent event, int thread) {
    if (event.cause() instanceof StopEvent.Signalled(int number)) {
      var name = "signal " + SignalNames.text(number);
      return event.cpu().equals(OptionalInt.of(thread))
          ? name + where(event)
          : name + " of thread " + event.cpu().orElse(0);
    }
    return Calls.why(event);
  }

  private static String where(StopEvent event) {
    return event.pc().isPresent() ? " at 0x" + Long.toHexString(event.pc().getAsLong()) : "";
  }
}
