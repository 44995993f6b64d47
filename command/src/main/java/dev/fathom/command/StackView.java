// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Datum;
import dev.fathom.model.Program;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Turns a {@link Backtrace} into what commands show. */
public final class StackView {
  /** What is more spans two stacks: the frame that switches from one to the other. */
  private static final long LARGEST_FRAME = 1 << 20;

  private StackView() {}

  /** The stack as data, under {@code title}, which may be empty. */
  public static Datum.Stack of(
      Program program,
      Backtrace trace,
      String title,
      OptionalLong thread,
      Datum.Detail detail,
      Datum.Style style) {
    boolean good = trace.end() == Backtrace.End.COMPLETE && detail != Datum.Detail.FULL;
    return new Datum.Stack(
        title,
        thread,
        frames(program, trace, style),
        good || trace.why().isEmpty() ? Optional.empty() : Optional.of(trace.why()),
        detail,
        style);
  }

  private static List<Datum.StackFrame> frames(
      Program program, Backtrace trace, Datum.Style style) {
    int word = program.architecture().layout().wordBytes();
    var shown = new ArrayList<Datum.StackFrame>();
    Frame inner = null;
    for (var frame : trace.frames()) {
      boolean sameStack = inner != null && inner.stack().equals(frame.stack());
      var size =
          sameStack && Long.compareUnsigned(frame.cfa() - inner.cfa(), LARGEST_FRAME) <= 0
              ? OptionalLong.of(frame.cfa() - inner.cfa())
              : OptionalLong.empty();
      shown.add(
          new Datum.StackFrame(
              address(frame, word, style),
              frame.pc(),
              symbol(program.symbols(), frame),
              size,
              frame.how().text(),
              between(inner, frame)));
      inner = frame;
    }
    return shown;
  }

  /** Reports a stack that is not shown to its end. */
  public static void check(Invocation call, Backtrace trace) {
    if (trace.isCut()) {
      call.lost("stacks, in part or whole", 1);
    }
  }

  /**
   * What stands for a frame: in mdb's style where a frame pointer would be saved, in crash's where
   * its return address stands, or the stack pointer of a frame that has made no call.
   */
  private static long address(Frame frame, int word, Datum.Style style) {
    var sp = frame.registers().sp();
    if (style == Datum.Style.MDB || sp.isEmpty()) {
      return frame.cfa() - 2L * word;
    }
    return frame.exact() ? sp.getAsLong() : sp.getAsLong() - word;
  }

  /**
   * The place in the code as {@code function+0x12}. A return address belongs to the function that
   * made the call, even when the call was its last instruction.
   */
  public static String symbol(SymbolTable symbols, Frame frame) {
    var located = symbols.at(frame.lookup());
    if (located.isEmpty()) {
      return "0x" + Long.toHexString(frame.pc());
    }
    var at = located.get();
    return new dev.fathom.model.Located(at.symbol(), at.offset() + frame.pc() - frame.lookup())
        .text();
  }

  /** What the reader must know of the step from {@code inner} to {@code frame}. */
  private static Optional<String> between(Frame inner, Frame frame) {
    if (inner == null) {
      return Optional.empty();
    }
    if (!inner.stack().equals(frame.stack())) {
      return Optional.of("<" + inner.stack() + " stack>");
    }
    if (frame.how() != Frame.How.EXCEPTION) {
      return Optional.empty();
    }
    // What interrupts a process, and a kernel that runs as one, is a signal.
    boolean process = frame.pc() >= 0 && inner.pc() >= 0;
    return Optional.of(process ? "<signal handler called>" : "<exception>");
  }
}
