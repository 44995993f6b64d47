// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.source;

import dev.fathom.model.Program;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A frame as the source has it: that of a function, or of one inlined into it, which shares its
 * stack frame and registers.
 *
 * @param number its place, 0 for the innermost
 * @param activation the function at work; empty where no debug information describes it
 */
public record SourceFrame(int number, FrameView view, Optional<Activation> activation) {
  public Frame frame() {
    return view.frame();
  }

  public boolean inlined() {
    return activation.isPresent() && activation.get().inlined();
  }

  /** The frames with those of functions that left the stack to the ones that they called. */
  private static List<Frame> withTailCalls(SourceInfo source, List<Frame> frames) {
    var all = new ArrayList<Frame>();
    for (int i = 0; i < frames.size(); i++) {
      var inner = frames.get(i);
      all.add(inner);
      if (i + 1 < frames.size() && !frames.get(i + 1).exact()) {
        var outer = frames.get(i + 1);
        var pc = outer.registers().file().pc();
        for (long back : source.tailCalls(inner.lookup(), outer.pc())) {
          all.add(
              new Frame(
                  back,
                  false,
                  outer.registers().with(pc, back),
                  inner.cfa(),
                  Frame.How.TAIL_CALL,
                  inner.stack()));
        }
      }
    }
    return all;
  }

  /** The frames of a stack, inlined functions between those that they were inlined into. */
  public static List<SourceFrame> of(Program program, SourceInfo source, Backtrace trace) {
    var frames = withTailCalls(source, trace.frames());
    var all = new ArrayList<SourceFrame>();
    for (int i = 0; i < frames.size(); i++) {
      var view = new FrameView(program, frames, i);
      var found = source.activations(frames.get(i).lookup());
      for (var activation : found) {
        all.add(new SourceFrame(all.size(), view, Optional.of(activation)));
      }
      if (found.isEmpty()) {
        all.add(new SourceFrame(all.size(), view, Optional.empty()));
      }
    }
    return all;
  }
}
